"""Words that are switched on and off, each for itself, with how much there is of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text
from qlora_ui.locales.figures import number


class Chips(ui.element, default_classes="qu-chips"):
    """Toggle buttons of which any number are on. `label` names the group for screen readers.

    `options` maps each value to its word; `on_change` gets all values that are on.
    """

    def __init__(self, options: Mapping[str, str], *, label: str, on_change: Callable[[frozenset[str]], Any]) -> None:
        super().__init__("div")
        self._props.update({"role": "group", "aria-label": label})
        self._on_change = on_change
        self._chosen: frozenset[str] = frozenset()
        with self:
            self._chips = {value: _Chip(word, partial(self._toggle, value)) for value, word in options.items()}

    def show(self, chosen: Collection[str], counts: Mapping[str, int]) -> None:
        """Which are on, and how much there is of each; what there is nothing of is shown only while it is on."""
        self._chosen = frozenset(chosen)
        for value, chip in self._chips.items():
            chip.show(counts.get(value, 0), is_on=value in self._chosen)
        self.set_visibility(any(chip.visible for chip in self._chips.values()))

    def _toggle(self, value: str) -> Any:
        return self._on_change(self._chosen ^ {value})


class _Chip(Text, default_classes="qu-chip"):
    def __init__(self, word: str, on_click: Callable[[], Any]) -> None:
        super().__init__(word, "button")
        self._props["type"] = "button"
        self.on("click", on_click, [])
        with self:
            self._count = Text(classes="qu-chip-count qu-num")

    def show(self, count: int, *, is_on: bool) -> None:
        self._count.text = number(count)
        self._props["aria-pressed"] = "true" if is_on else "false"
        self.set_visibility(bool(count) or is_on)
