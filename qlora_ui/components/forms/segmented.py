"""A choice between a few views, all in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text

_WALK = """(event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const radios = [...event.currentTarget.children];
    const next = radios[(radios.indexOf(event.target) + step + radios.length) % radios.length];
    next.focus();
    next.click();
}"""
"""The arrow keys choose the view beside the present one, as between radio buttons."""


class Segmented(ui.element, default_classes="qu-seg"):
    """Words of which one is chosen: one stop for the Tab key, within which the arrow keys go on.

    `options` maps each value to its word; `label` names the choice for screen readers; `on_change` gets the new value.
    """

    def __init__(
        self,
        options: dict[str, str],
        *,
        label: str,
        value: str | None = None,
        on_change: Callable[[str], Any] | None = None,
    ) -> None:
        super().__init__("div")
        self._props.update({"role": "radiogroup", "aria-label": label})
        self.on("keydown", js_handler=_WALK)
        self._on_change = on_change
        self.value = next(iter(options)) if value is None else value
        with self:
            self._buttons = {name: self._button(name, word) for name, word in options.items()}
        self.show(self.value)

    def show(self, value: str) -> None:
        """Choose a view without announcing it."""
        self.value = value
        for name, button in self._buttons.items():
            is_chosen = name == value
            button._props.update(
                {"aria-checked": "true" if is_chosen else "false", "tabindex": "0" if is_chosen else "-1"}
            )

    def _button(self, name: str, word: str) -> Text:
        button = Text(word, "button")
        button._props.update({"type": "button", "role": "radio"})
        button.on("click", lambda: self._choose(name))
        return button

    def _choose(self, name: str) -> Any:
        if name == self.value:
            return None
        self.show(name)
        return self._on_change(name) if self._on_change else None
