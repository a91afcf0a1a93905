"""A select with its label, which follows what is known without taking that for a choice of the person's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.select_list import amend_list


class SelectField(Field):
    """`on_choose(value)`, sync or async, is called when a person chooses, and never for what `show` shows."""

    def __init__(
        self, label: str, on_choose: Callable[[str], Any], *, help: str = "", unit: str = "", marker: str = ""
    ) -> None:
        super().__init__(label, help=help, unit=unit)
        self._on_choose = on_choose
        self._shown = ""
        self._is_showing = False
        self.select = self.hold(ui.select({}, on_change=self._take))
        amend_list(self.select, label)
        if marker:
            self.select.mark(marker)

    @property
    def value(self) -> str:
        return self._shown

    def show(self, options: dict[str, str], value: str, error: str = "") -> None:
        """Offer these values, each with its words, and show one of them as chosen."""
        if self.select.options != options or self.select.value != value:
            self._shown, self._is_showing = value, True
            self.select.set_options(options, value=value)
            self._is_showing = False
        if error != self.error.text:
            self.set_error(error)

    def _take(self, event: ValueChangeEventArguments[Any]) -> Any:
        """Whether it was a person is asked at once: an async handler would ask when it is too late."""
        value = str(event.value or "")
        if self._is_showing or value == self._shown:
            return None
        self._shown = value
        return self._on_choose(value)
