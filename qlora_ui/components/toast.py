"""Short messages at the edge of the screen, and the voice in which a page tells screen readers what happens."""

from __future__ import annotations

from typing import Literal
from weakref import ReferenceType, WeakKeyDictionary, ref

from nicegui import Client, ui

from qlora_ui.components.text import LiveRegion
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.locales import _, sentence

Kind = Literal["positive", "negative", "warning", "info"]

_URGENT = {"negative", "warning"}
_SILENT = {"role": "status", "aria-live": "off"}


class Announcer(LiveRegion):
    """The voice of a page, of which it has one: good news and remarks are read out when the reader has a moment.

    It is there from the beginning, because screen readers overhear a polite region that comes with its text.
    """

    def __init__(self) -> None:
        super().__init__()
        _announcers[self.client] = ref(self)


_announcers: WeakKeyDictionary[Client, ReferenceType[Announcer]] = WeakKeyDictionary()


def toast(message: str, kind: Kind = "positive", *, hint: str = "", is_silent: bool = False) -> None:
    """Show a message for five seconds, an error or a warning for fifteen; those can be dismissed before.

    Each is read out once: errors and warnings at once, as alerts, the others politely, and one that `is_silent` not at
    all, because the page says the same by itself.
    """
    is_urgent = kind in _URGENT
    ui.notify(
        message,
        position="bottom-right",
        caption=hint,
        timeout=15_000 if is_urgent else 5_000,
        close_button=_("Dismiss") if is_urgent else False,
        classes=f"qu-toast qu-toast-{kind}",
        attrs=_SILENT if is_silent else {"role": "alert"} if is_urgent else _said_politely(f"{message} {hint}".strip()),
    )


def toast_error(error: QloraUiError) -> None:
    """Say what went wrong and what to do about it."""
    toast(sentence(error.message), "negative", hint=sentence(error.hint))


def _said_politely(text: str) -> dict[str, str]:
    """Have the page say it; the message itself is then silent. On a page without a voice it speaks for itself."""
    known = _announcers.get(ui.context.client)
    announcer = known() if known else None
    if announcer is None:
        return {"role": "status", "aria-live": "polite"}
    announcer.say(text)
    return _SILENT
