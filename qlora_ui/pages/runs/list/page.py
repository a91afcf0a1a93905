"""/activity: every run, live and past: the queue, the filters, and the page of the list that is asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.button import Button, link_button
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.pager import Pager
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, sentence
from qlora_ui.pages.address import follow_query, query_of_page, write_query
from qlora_ui.pages.runs.list.filters import ListFilters
from qlora_ui.pages.runs.list.find import Found, count, find
from qlora_ui.pages.runs.list.menu import RunMenu
from qlora_ui.pages.runs.list.query import SIZES, ListQuery
from qlora_ui.pages.runs.list.queue import QueueCard
from qlora_ui.pages.runs.list.selection import ListBar
from qlora_ui.pages.runs.list.table import RunTable
from qlora_ui.pages.runs.overview import state_sentence

if TYPE_CHECKING:
    from qlora_ui.services import Services

PATH = "/activity"


async def build(services: Services) -> None:
    """The list of all jobs, kept up to date. What it shows stands in its address, so a reload shows the same."""
    page = _Activity(services.jobs, ListQuery.of(query_of_page()))
    for part in (page.build_queue, page.build_filters, page.build_list):
        await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
        part()


class _Activity:
    """The parts of the page, and the one query that they all show."""

    def __init__(self, jobs: JobManager, query: ListQuery) -> None:
        self._jobs, self._query = jobs, query
        self._is_typing = False
        self._header = PageHeader(_("Activity"))
        with self._header.actions:
            link_button(_("New fine-tune"), "/train", icon="sparkles", variant="primary")
        Live(jobs.jobs_changed, lambda: _troubles(jobs), lambda: _show_troubles(jobs))
        self._menu = RunMenu(jobs, self._header)
        self._header.subtitle.text = state_sentence(jobs.jobs.values())
        self._queue_room = ui.element("div").classes("qu-contents")
        self._card = Card().classes("qu-list-card")

    def build_queue(self) -> None:
        with self._queue_room:
            QueueCard(self._jobs, self._menu)

    def build_filters(self) -> None:
        with self._card:
            self._filters = ListFilters(self._query, self._ask)
            self._bar = ListBar(
                self._jobs,
                on_order=lambda order: self._ask(self._query.change(order=order)),
                on_choose=self._choose,
                on_refresh=self._show,
            )

    def build_list(self) -> None:
        """The runs themselves, from now on as they are."""
        with self._card:
            self._empty = ui.element("div")
            self._table = RunTable(self._menu.items, on_check=self._check, on_leave=self._follow)
            self._pager = Pager(
                SIZES,
                label=_("Pages of the list"),
                on_page=self._turn_to,
                on_size=lambda size: self._ask(self._query.change(size=size)),
            )
            listen(self._jobs.jobs_changed, throttled(self._card, self._follow))
            follow_query(PATH, self._come_to)
        self._show()

    # ---- what is asked for ----

    def _ask(self, query: ListQuery, is_typing: bool = False) -> None:
        """Show another view, and write it into the address; while a person types, the words before are no stop."""
        is_new, self._is_typing = not (is_typing and self._is_typing), is_typing
        self._query = query
        write_query(PATH, query.to_query(), is_new=is_new)
        self._show()

    def _turn_to(self, page: int) -> None:
        """Open another page of the list at its upper end; the focus stays on the button."""
        self._ask(self._query.change(page=page))
        self._card.client.run_javascript(f"getHtmlElement({self._card.id})?.scrollIntoView()")

    def _come_to(self, query: str) -> None:
        """Show what the address asks for after a link, the back button or the forward button."""
        self._query, self._is_typing = ListQuery.of(query), False
        self._show()

    # ---- what is shown ----

    def _show(self) -> None:
        """Show the list as it stands now."""
        found = find(self._jobs.jobs.values(), self._query)
        self._bar.chosen &= {job.id for job in found.jobs}
        self._table.show(found.rows, self._bar.chosen)
        self._show_around(found)

    def _follow(self) -> None:
        """Keep up with the runs. Nothing moves under a person's hands: they are told that something would."""
        if not self._table.is_in_use:
            self._show()
            return
        self._table.drop(self._jobs.jobs)
        self._table.follow()
        self._show_around(find(self._jobs.jobs.values(), self._query))

    def _show_around(self, found: Found) -> None:
        """Everything but the rows."""
        jobs = self._jobs.jobs
        statuses, kinds = count(jobs.values())
        shown = self._table.shown
        self._header.subtitle.text = state_sentence(jobs.values())
        self._filters.show(self._query, statuses, kinds)
        self._filters.set_visibility(bool(jobs) or self._query.is_narrowed)
        self._bar.show(found, self._query.order, page=shown, has_moved=[*shown] != found.rows)
        self._bar.set_visibility(bool(shown))
        self._table.set_visibility(bool(shown))
        self._table.check(self._bar.chosen)
        self._pager.show(page=found.page, pages=found.pages, size=self._query.size, total=len(found.jobs))
        self._show_empty(is_empty=not shown)

    def _show_empty(self, *, is_empty: bool) -> None:
        self._empty.clear()
        if not is_empty:
            return
        with self._empty:
            if self._query.is_narrowed:
                with EmptyState(_("No run fits"), _("Take a filter back to see more."), icon="search"):
                    Button(_("Show all runs"), lambda: self._ask(self._query.without_filters()))
            else:
                text = _("A run appears here as soon as it is started, and stays with its curves, log and result.")
                with EmptyState(_("No run yet"), text, icon="activity"):
                    link_button(_("New fine-tune"), "/train", icon="sparkles")

    # ---- what is chosen ----

    def _check(self, job_ids: list[str], is_checked: bool) -> None:
        known = {job_id for job_id in job_ids if job_id in self._jobs.jobs}
        self._choose(self._bar.chosen | known if is_checked else self._bar.chosen - known)

    def _choose(self, chosen: set[str]) -> None:
        self._table.check(chosen)
        self._bar.choose(chosen)


def _troubles(jobs: JobManager) -> list[str]:
    """What keeps runs from being shown: the home folder as a whole, or single run folders, each in a sentence."""
    return ([jobs.trouble] if jobs.trouble else []) + [jobs.unreadable[name] for name in sorted(jobs.unreadable)]


def _show_troubles(jobs: JobManager) -> None:
    for trouble in _troubles(jobs):
        Notice(sentence(trouble), "warning", hint=_("The folder is left as it is."))
