"""A choice between a few views, all in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.text import Text


class Segmented(ui.element, default_classes="qu-seg"):
    """Buttons of which one is pressed.

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
        self._props.update({"role": "group", "aria-label": label})
        self._on_change = on_change
        self.value = next(iter(options)) if value is None else value
        with self:
            self._buttons = {name: self._button(name, word) for name, word in options.items()}
        self.show(self.value)

    def show(self, value: str) -> None:
        """Press a button without announcing it."""
        self.value = value
        for name, button in self._buttons.items():
            button._props["aria-pressed"] = "true" if name == value else "false"

    def _button(self, name: str, word: str) -> Text:
        button = Text(word, "button")
        button._props["type"] = "button"
        button.on("click", lambda: self._choose(name))
        return button

    def _choose(self, name: str) -> Any:
        if name == self.value:
            return None
        self.show(name)
        return self._on_change(name) if self._on_change else None
