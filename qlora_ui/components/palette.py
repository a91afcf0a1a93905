"""A dialog with one field that finds everything: type, choose with the arrows, press Enter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.locales import _, n_
from qlora_ui.theme.icons import icon_markup

MAX_QUERY = 100
"""Characters; what is typed beyond them is not searched for."""


@dataclass(frozen=True)
class Choice:
    """One line of the palette. `id` is what `on_choose` gets."""

    id: str
    text: str
    detail: str = ""
    icon: str = "chevron-right"
    keys: str = ""
    """The shortcut that does the same, as it is shown."""


@dataclass(frozen=True)
class Group:
    heading: str
    choices: list[Choice]


class Palette(ui.element, component="palette.js"):
    """Asks `find` for the groups that fit a text, the best one first, and calls `on_choose` with the chosen id.

    It is a combobox with a listbox as WAI-ARIA describes them. It closes before `on_choose` runs, and gives the focus
    back to where it was.
    """

    def __init__(self, find: Callable[[str], list[Group]], on_choose: Callable[[str], Any]) -> None:
        super().__init__()
        self._find, self._on_choose = find, on_choose
        self._offered: set[str] = set()
        self._props["words"] = {
            "title": _("Search or run a command"),
            "placeholder": _("Search pages, runs, settings and commands"),
            "results": _("Results"),
            "close": _("Close"),
            "move": _("to move"),
            "choose": _("to choose"),
            "leave": _("to close"),
            "nothing": _("Nothing fits “{query}”.", query="%s"),
            "advice": _(
                "Try fewer letters, the beginning of a name, or a word such as “theme”, “resume” or “language”."
            ),
        }
        self._props["icon"] = icon_markup("search")
        self.on("search", lambda event: self._search(str(event.args)))
        self.on("choose", self._choose)

    def open(self) -> None:
        """Show it with what is worth offering before anything is typed."""
        self._search("")
        self.run_method("open")

    def _search(self, query: str) -> None:
        groups = self._find(query[:MAX_QUERY])
        count = sum(len(group.choices) for group in groups)
        self._offered = {choice.id for group in groups for choice in group.choices}
        shown = [
            {
                "heading": group.heading,
                "choices": [asdict(choice) | {"icon": icon_markup(choice.icon)} for choice in group.choices],
            }
            for group in groups
        ]
        summary = n_("{count} result", "{count} results", count) if query else ""
        self._props["found"] = {"query": query, "groups": shown, "summary": summary}

    def _choose(self, event: GenericEventArguments) -> Any:
        return self._on_choose(str(event.args)) if str(event.args) in self._offered else None
