"""A select in a bar of filters, whose name only screen readers are told: its value says enough to the eye."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from qlora_ui.components.forms.select_list import amend_list


class QuietSelect(ui.select):
    """`on_choose(value)` is called when a person chooses, and never for what `show` shows."""

    def __init__(self, options: Mapping[str, str], *, label: str, on_choose: Callable[[str], Any]) -> None:
        self._on_choose = on_choose
        self._shown = next(iter(options))
        super().__init__(dict(options), value=self._shown, on_change=self._take)
        self.props("outlined dense options-dense")
        self._props.update({"aria-label": label, "for": f"f{self.id}"})
        amend_list(self, label)

    def show(self, value: str) -> None:
        self._shown = value
        self.value = value

    def _take(self, event: ValueChangeEventArguments[Any]) -> Any:
        value = str(event.value)
        if value == self._shown:
            return None
        self._shown = value
        return self._on_choose(value)
