"""The first page: what runs, what finished, what needs a person, and the way to the next thing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui import demo
from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, Stat, column, columns, grow, row
from qlora_ui.components.live import Live
from qlora_ui.components.page_header import PageHeader, name_tab
from qlora_ui.components.running_card import RunningCard, job_link
from qlora_ui.components.text import Text
from qlora_ui.components.words import ago, size
from qlora_ui.contract.records import JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.job_words import queue_words
from qlora_ui.pages.overview import (
    News,
    finished_since,
    greeting,
    needing_attention,
    news_of,
    result_of,
    state_sentence,
    took,
)
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.services import Services

RECENT_RUNS = 6
NEWS_SHOWN = 6
WAITING_SHOWN = 3
_ASK_AGAIN_S = 30.0
"""How often the disk is looked at and `8 min ago` is said anew."""


async def build(services: Services) -> None:
    """Nothing on it is asked for by polling but the disk and the clock; the rest follows the jobs."""
    await _Dashboard(services).fill()


class _Dashboard:
    """The parts of the page that are drawn anew when a job appears, goes or changes its status."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._header = PageHeader(greeting(datetime.now().astimezone()))
        name_tab("Dashboard")
        with self._header.actions:
            Button("Try the starter run", self._start_starter, icon="flask-conical")
            link_button("New fine-tune", "/train", icon="sparkles", variant="primary")
        with ui.element("div").classes("qu-stats"):
            self._running = Stat("Running")
            self._finished = Stat("Finished this week")
            self._adapters = Stat("Adapters", "…")
            self._disk = Stat("Free disk", "…")
        with columns():
            with column(gap=5) as left:
                self._at_work = column(gap=5)
                self._recent = Card("Recent runs")
            with column(gap=5):
                self._attention = Card("Needs your attention")
                self._news = Card("Activity")
        with self._recent.head:
            link_button("All activity", "/activity", icon_after="chevron-right", variant="ghost", size="sm")
        changed = services.jobs.jobs_changed
        with self._recent:
            Live(changed, self._what_is_recent, self._show_recent)
        with self._attention:
            Live(changed, self._what_needs_attention, self._show_attention)
        with self._news:
            self._told = Live(changed, self._what_is_new, self._show_news)
        self._shown_at_work: list[str] = []
        self._show_jobs()
        listen(changed, throttled(left, self._show_jobs))
        listen(changed, self._show_adapters)
        ui.timer(_ASK_AGAIN_S, self._ask_again, immediate=False)

    async def fill(self) -> None:
        """What has to be read from the disk first."""
        await asyncio.gather(self._show_adapters(), self._show_disk())

    @property
    def _jobs(self) -> list[Job]:
        return list(self._services.jobs.jobs.values())

    # ---- what follows the jobs ----

    def _show_jobs(self) -> None:
        jobs = self._jobs
        self._header.subtitle.text = state_sentence(jobs)
        waiting = sum(job.status is JobStatus.PENDING for job in jobs)
        self._running.value.text = str(sum(job.status is JobStatus.RUNNING for job in jobs))
        self._running.note.text = f"{waiting} waiting in the queue" if waiting else "nothing waits"
        self._finished.value.text, self._finished.note.text = finished_since(jobs, now() - timedelta(days=7))
        self._recent.set_visibility(any(job.status.is_final for job in jobs))
        self._show_at_work(jobs)

    def _show_at_work(self, jobs: list[Job]) -> None:
        """One live card for each job at work; they are kept while the same jobs are at work."""
        at_work = [job for job in jobs if job.status is JobStatus.RUNNING]
        ids = [job.id for job in at_work]
        if ids == self._shown_at_work and ids:
            return
        self._shown_at_work = ids
        self._at_work.clear()
        with self._at_work:
            for job in at_work:
                RunningCard(job, self._services.jobs)
            if not at_work:
                self._nothing_runs(is_first_time=not jobs)

    def _nothing_runs(self, *, is_first_time: bool) -> None:
        with Card():
            if is_first_time:
                text = (
                    "The starter run fine-tunes a small model that comes along, scores it before and after, and merges "
                    "it with proof. It takes a minute or two and needs no GPU and no network."
                )
                with EmptyState("Nothing has run yet", text, icon="flask-conical"), row(wrap=True):
                    Button("Try the starter run", self._start_starter, icon="flask-conical")
                    link_button("Use your own data", "/train", icon="sparkles", variant="primary")
            else:
                with EmptyState("Nothing is running", self._why_nothing_runs(), icon="cpu"):
                    link_button("New fine-tune", "/train", icon="sparkles", variant="primary")

    def _why_nothing_runs(self) -> str:
        """What the runs that wait wait for; when none does, that the device is free."""
        waiting = [job for job in self._jobs if job.status is JobStatus.PENDING]
        sentences = [f"{job.name}: {queue_words(job)}" for job in waiting[:WAITING_SHOWN]]
        return " ".join(sentences) or "The device is free for the next run."

    def _recent_runs(self) -> list[Job]:
        ended = [job for job in self._jobs if job.status.is_final]
        return sorted(ended, key=lambda job: job.updated_at, reverse=True)[:RECENT_RUNS]

    def _what_is_recent(self) -> list[tuple[str, str, str, JobStatus]]:
        return [(job.id, result_of(job), took(job), job.status) for job in self._recent_runs()]

    def _show_recent(self) -> None:
        table = DataTable(["Run", "Kind", "Result", "Took", "Status"], label="Recent runs")
        for job in self._recent_runs():
            _recent_row(table, job)

    def _what_needs_attention(self) -> list[tuple[str, JobStatus, str, str, bool]]:
        return [(j.id, j.status, j.error or j.message, j.hint, j.can_resume) for j in needing_attention(self._jobs)]

    def _show_attention(self) -> None:
        found = needing_attention(self._jobs)
        with ui.element("div").classes("qu-list"):
            for job in found:
                self._attention_entry(job)
        if not found:
            Text("Nothing does. A run that fails or is interrupted appears here.", classes="qu-sm qu-muted")

    def _attention_entry(self, job: Job) -> None:
        tone = "error" if job.status is JobStatus.FAILED else "warning"
        with row(gap=3, top=True):
            _dot("circle-alert" if tone == "error" else "triangle-alert", tone)
            with grow():
                with Text(tag="div", classes="qu-sm qu-break"):
                    ui.link(job.name, f"/activity/{job.id}").classes("qu-title-link qu-strong")
                    Text(f" {_HOW_IT_STANDS[job.status]}")
                Text(job.error or job.message, "p", classes="qu-xs qu-muted qu-break qu-clamp")
                if job.hint:
                    Text(job.hint, "p", classes="qu-xs qu-muted qu-break")
                if job.can_resume:
                    with row().style("margin-top:8px"):
                        Button("Resume", lambda: self._services.jobs.resume(job.id), icon="rotate-ccw", size="sm")

    def _what_is_new(self) -> list[tuple[str, str, str]]:
        return [(entry.job.id, entry.words, ago(entry.time)) for entry in news_of(self._jobs)[:NEWS_SHOWN]]

    def _show_news(self) -> None:
        entries = news_of(self._jobs)[:NEWS_SHOWN]
        with ui.element("div").classes("qu-list"):
            for entry in entries:
                _news_entry(entry)
        if not entries:
            Text("What happens to your runs is told here.", classes="qu-sm qu-muted")

    # ---- what is read from the disk ----

    async def _ask_again(self) -> None:
        self._told.follow()
        await self._show_disk()

    async def _show_adapters(self) -> None:
        adapters = await self._services.adapters()
        self._adapters.value.text = f"{len(adapters):,}"
        self._adapters.note.text = f"the newest is {adapters[-1].name}" if adapters else "a finished training adds one"

    async def _show_disk(self) -> None:
        free = await self._services.disk_free()
        used = await asyncio.to_thread(_folder_size, self._services.workspace.runs)
        self._disk.value.text = size(free)
        self._disk.note.text = f"runs use {size(used)}" if used else "no runs yet"

    async def _start_starter(self) -> None:
        run = await demo.submit_starter(self._services.jobs)
        ui.navigate.to(f"/activity/{run.training.id}")


_HOW_IT_STANDS = {
    JobStatus.INTERRUPTED: "was interrupted",
    JobStatus.FAILED: "failed",
    JobStatus.PAUSED: "is paused",
}


def _recent_row(table: DataTable, job: Job) -> None:
    cells = table.row()
    with cells.cell():
        job_link(job)
    cells.cell(job.kind.capitalize()).classes("qu-nowrap")
    cells.cell(result_of(job))
    cells.cell(took(job)).classes("qu-nowrap")
    with cells.cell():
        StatusBadge(job)


def _news_entry(entry: News) -> None:
    with row(gap=3, top=True):
        _dot(entry.icon, entry.tone)
        with grow():
            with Text(tag="div", classes="qu-sm qu-break"):
                ui.link(entry.job.name, f"/activity/{entry.job.id}").classes("qu-title-link qu-strong")
                Text(f" {entry.words}")
            Text(ago(entry.time), "div", classes="qu-xs qu-muted qu-num")


def _dot(icon: str, tone: str) -> None:
    with ui.element("span").classes(f"qu-dot qu-tone-{tone}"):
        Icon(icon)


def _folder_size(folder: Path) -> int:
    """Bytes of all files below a folder; what vanishes meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat(follow_symlinks=False).st_size if file.is_file() else 0
        except OSError:
            continue
    return total
