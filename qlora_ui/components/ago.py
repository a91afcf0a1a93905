"""How long ago something was, kept true while the page is open."""

from __future__ import annotations

from datetime import datetime

from nicegui import ui

from qlora_ui.components.text import Text
from qlora_ui.components.words import ago
from qlora_ui.locales.figures import moment_in_full

SAID_ANEW_S = 20.0


class Ago(Text):
    """`5 min ago`, with the full date and time as its tooltip. `follow` says it anew."""

    def __init__(self, moment: datetime, *, classes: str = "") -> None:
        super().__init__(ago(moment), "time", classes=classes)
        self._moment = moment
        self._props.update({"datetime": moment.isoformat(timespec="seconds"), "title": moment_in_full(moment)})

    def follow(self) -> None:
        self.text = ago(self._moment)


def keep_true(place: ui.element) -> None:
    """Let every `Ago` within `place`, those that come later too, be said anew while `place` is there."""

    def follow() -> None:
        for element in place.descendants():
            if isinstance(element, Ago):
                element.follow()

    with place:
        ui.timer(SAID_ANEW_S, follow)
