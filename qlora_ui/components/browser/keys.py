"""Keys that do something wherever one is on the page, unless one is writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments


class KeyListener(ui.element, component="keys.js"):
    """Calls `on_keys` with what was pressed, such as `g d` or `Mod+k`, where Mod is Ctrl or ⌘.

    Nothing is heard while a person writes, composes characters, holds a modifier or has a dialog open. Keys with Mod
    are heard in fields too, and stay on when the single keys are switched off.
    """

    def __init__(self, keys: Iterable[str], on_keys: Callable[[str], Any], *, is_on: bool = True) -> None:
        super().__init__()
        self._known = list(keys)
        self._on_keys = on_keys
        self._props["keys"] = self._known
        self.set_on(is_on)
        self.on("keys", self._heard)

    def set_on(self, value: bool) -> None:
        """Switch the single keys on or off."""
        self._props["on"] = value

    def _heard(self, event: GenericEventArguments) -> Any:
        return self._on_keys(str(event.args)) if str(event.args) in self._known else None
