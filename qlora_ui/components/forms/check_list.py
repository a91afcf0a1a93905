"""A few things of which several may be chosen: native check boxes in rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text

_CHECKED = "(event) => emit(event.target.checked)"


class CheckList(ui.element, default_classes="qu-checks"):
    """Check boxes; `on_change(values)` gets what is chosen, in the order of the options, after each change."""

    def __init__(
        self,
        options: Mapping[str, str],
        *,
        value: Sequence[str],
        on_change: Callable[[list[str]], Any],
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """`options`: value → words. `notes`: value → a sentence below its words, for some of them."""
        super().__init__("div")
        self._props["role"] = "group"
        self._options = options
        self._chosen = set(value)
        self._on_change = on_change
        with self:
            self._boxes = {
                name: self._build(name, words, (notes or {}).get(name, "")) for name, words in options.items()
            }

    @property
    def value(self) -> list[str]:
        """What is chosen. Setting it announces nothing."""
        return [name for name in self._options if name in self._chosen]

    @value.setter
    def value(self, chosen: Sequence[str]) -> None:
        self._chosen = set(chosen)
        for name, box in self._boxes.items():
            box.props["checked"] = name in self._chosen

    def _build(self, name: str, words: str, note: str) -> ui.element:
        with ui.element("label").classes("qu-choice"):
            box = ui.element("input").classes("qu-box").props("type=checkbox").mark(f"check-{name}")
            box.props["checked"] = name in self._chosen
            box.on("change", lambda event: self._choose(name, bool(event.args)), js_handler=_CHECKED)
            with ui.element("span").classes("qu-col").style("gap:0"):
                Text(words)
                if note:
                    Text(note, classes="qu-xs qu-muted qu-break")
        return box

    def _choose(self, name: str, is_chosen: bool) -> Any:
        self.value = list(self._chosen | {name} if is_chosen else self._chosen - {name})
        return self._on_change(self.value)
