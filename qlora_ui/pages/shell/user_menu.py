"""Who uses the app, and the way to their settings, the keys, help and out."""

from __future__ import annotations

import getpass
from functools import cache
from typing import TYPE_CHECKING

from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.locales import _
from qlora_ui.web.sign_in_page import SIGN_OUT_PATH

if TYPE_CHECKING:
    from qlora_ui.pages.shell.commands import Commands


class UserMenu(MenuButton):
    """A name keeps settings apart and is no account; the menu says under which one they are kept."""

    def __init__(self, commands: Commands) -> None:
        visitor = commands.visitor
        items = [
            MenuItem(_("Settings"), "settings", target="/settings"),
            MenuItem(_("Keyboard shortcuts"), "keyboard", action=commands.list_shortcuts),
            MenuItem(_("Help"), "circle-question-mark", target="/help"),
        ]
        if visitor.is_signed_in:
            items.append(MenuItem(_("Sign out"), "log-out", post=SIGN_OUT_PATH))
            title = visitor.name or _("Signed in without a name")
            kept = _("Your settings are kept under this name. It is no account.")
            note = kept if visitor.name else _("You share your settings with everyone who gave no name.")
        else:
            user = _system_user()
            title, note = _("On this machine as {name}", name=user) if user else _("On this machine"), ""
        called = visitor.name if visitor.is_signed_in else _system_user()
        super().__init__(_("User menu"), called[:1].upper() or "?", items, title=title, note=note)


@cache
def _system_user() -> str:
    """Empty for a user id without a name, as containers have them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
