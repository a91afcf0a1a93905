"""A part of a page whose shape, not only its figures, follows a long-lived object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.browser.focus import give_back_focus, hold_focus
from qlora_ui.components.events import listen
from qlora_ui.jobs.reactive import Event


class Live(ui.element, default_classes="qu-live"):
    """Runs `build` in itself now, and again at `event` whenever `key()` gives another value than last time.

    A key that stays equal leaves the part as it is, with the focus and the scroll position that a person has in it.
    When it is drawn anew, a focus within it goes to the same link again, or else to the heading.
    """

    def __init__(
        self, event: Event[Any], key: Callable[[], Any], build: Callable[[], None], *, classes: str = ""
    ) -> None:
        super().__init__("div")
        self.classes(classes)
        self._key, self._build = key, build
        self._shown: Any = None
        self._room = ui.element("div").classes("qu-contents")
        self._room.move(self)
        hold_focus(self)
        with self:
            listen(event, lambda *_: self.follow())
        self.follow()

    def follow(self) -> None:
        """Look whether there is something else to show."""
        key = self._key()
        if key == self._shown:
            return
        is_anew, self._shown = bool(self._room.default_slot.children), key
        self._room.clear()
        with self._room:
            self._build()
        if is_anew:
            give_back_focus(self)
