"""The keys that work on every page, in one list: what listens to them and what explains them are made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.text import Text, heading, muted, paragraph
from qlora_ui.locales import _, mark

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor

PALETTE_KEYS = "Mod+k"
"""Mod is Ctrl, and ⌘ on a Mac. It stays on when the single keys are switched off."""


@dataclass(frozen=True)
class Shortcut:
    """A key, or two in a row, and what they do: open `path`, or else run a command of the frame."""

    keys: str
    words: str
    path: str = ""
    command: str = ""


_GO_TO = mark("Go to")
_ACTIONS = mark("Actions")

GROUPS: dict[str, tuple[Shortcut, ...]] = {
    _GO_TO: (
        Shortcut("g d", mark("Dashboard"), path="/"),
        Shortcut("g t", mark("Train"), path="/train"),
        Shortcut("g p", mark("Playground"), path="/playground"),
        Shortcut("g e", mark("Evaluate"), path="/evaluate"),
        Shortcut("g c", mark("Compare models"), path="/evaluate/dashboard"),
        Shortcut("g b", mark("Publish"), path="/publish"),
        Shortcut("g a", mark("Activity"), path="/activity"),
        Shortcut("g s", mark("Settings"), path="/settings"),
        Shortcut("g h", mark("Help"), path="/help"),
    ),
    _ACTIONS: (
        Shortcut(PALETTE_KEYS, mark("Search or run a command"), command="palette"),
        Shortcut("/", mark("Search or run a command"), command="palette"),
        Shortcut("n", mark("New fine-tune"), path="/train", command="new"),
        Shortcut("t", mark("Switch the theme"), command="theme"),
        Shortcut("[", mark("Show or hide the side bar"), command="side_bar"),
        Shortcut("?", mark("Show the keyboard shortcuts"), command="shortcuts"),
    ),
}
SHORTCUTS: dict[str, Shortcut] = {shortcut.keys: shortcut for group in GROUPS.values() for shortcut in group}


def keys_of(*, path: str = "", command: str = "") -> str:
    """The keys that open this page or run this command; empty when there are none."""
    return next((s.keys for s in SHORTCUTS.values() if (s.path, s.command) == (path, command)), "")


def in_words(keys: str, *, is_mac: bool) -> list[str]:
    """The keys as they stand on this person's keyboard, one after the other: `Ctrl` `K`."""
    if keys.startswith("Mod+"):
        return ["⌘" if is_mac else _("Ctrl"), keys.removeprefix("Mod+").upper()]
    return keys.split()


def show_list(visitor: Visitor, *, is_mac: bool) -> None:
    """Open the dialog that lists the keys, and lets a person switch the single ones off."""
    with ui.dialog(value=True) as dialog, ui.element("div").classes("qu-dialog qu-keys"):
        dialog._props["aria-label"] = _("Keyboard shortcuts")
        dialog.on("hide", dialog.delete)
        heading(_("Keyboard shortcuts"))
        with ui.element("div").classes("qu-keys-groups"):
            for title, shortcuts in GROUPS.items():
                _group(_(title), shortcuts, is_mac=is_mac)
        paragraph(_("Escape closes dialogs and menus. No key does anything while you write."), muted=True, size="sm")
        _switch(visitor, dialog.close)


def _group(title: str, shortcuts: tuple[Shortcut, ...], *, is_mac: bool) -> None:
    with ui.element("section").classes("qu-col"):
        heading(title, 3)
        with ui.element("dl").classes("qu-keys-list"):
            for words, same in groupby(shortcuts, key=lambda shortcut: shortcut.words):
                with ui.element("div"):
                    Text(_(words), "dt")
                    with ui.element("dd"):
                        for number, shortcut in enumerate(same):
                            if number:
                                muted(_("or"), size="xs")
                            for key in in_words(shortcut.keys, is_mac=is_mac):
                                Text(key, "kbd")


def _switch(visitor: Visitor, close: Callable[[], object]) -> None:
    async def change() -> None:
        await visitor.change(accessibility={"shortcuts": switch.value})

    with row(between=True, wrap=True):
        switch = ui.switch(_("Single-key shortcuts"), value=visitor.preferences.accessibility.shortcuts)
        switch.on_value_change(change)
        Button(_("Close"), close)
