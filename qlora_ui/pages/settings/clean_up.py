"""Freeing space: what could go is listed by name and size, chosen by kind, asked for once more, and then deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nicegui import ui

from qlora_ui import clean_up
from qlora_ui.clean_up import Category, Findings, Item, Outcome
from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, heading, paragraph
from qlora_ui.components.words import size
from qlora_ui.locales import _, mark, n_, sentence

if TYPE_CHECKING:
    from qlora_ui.services import Services

ROWS_AT_ONCE = 25

_CATEGORIES: dict[Category, tuple[str, str]] = {
    "checkpoints": (
        mark("Checkpoints of finished runs"),
        mark("Their adapters stay. Checkpoints that a run may still go on from are not listed."),
    ),
    "datasets": (
        mark("Data files that no run names"),
        mark("Added more than an hour ago, and in the settings of no run, past or waiting."),
    ),
    "prepared": (
        mark("Prepared data"),
        mark("Tokens of data that were read. They are made again, which takes time, when they are needed."),
    ),
    "cache": (
        mark("Curves and logs that open at once"),
        mark("Of long runs. They are made again from the runs, which takes seconds, when they are needed."),
    ),
    "uploads": (mark("Uploads that broke off"), mark("Half a file each, untouched for a day.")),
    "leftovers": (mark("Remains of what was deleted"), mark("What a crash left of something that was being deleted.")),
}


class CleanUp(ui.element, default_classes="qu-col qu-gap-3 qu-clean-up"):
    """`on_cleaned` is called after something was deleted."""

    def __init__(self, services: Services, on_cleaned: Callable[[], Any]) -> None:
        super().__init__("div")
        self._services, self._on_cleaned = services, on_cleaned
        self._chosen: set[Category] = set()
        self._found = Findings([])
        with self:
            with row(between=True, wrap=True):
                heading(_("Clean up"), 3)
                Button(_("See what could go"), self._look, icon="search", size="sm")
            self._room = ui.element("div").classes("qu-col qu-gap-3")
            with self._room:
                paragraph(
                    _("Lists what nothing needs any more. Nothing is deleted before you have seen it and said so."),
                    muted=True,
                    size="sm",
                )

    async def _look(self) -> None:
        self._found = await clean_up.find(self._services.workspace)
        self._chosen = {item.category for item in self._found.items if item.category in {"uploads", "leftovers"}}
        self._room.clear()
        with self._room:
            lists = self._list()
        for names, items in lists:
            await _fill(names, items)

    def _list(self) -> list[tuple[ui.element, list[Item]]]:
        """Everything but the names; gives the lists that they belong in."""
        if self._found.obstacle:
            hint = _("So data files and checkpoints are left alone.")
            Notice(sentence(self._found.obstacle), "warning", hint=hint)
        if not self._found.items:
            paragraph(_("There is nothing to clean up."), size="sm")
            return []
        found = {name: [item for item in self._found.items if item.category == name] for name in _CATEGORIES}
        lists = [(self._category(category, items), items) for category, items in found.items() if items]
        with row(wrap=True):
            self._button = Button("", self._ask, icon="trash-2", variant="danger")
        self._name_button()
        return lists

    def _category(self, category: Category, items: list[Item]) -> ui.element:
        title, help = _CATEGORIES[category]
        with ui.element("div").classes("qu-clean-up-kind"):
            with ui.element("label").classes("qu-choice"):
                box = ui.element("input").classes("qu-box").props("type=checkbox").mark(f"clean-{category}")
                box.props["checked"] = category in self._chosen
                box.on("change", lambda event: self._choose(category, bool(event.args)), js_handler=_CHECKED)
                with ui.element("span").classes("qu-col qu-grow").style("gap:0"):
                    Text(_(title), classes="qu-strong")
                    Text(_(help), classes="qu-xs qu-muted")
                Text(size(sum(item.bytes for item in items)), classes="qu-num qu-nowrap qu-sm")
            with ui.element("details").classes("qu-sm"):
                Text(n_("{count} item, by name", "{count} items, by name", len(items)), "summary")
                return _names()

    def _choose(self, category: Category, is_chosen: bool) -> None:
        self._chosen = self._chosen | {category} if is_chosen else self._chosen - {category}
        self._name_button()

    def _name_button(self) -> None:
        items = self._wanted()
        freed = size(sum(item.bytes for item in items))
        if items:
            self._button.text = n_(
                "Delete {count} item, {size}", "Delete {count} items, {size}", len(items), size=freed
            )
        else:
            self._button.text = _("Delete")
        self._button.disable_because("" if items else _("Choose what shall go."))

    def _wanted(self) -> list[Item]:
        return [item for item in self._found.items if item.category in self._chosen]

    async def _ask(self) -> None:
        items = self._wanted()
        with self:
            question = _Question(items)
        await _fill(question.names, items)
        if not await question:
            return
        outcome = await self._services.clean_up(items)
        self._found = Findings([])
        self._room.clear()
        with self._room:
            _tell(outcome)
        self._on_cleaned()


class _Question(ui.dialog):
    """Names everything that would go. Its result is True only when a person said that it shall."""

    def __init__(self, items: list[Item]) -> None:
        super().__init__()
        title = n_("Delete {count} item for good?", "Delete {count} items for good?", len(items))
        self._props["aria-label"] = title
        self.on("hide", self.delete, [])  # not before: the browser first gives the focus back to where it was
        freed = size(sum(item.bytes for item in items))
        with self, ui.element("div").classes("qu-dialog"):
            heading(title)
            paragraph(_("This frees {size} and cannot be undone.", size=freed), muted=True)
            self.names = _names()
            with ui.element("div").classes("qu-row").style("justify-content:flex-end"):
                Button(_("Cancel"), lambda: self.submit(False))
                Button(_("Delete for good"), lambda: self.submit(True), variant="danger")


def _names() -> ui.element:
    names = ui.element("ul").classes("qu-clean-up-names qu-sm")
    names._props.update({"tabindex": "0", "role": "list", "aria-label": _("What would be deleted")})
    return names


async def _fill(names: ui.element, items: list[Item]) -> None:
    """A row takes almost a millisecond, so the others of the app get their turn in between."""
    for start in range(0, len(items), ROWS_AT_ONCE):
        if names.is_deleted:
            return
        with names:
            for item in items[start : start + ROWS_AT_ONCE]:
                _name(item)
        await asyncio.sleep(0)


def _name(item: Item) -> None:
    with ui.element("li").classes("qu-row qu-between"):
        with ui.element("span").classes("qu-break"):
            Text(item.name)
            Text(f" {_place(item)}", classes="qu-xs qu-muted")
        Text(size(item.bytes), classes="qu-num qu-nowrap")


def _place(item: Item) -> str:
    """Where it lies, within the home folder: the same name may be there twice."""
    return "/".join(item.path.parts[-3:] if item.category == "checkpoints" else item.path.parts[-2:])


def _tell(outcome: Outcome) -> None:
    count = len(outcome.deleted)
    if count:
        Notice(
            n_(
                "{count} item was deleted, and {size} are free again.",
                "{count} items were deleted, and {size} are free again.",
                count,
                size=size(outcome.bytes),
            ),
            "success",
        )
    else:
        Notice(_("Nothing was deleted."), "info")
    for item, reason in outcome.kept.items():
        Notice(_("{name} was left.", name=item.name), "warning", hint=sentence(reason))


_CHECKED = "(event) => emit(event.target.checked)"
