"""A button that opens a short list of things to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.theme.icons import icon_markup


@dataclass(frozen=True)
class MenuItem:
    """One line of a menu: exactly one of `target`, `post` and `action` says what it does."""

    text: str
    icon: str
    target: str = ""
    """A path of the app."""
    post: str = ""
    """An address that is left to with a POST, as a form does; the browser's other tabs of the app load anew then."""
    action: Callable[[], Any] | None = None


class MenuButton(ui.element, component="menu.js"):
    """A round button with a letter. Its menu begins with `title` and `note`, which are no choices.

    Arrows, Home, End and first letters move through the menu; Escape closes it and gives the focus back.
    """

    def __init__(self, label: str, letter: str, items: list[MenuItem], *, title: str, note: str = "") -> None:
        """`label` is the button's name for screen readers and its tooltip."""
        super().__init__()
        self._actions = {str(number): item.action for number, item in enumerate(items) if item.action is not None}
        self._props.update({"label": label, "letter": letter, "title": title, "note": note})
        self._props["items"] = [
            {"name": str(number), "text": i.text, "icon": icon_markup(i.icon), "target": i.target, "post": i.post}
            for number, i in enumerate(items)
        ]
        self.on("choose", self._choose)

    def _choose(self, event: GenericEventArguments) -> Any:
        action = self._actions.get(str(event.args))
        return action() if action is not None else None
