"""The first page: what runs, what finished, what needs a person, and the way to the next thing."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui import demo
from qlora_ui.components.ago import keep_true
from qlora_ui.components.badge import StatusBadge, kind_word
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.job_news import JobNews
from qlora_ui.components.layout import Card, column, columns
from qlora_ui.components.live import Live
from qlora_ui.components.page_header import PageHeader, name_tab
from qlora_ui.components.running_card import RunningCard, job_link
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.pages.dashboard import queue as dashboard_queue
from qlora_ui.pages.dashboard.cards import AttentionCard, NewsCard, QuickActions
from qlora_ui.pages.dashboard.figures import Figures
from qlora_ui.pages.dashboard.guide import Guide, Progress
from qlora_ui.pages.runs import pausing
from qlora_ui.pages.runs.job.words import queue_words
from qlora_ui.pages.runs.overview import greeting, result_of, state_sentence, took

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

RECENT_RUNS = 6
WAITING_SHOWN = 3
_LOOK_AGAIN_S = 30.0
"""How often the disk is looked at."""


async def build(services: Services, visitor: Visitor) -> None:
    """Nothing on it is asked for by polling but the disk, the device and the clock; the rest follows the jobs."""
    page = _Dashboard(services, visitor)
    for part in (page.build_figures, page.build_work, page.build_side, page.follow_all):
        part()
        await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
    await page.fill()


class _Dashboard:
    """The parts of the page that are drawn anew when a job appears, goes or changes its status."""

    def __init__(self, services: Services, visitor: Visitor) -> None:
        self._services, self._visitor = services, visitor
        self._header = PageHeader(greeting(datetime.now().astimezone()))
        name_tab(_("Dashboard"))
        with self._header.actions:
            self._starter = Button(_("Try the starter run"), self._start_starter, icon="flask-conical")
            link_button(_("New fine-tune"), "/train", icon="sparkles", variant="primary")
        self._shown_at_work: tuple[bool, list[str]] | None = None

    def build_figures(self) -> None:
        self._figures = Figures(self._services)
        with columns():
            self._left, self._right = column(gap=5), column(gap=5)

    def build_work(self) -> None:
        with self._left:
            self._guide = Guide(self._services.jobs, on_hide=self._hide_guide)
            self._at_work = column(gap=5)
            dashboard_queue.build(self._services.jobs)
            self._recent = Card(_("Recent runs"))
        with self._recent.head:
            link_button(_("All activity"), "/activity", icon_after="chevron-right", variant="ghost", size="sm")
        with self._recent:
            Live(self._services.jobs.jobs_changed, self._what_is_recent, self._show_recent)
        self._show_jobs()

    def build_side(self) -> None:
        with self._right:
            self._attention = AttentionCard(self._services.jobs, self._visitor)
            QuickActions(self._services)
            self._news = NewsCard(self._services.jobs)

    def follow_all(self) -> None:
        keep_true(self._right)
        JobNews(self._services.jobs)
        listen(self._services.jobs.jobs_changed, throttled(self._left, self._show_jobs))
        listen(self._services.people.changed, self._follow_person)
        ui.timer(_LOOK_AGAIN_S, self.fill, immediate=False)

    async def fill(self) -> None:
        """What has to be read from the disk and from the device first."""
        free, datasets = await self._figures.read(), await self._services.datasets()
        if self._attention.is_deleted:
            return
        self._attention.show_disk(free)
        self._news.show_datasets(datasets)
        if self._figures.device is not None:
            self._guide.show_machine(self._figures.device)

    @property
    def _jobs(self) -> list[Job]:
        return list(self._services.jobs.jobs.values())

    def _show_jobs(self) -> None:
        jobs = self._jobs
        self._header.subtitle.text = state_sentence(jobs)
        self._recent.set_visibility(any(job.status.is_final for job in jobs))
        is_guided = not self._visitor.preferences.guide_hidden and not Progress.of(jobs).is_over
        self._guide.set_visibility(is_guided)
        self._starter.set_visibility(bool(jobs) and not is_guided)  # the guide, or the empty page, has it
        self._show_at_work(jobs, is_guided=is_guided)

    def _show_at_work(self, jobs: list[Job], *, is_guided: bool) -> None:
        """One live card for each job at work; they are kept while the same jobs are at work."""
        at_work = [job for job in jobs if job.status is JobStatus.RUNNING]
        shown = (is_guided, [job.id for job in at_work])
        if at_work and shown == self._shown_at_work:
            return
        self._shown_at_work = shown
        self._at_work.clear()
        self._at_work.set_visibility(bool(at_work) or not is_guided)  # the guide says what to do next
        with self._at_work:
            for job in at_work:
                RunningCard(job, self._services.jobs, self._pause)
            if not at_work and not is_guided:
                self._nothing_runs(is_first_time=not jobs)

    def _nothing_runs(self, *, is_first_time: bool) -> None:
        with Card():
            if is_first_time:
                text = _(
                    "The starter run fine-tunes a small model that comes along, scores it before and after, and merges "
                    "it with proof. It takes a minute or two and needs no GPU and no network."
                )
                with EmptyState(_("Nothing has run yet"), text, icon="flask-conical"):
                    Button(_("Try the starter run"), self._start_starter, icon="flask-conical")
            else:
                EmptyState(_("Nothing is running"), self._why_nothing_runs(), icon="cpu")

    def _why_nothing_runs(self) -> str:
        """What the runs that wait wait for; when none does, that the device is free."""
        if self._services.jobs.queue_held:
            return _("The queue is held.")
        waiting = [job for job in self._jobs if job.status is JobStatus.PENDING]
        reasons = [_("{name}: {reason}", name=job.name, reason=queue_words(job)) for job in waiting[:WAITING_SHOWN]]
        return " ".join(reasons) or _("The device is free for the next run.")

    def _recent_runs(self) -> list[Job]:
        ended = [job for job in self._jobs if job.status.is_final]
        return sorted(ended, key=lambda job: job.updated_at, reverse=True)[:RECENT_RUNS]

    def _what_is_recent(self) -> list[tuple[str, str, str, JobStatus]]:
        return [(job.id, result_of(job), took(job), job.status) for job in self._recent_runs()]

    def _show_recent(self) -> None:
        names = [_("Run"), _("Kind"), _("Result"), _("Took"), _("Status")]
        table = DataTable(names, label=_("Recent runs"))
        for job in self._recent_runs():
            _recent_row(table, job)

    # ---- what a person does ----

    async def _start_starter(self) -> None:
        run = await demo.submit_starter(self._services.jobs)
        with self._figures:  # the button that was pressed may be gone by now
            ui.navigate.to(f"/activity/{run.training.id}")

    async def _pause(self, job: Job) -> None:
        with self._left:  # its own card goes as soon as it is paused
            await pausing.pause(self._services.jobs, job)

    async def _hide_guide(self) -> None:
        await self._visitor.change(guide_hidden=True)

    def _follow_person(self, person: str, _preferences: UserPreferences) -> None:
        if person == self._visitor.person:
            self._show_jobs()
            self._attention.follow()


def _recent_row(table: DataTable, job: Job) -> None:
    cells = table.row()
    with cells.cell():
        job_link(job)
    cells.cell(kind_word(job.kind)).classes("qu-nowrap")
    cells.cell(result_of(job))
    cells.cell(took(job)).classes("qu-nowrap")
    with cells.cell():
        StatusBadge(job)
