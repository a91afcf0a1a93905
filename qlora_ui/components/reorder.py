"""A list that a person puts into another order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.theme import Icon


class ReorderList(ui.element, component="reorder.js", default_classes="qu-reorder"):
    """Entries are put elsewhere by dragging their grips, or with Alt and the arrow keys, Home and End.

    `on_move(key, index)` is told where an entry is to go among those that can be moved, from 0; the list stays as it
    is until its owner moves the entry. A focus in an entry that is moved stays there.
    """

    def __init__(self, *, label: str, on_move: Callable[[str, int], Any]) -> None:
        super().__init__()
        self._props["aria-label"] = label

        def move(event: GenericEventArguments) -> Any:
            key, index = event.args
            return on_move(str(key), int(index))

        self.on("move", move)


class ReorderEntry(ui.element, default_classes="qu-reorder-entry"):
    """One entry, with its grip in front. An entry without a key stays where it is."""

    def __init__(self, key: str = "") -> None:
        super().__init__("li")
        with self:
            self._grip = ui.element("span").classes("qu-grip")
        with self._grip:
            Icon("grip-vertical", size=16)
        self._grip._props["aria-hidden"] = "true"  # the keys and the buttons do the same
        self.set_key(key)

    def set_key(self, key: str) -> None:
        """Name it, so that it can be moved; an empty key keeps it in its place."""
        if key:
            self._props["data-key"] = key
            self._grip._props["draggable"] = "true"
        else:
            self._props.pop("data-key", None)
            self._grip._props.pop("draggable", None)
