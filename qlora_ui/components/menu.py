"""A button that opens a short list of things to do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import QloraUiError
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
    reason: str = ""
    """Why it cannot be chosen now, in a sentence; it is then shown in grey, with the reason below it."""
    is_dangerous: bool = False


class MenuButton(ui.element, component="menu.js"):
    """A round button with a letter or an icon. Its menu begins with `title` and `note`, which are no choices.

    Arrows, Home, End and first letters move through the menu; Escape closes it and gives the focus back. With `ask` the
    items are asked for each time it is opened, and are then as things stand at that moment.
    """

    def __init__(
        self,
        label: str,
        letter: str = "",
        items: list[MenuItem] | None = None,
        *,
        title: str = "",
        note: str = "",
        icon: str = "",
        ask: Callable[[], list[MenuItem]] | None = None,
    ) -> None:
        """`label` is the button's name for screen readers and its tooltip."""
        super().__init__()
        self._ask = ask
        self._props.update({"label": label, "letter": letter, "title": title, "note": note, "asks": ask is not None})
        self._props["icon"] = icon_markup(icon) if icon else ""
        self._show(items or [])
        self.on("choose", self._choose)
        if ask is not None:
            self.on("ask", self._answer, [])

    def _show(self, items: list[MenuItem]) -> None:
        self._actions = {
            str(number): item.action for number, item in enumerate(items) if item.action is not None and not item.reason
        }
        self._props["items"] = [
            {
                "name": str(number),
                "text": item.text,
                "icon": icon_markup(item.icon),
                "target": item.target,
                "post": item.post,
                "reason": item.reason,
                "danger": item.is_dangerous,
            }
            for number, item in enumerate(items)
        ]

    def _answer(self) -> None:
        assert self._ask is not None
        self._show(self._ask())
        self.run_method("openWithItems")

    async def _choose(self, event: GenericEventArguments) -> None:
        """Run what was chosen; a QloraUiError that it raises is shown to the person."""
        action = self._actions.get(str(event.args))
        if action is None:
            return
        try:
            result = action()
            if inspect.isawaitable(result):
                await result
        except QloraUiError as error:
            toast_error(error)
