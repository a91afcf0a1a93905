"""The top bar: side bar switch, connection, light or dark, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui import __version__
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.connection import Connection
from qlora_ui.components.events import listen
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import grow
from qlora_ui.components.text import code_block, heading, paragraph
from qlora_ui.contract.records import UserPreferences
from qlora_ui.theme import ThemeName

if TYPE_CHECKING:
    from qlora_ui.pages.side_bar import SideBar
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

_THEMES: tuple[ThemeName, ...] = ("light", "dark", "system")
_ICONS = {"light": "sun", "dark": "moon", "system": "monitor"}
_NAMES = {"light": "light", "dark": "dark", "system": "as the system has it"}


class TopBar(ui.element, default_classes="qu-top"):
    """Stays in sight above every page."""

    def __init__(self, services: Services, visitor: Visitor, side_bar: SideBar) -> None:
        super().__init__("header")
        self._visitor, self._side_bar = visitor, side_bar
        with self:
            menu = icon_button("Menu", "menu").classes("qu-menu-button")
            menu._props["popovertarget"] = side_bar.html_id
            self._toggle = icon_button("Side bar", "panel-left", self._toggle_side_bar).classes("qu-side-button")
            grow()
            Connection()
            self._theme_button = icon_button("", "sun", self._next_theme)
            icon_button("Help", "circle-question-mark", lambda: _help(services))
        self._name_toggle()
        self._name_theme(visitor.preferences.theme)
        with self:
            listen(services.people.changed, self._follow)

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person == self._visitor.person:
            self._name_theme(preferences.theme)

    async def _toggle_side_bar(self) -> None:
        collapsed = "qu-collapsed" not in self._side_bar.classes
        self._side_bar.set_collapsed(collapsed)
        self._name_toggle()
        await self._visitor.change(sidebar_collapsed=collapsed)

    async def _next_theme(self) -> None:
        await self._visitor.change(theme=_following(self._visitor.preferences.theme))

    def _name_toggle(self) -> None:
        word = "Show" if "qu-collapsed" in self._side_bar.classes else "Hide"
        _rename(self._toggle, f"{word} the side bar")

    def _name_theme(self, theme: ThemeName) -> None:
        self._theme_button.icon.show(_ICONS[theme])
        _rename(self._theme_button, f"Theme: {_NAMES[theme]}. Switch to {_NAMES[_following(theme)]}")


def _following(theme: ThemeName) -> ThemeName:
    return _THEMES[(_THEMES.index(theme) + 1) % len(_THEMES)]


def _rename(button: Button, label: str) -> None:
    button._props.update({"aria-label": label, "title": label})


def _help(services: Services) -> None:
    """What this is, where its files are, and how to ask the machine what it can do."""
    with ui.dialog(value=True) as dialog, ui.element("div").classes("qu-dialog"):
        dialog._props["aria-label"] = "Help"
        dialog.on("hide", dialog.delete)
        heading("Help")
        paragraph(
            "Train teaches an open language model your examples; Activity shows every run while it works. "
            "Closing this tab stops nothing: runs go on and are here when you come back."
        )
        facts = KeyValues({"Version": __version__})
        facts.add("Files").text = str(services.workspace.home)
        paragraph("What this machine can do, and what to do about what it cannot:", muted=True)
        code_block("qlora-ui doctor", "Command")
        with ui.element("div").classes("qu-row").style("justify-content:flex-end"):
            Button("Close", dialog.close)
