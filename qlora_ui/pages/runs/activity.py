"""/activity: every run, those at work first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.ago import Ago, keep_true
from qlora_ui.components.badge import StatusBadge, kind_word, status_words
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.data_table import DataTable, Row
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.focus import focus
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.running_card import job_link
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.select_list import amend_list
from qlora_ui.components.status_help import StatusHelp
from qlora_ui.components.text import Text
from qlora_ui.components.words import percent
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.pages.runs.job_words import queue_words
from qlora_ui.pages.runs.overview import result_of, state_sentence
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.services import Services

ROWS_AT_FIRST = 25
"""Rows that are built in one go; a hundred of them would keep the event loop from everyone else for 0.2 s."""
_STATES = {
    "all": mark("All"),
    "active": mark("Active"),
    "finished": mark("Finished"),
    "ended": mark("Ended early"),
}
_KINDS = (JobKind.TRAINING, JobKind.EVALUATION, JobKind.MERGE)
_ACTIVE = {JobStatus.RUNNING, JobStatus.PENDING, JobStatus.PAUSED}


async def build(services: Services) -> None:
    """The list of all jobs, kept up to date, with filters."""
    page = _List(services)
    await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
    page.fill()


def in_order(jobs: Iterable[Job]) -> list[Job]:
    """At work, then waiting by place, then paused, then those of the past; the newest first within each."""
    newest_first = sorted(jobs, key=lambda job: job.created_at, reverse=True)
    groups = [JobStatus.RUNNING, JobStatus.PENDING, JobStatus.PAUSED]

    def place(job: Job) -> tuple[int, int]:
        group = groups.index(job.status) if job.status in groups else len(groups)
        return group, job.queue_position or len(newest_first) + 1  # what is held up comes after what is in the queue

    return sorted(newest_first, key=place)


def matches(job: Job, *, text: str, kind: str, state: str) -> bool:
    """Whether a job passes the filters: words in name, model or id; a kind; a state of `_STATES`."""
    if kind and job.kind != kind:
        return False
    if state == "active" and job.status not in _ACTIVE:
        return False
    if state == "finished" and job.status is not JobStatus.COMPLETED:
        return False
    if state == "ended" and (job.status in _ACTIVE or job.status is JobStatus.COMPLETED):
        return False
    searched = " ".join([job.name, job.id, job.parameters.model_name, status_words(job.kind, job.status)[0]]).lower()
    return all(word in searched for word in text.lower().split())


def _troubles(jobs: JobManager) -> list[str]:
    """What keeps runs from being shown: the home folder as a whole, or single run folders, each in a sentence."""
    return ([jobs.trouble] if jobs.trouble else []) + [jobs.unreadable[name] for name in sorted(jobs.unreadable)]


def _show_troubles(jobs: JobManager) -> None:
    for trouble in _troubles(jobs):
        Notice(sentence(trouble), "warning", hint=_("The folder is left as it is."))


class _List:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._text, self._kind, self._state = "", "", "all"
        self._limit = ROWS_AT_FIRST
        self._table: _RunTable | None = None
        self._header = PageHeader(_("Activity"))
        with self._header.actions:
            link_button(_("New fine-tune"), "/train", icon="sparkles", variant="primary")
        jobs = services.jobs
        Live(jobs.jobs_changed, lambda: _troubles(jobs), lambda: _show_troubles(jobs))
        self._filters = row(wrap=True, between=True)
        with self._filters:
            self._build_filters()
        with Card() as self._card:
            self._room = ui.element("div")

    def fill(self) -> None:
        """Show the runs, from now on as they are."""
        listen(self._services.jobs.jobs_changed, throttled(self._card, self._follow))
        keep_true(self._card)
        self._follow()

    def _build_filters(self) -> None:
        with row(wrap=True):
            states = {name: _(word) for name, word in _STATES.items()}
            Segmented(states, label=_("Show runs by state"), on_change=lambda state: self._filter(state=state))
            StatusHelp()
        with row(wrap=True):
            kinds = {"": _("Every kind"), **{str(kind): kind_word(kind) for kind in _KINDS}}
            kind = ui.select(kinds, value="", on_change=lambda event: self._filter(kind=event.value))
            kind.props("outlined dense options-dense").classes("qu-kind")
            kind._props.update({"aria-label": _("Kind of run"), "for": f"f{kind.id}"})
            amend_list(kind, _("Kind of run"))
            find = ui.input(placeholder=_("Find a run"), on_change=lambda event: self._filter(text=event.value or ""))
            find.props("outlined dense clearable debounce=250").classes("qu-find")
            find._props["aria-label"] = _("Find a run")
            with find.add_slot("prepend"):
                Icon("search", size=16)

    def _filter(self, *, text: str | None = None, kind: str | None = None, state: str | None = None) -> None:
        self._text = self._text if text is None else text
        self._kind = self._kind if kind is None else kind
        self._state = self._state if state is None else state
        self._limit = ROWS_AT_FIRST
        self._follow()

    def _show_more(self) -> None:
        first_new = self._limit
        self._limit += ROWS_AT_FIRST
        self._follow()
        if self._table is not None:
            self._table.focus(first_new)  # the button that was pressed is gone, or has moved far down

    def _follow(self) -> None:
        """Bring the list in step with the jobs; figures within a row follow by binding."""
        jobs = in_order(self._services.jobs.jobs.values())
        self._header.subtitle.text = state_sentence(jobs)
        self._filters.set_visibility(bool(jobs))
        found = [job for job in jobs if matches(job, text=self._text, kind=self._kind, state=self._state)]
        if found and self._table is not None:
            self._table.show(found, self._limit)
            return
        self._table = None
        self._room.clear()
        with self._room:
            if found:
                self._table = _RunTable(self._show_more)
                self._table.show(found, self._limit)
            elif jobs:
                EmptyState(_("No run fits"), _("Take a filter back to see more."), icon="search")
            else:
                _nothing_yet()


class _RunTable:
    """Runs as rows. Only a row whose job is new, or stands differently, is built; the others are moved at most."""

    def __init__(self, show_more: Callable[[], None]) -> None:
        names = [_("Run", context="noun"), _("Kind"), _("Progress"), _("Created"), _("Status")]
        self._table = DataTable(names, label=_("Runs"))
        self._more = Button("", show_more, size="sm", variant="ghost")
        self._rows: dict[tuple[str, JobStatus, str], tuple[Row, ui.link]] = {}

    def show(self, found: list[Job], limit: int) -> None:
        """The first `limit` of the jobs found, in this order."""
        wanted = {(job.id, job.status, _waits_for(job)): job for job in found[:limit]}
        for key in self._rows.keys() - wanted.keys():
            self._rows.pop(key)[0].delete()
        for place, (key, job) in enumerate(wanted.items()):
            if key not in self._rows:
                self._rows[key] = _row(self._table, job)
            entry = self._rows[key][0]
            if self._table.body.default_slot.children[place] is not entry:
                entry.move(target_index=place)
        self._rows = {key: self._rows[key] for key in wanted}
        self._more.text = n_("Show more of {count} run", "Show more of {count} runs", len(found))
        self._more.set_visibility(len(found) > limit)

    def focus(self, place: int) -> None:
        """Put the focus on the link of a row, if there is such a row."""
        links = [link for _entry, link in self._rows.values()]
        if place < len(links):
            focus(links[place])


def _nothing_yet() -> None:
    text = _("A run appears here as soon as it is started, and stays with its curves, log and result.")
    with EmptyState(_("No run yet"), text, icon="activity"):
        link_button(_("New fine-tune"), "/train", icon="sparkles", variant="primary")


def _row(table: DataTable, job: Job) -> tuple[Row, ui.link]:
    """One more row, and the link at its beginning."""
    entry = table.row()
    with entry.cell():
        link = job_link(job)
    entry.cell(kind_word(job.kind))
    with entry.cell():
        _progress(job)
    with entry.cell():
        Ago(job.created_at, classes="qu-nowrap")
    with entry.cell():
        StatusBadge(job)
    return entry, link


def _progress(job: Job) -> None:
    """How far a job at work is, the place of one that waits, what came out of one that is done."""
    if job.status is JobStatus.RUNNING:
        with ui.element("div").classes("qu-col qu-progress-cell").style("gap:4px"):
            share = Text(percent(job.progress), classes="qu-xs qu-num")
            listen(job.changed, lambda: share.set_text(percent(job.progress)))
            ProgressBar(_("Progress of {name}", name=job.name), thin=True).bind_value_from(job, "progress")
    elif job.status is JobStatus.PENDING:
        Text(_waits_for(job), classes="qu-break")
    else:
        Text(result_of(job), classes="qu-break")


def _waits_for(job: Job) -> str:
    return queue_words(job) if job.status is JobStatus.PENDING else ""
