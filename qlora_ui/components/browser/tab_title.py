"""The name of the browser's tab, and in front of it how far the work is that a person waits for."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from nicegui import Client, ui

from qlora_ui.components.words import percent


@dataclass
class _Tab:
    title: str = ""
    progress: str = ""


_tabs: WeakKeyDictionary[Client, _Tab] = WeakKeyDictionary()


def name_tab(title: str) -> None:
    """Give the browser's tab its name."""
    _change(title=title)


def show_progress(share: float | None) -> None:
    """Put `(62 %)` in front of the tab's name, or take it away; cheap as long as the whole per cent stays the same."""
    _change(progress="" if share is None else f"({percent(share)}) ")


def _change(*, title: str | None = None, progress: str | None = None) -> None:
    tab = _tabs.setdefault(ui.context.client, _Tab())
    before = _Tab(tab.title, tab.progress)
    tab.title = tab.title if title is None else title
    tab.progress = tab.progress if progress is None else progress
    if tab.title and tab != before:
        ui.page_title(f"{tab.progress}{tab.title} · qlora-ui")
