"""The top bar: side bar switch, search, connection, what was told, light or dark, help, and who uses the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.browser.connection import Connection
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import grow
from qlora_ui.components.text import Text
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _
from qlora_ui.pages.shell.bell import Bell
from qlora_ui.pages.shell.commands import THEMES, theme_after
from qlora_ui.pages.shell.user_menu import UserMenu
from qlora_ui.pages.shortcuts import in_words
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.shell.commands import Commands
    from qlora_ui.pages.shell.side_bar import SideBar


class TopBar(ui.element, default_classes="qu-top"):
    """Stays in sight above every page."""

    def __init__(self, commands: Commands, side_bar: SideBar) -> None:
        super().__init__("header")
        self._commands, self._visitor = commands, commands.visitor
        with self:
            menu = icon_button(_("Menu"), "menu").classes("qu-menu-button")
            menu._props["popovertarget"] = side_bar.html_id
            self._toggle = icon_button("", "panel-left", commands.toggle_side_bar).classes("qu-side-button")
            self._search = self._search_button()
            grow()
            Connection()
            Bell(commands.services, self._visitor)
            self._theme_button = icon_button("", "sun", commands.next_theme)
            with ui.link(target="/help").classes(
                "qu-btn qu-btn-ghost qu-btn-md qu-btn-icon qu-help-button"
            ) as help_link:
                Icon("circle-question-mark")
            help_link._props.update({"aria-label": _("Help"), "title": _("Help")})
            UserMenu(commands)
            listen(commands.services.people.changed, self._follow)
        self._show(self._visitor.preferences)

    def _search_button(self) -> Button:
        """Looks like a field, because that is what it opens."""
        label = _("Search or run a command")
        button = Button(label, self._commands.open_palette, icon="search").classes("qu-search")
        button._props.update({"title": label, "aria-haspopup": "dialog"})
        with button, ui.element("span").classes("qu-search-keys") as keys:
            keys._props["aria-hidden"] = "true"
            Text(" ".join(in_words("Mod+k", is_mac=self._commands.is_mac)), "kbd")
        return button

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person == self._visitor.person:
            self._show(preferences)

    def _show(self, preferences: UserPreferences) -> None:
        """Icons, words and keys as the preferences have them now."""
        theme = preferences.theme
        now, then = _(THEMES[theme][0]), _(THEMES[theme_after(theme)][0])
        self._theme_button.icon.show(THEMES[theme][1])
        _rename(self._theme_button, _("Theme: {now}. Switch to {then}", now=now, then=then))
        is_hidden = preferences.sidebar_collapsed
        _rename(self._toggle, _("Show the side bar") if is_hidden else _("Hide the side bar"))
        self._toggle._props["aria-expanded"] = "false" if is_hidden else "true"
        are_keys_on = preferences.accessibility.shortcuts
        _tell_keys(self._theme_button, "t" if are_keys_on else "")
        _tell_keys(self._toggle, "[" if are_keys_on else "")
        _tell_keys(self._search, f"{'Meta' if self._commands.is_mac else 'Control'}+k{' /' if are_keys_on else ''}")


def _rename(button: Button, label: str) -> None:
    button._props.update({"aria-label": label, "title": label})


def _tell_keys(button: Button, keys: str) -> None:
    """The keys that do the same, as screen readers read them out."""
    if keys:
        button._props["aria-keyshortcuts"] = keys
    else:
        button._props.pop("aria-keyshortcuts", None)
