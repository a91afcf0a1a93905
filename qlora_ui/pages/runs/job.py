"""/activity/<id>: one job, live: how far it is, its curve, its log, its result, and what can be done with it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.badge import StatusBadge, Tone
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.dialog import confirm
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.focus import focus_if_lost
from qlora_ui.components.job_news import JobNews
from qlora_ui.components.layout import Card, Skeleton, column, columns, row
from qlora_ui.components.live import Live
from qlora_ui.components.log_view import LogCard
from qlora_ui.components.loss_card import LossCard
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader, name_tab
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.running_card import step_of
from qlora_ui.components.status_help import StatusHelp
from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast
from qlora_ui.components.words import clock, percent, time_left
from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark, sentence
from qlora_ui.locales.figures import day_of_year, fixed, number
from qlora_ui.pages.runs import job_kin, job_next, job_result, job_side
from qlora_ui.pages.runs.job_words import pause_reason, queue_words, resume_reason, stop_reason, tab_title

if TYPE_CHECKING:
    from qlora_ui.services import Services


async def build(services: Services, job_id: str) -> None:
    """The page of one job; for an id that is not known, a way back."""
    try:
        job = services.jobs.get(job_id)
    except JobError as error:
        PageHeader(_("No such run"), crumbs=[(_("Activity"), "/activity")])
        with Card(), EmptyState(sentence(error.message), _("It may have been deleted."), icon="search"):
            link_button(_("All activity"), "/activity")
        return
    _Header(services, job)
    if not job.history_loaded:
        await _load_history(services, job)
    JobNews(services.jobs, job)
    _trouble(job)
    _progress(job)
    with columns():
        left, right = column(gap=5), column(gap=5)
    for room, part in (
        (left, partial(_outcome, services, job)),
        (right, partial(job_side.build, job)),
        (left, partial(LogCard, job)),
    ):
        await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
        with room:
            part()


def _outcome(services: Services, job: Job) -> None:
    job_result.build(job)
    job_next.build(services, job)
    if job.kind is JobKind.TRAINING:
        LossCard(job)
        Live(job.changed, lambda: list(job.samples), lambda: _samples(job), classes="qu-contents")
    job_kin.build(services, job)


async def _load_history(services: Services, job: Job) -> None:
    """Read what the run did. Where that fails it is said, and the page shows what is known without it."""
    with ui.element("div") as room:
        Skeleton(height="320px")
    try:
        await services.jobs.load_history(job)
    except WorkspaceError as error:
        room.clear()
        with room:
            Notice(sentence(error.message), "error", hint=sentence(error.hint))
    else:
        room.delete()


class _Header:
    """Name, status and what can be done. A button that can do nothing says why."""

    def __init__(self, services: Services, job: Job) -> None:
        self._jobs, self._job = services.jobs, job
        header = PageHeader(job.name, crumbs=[(_("Activity"), "/activity")])
        self._title = header.title
        with header.beside_title:
            StatusBadge(job)
            StatusHelp(job.kind)
        with header.actions:
            self._resume = Button(_("Resume"), self._do_resume, icon="play")
            self._pause = Button("", self._do_pause, icon="pause")
            self._stop = Button(_("Stop", context="verb"), self._do_stop, icon="square")
            self._delete = Button(_("Delete"), self._ask_delete, icon="trash-2", variant="danger")
        self._is_left = False
        self._pressed_at: JobStatus | None = None
        listen(job.changed, throttled(header, self._follow))
        listen(services.jobs.jobs_changed, self._leave_when_deleted)
        self._follow()

    def _follow(self) -> None:
        job = self._job
        self._resume.set_visibility(job.status.can_resume)
        self._pause.set_visibility(not job.status.is_final and job.status is not JobStatus.PAUSED)
        self._stop.set_visibility(not job.status.is_final)
        self._delete.set_visibility(job.status.is_final)
        is_at_work = job.status is JobStatus.RUNNING
        self._pause.text = _("Pause, free the device") if is_at_work else _("Pause", context="verb")
        self._resume.disable_because(resume_reason(job))
        self._pause.disable_because(pause_reason(job))
        self._stop.disable_because(stop_reason(job))
        name_tab(tab_title(job))
        if self._pressed_at not in {None, job.status}:
            self._pressed_at = None
            focus_if_lost(self._title)  # the button that was pressed may be gone

    async def _do_resume(self) -> None:
        self._pressed_at = self._job.status
        await self._jobs.resume(self._job.id)

    async def _do_pause(self) -> None:
        self._pressed_at = self._job.status
        await self._jobs.pause(self._job.id)

    async def _do_stop(self) -> None:
        self._pressed_at = self._job.status
        await self._jobs.stop(self._job.id)

    async def _ask_delete(self) -> None:
        text = _(_WHAT_GOES.get(self._job.kind, _WHAT_GOES[JobKind.TRAINING]))
        question = _("Delete {name}?", name=self._job.name)
        if await confirm(question, text, action=_("Delete"), is_dangerous=True):
            await self._jobs.delete(self._job.id)

    def _leave_when_deleted(self) -> None:
        if self._job.id not in self._jobs.jobs and not self._is_left:
            self._is_left = True  # other news may come until the browser has gone
            toast(_("{name} was deleted.", name=self._job.name), "info")
            ui.navigate.to("/activity")


def _trouble(job: Job) -> None:
    """What went wrong, on top; the way out of it is in the header."""

    def key() -> tuple[JobStatus, str, str, int]:
        return job.status, job.error, job.message if job.status.is_final else "", len(job.alerts)

    Live(job.changed, key, lambda: _show_trouble(job), classes="qu-col")


def _show_trouble(job: Job) -> None:
    if job.status is JobStatus.FAILED:
        _notice(job.error or job.message, "error", job.hint)
    elif job.status is JobStatus.INTERRUPTED:
        _notice(job.message, "warning")
    if job.status is not JobStatus.COMPLETED:
        for alert in job.alerts:
            _notice(alert.message, "warning", alert.hint)


def _notice(text: str, tone: Tone, hint: str = "") -> None:
    notice = Notice(sentence(text), tone, hint=sentence(hint))
    notice._props["role"] = "note"  # `JobNews` reads it out, once and not again when the page is opened anew


def _progress(job: Job) -> None:
    with Card(tight=True):
        with row(between=True, wrap=True).classes("qu-sm qu-num"):
            with ui.element("span"):
                done = Text("", "b")
                where = Text(classes="qu-muted")
            outlook = Text(classes="qu-muted")
        ProgressBar(_("Progress of {name}", name=job.name)).bind_value_from(job, "progress")
        message = Text(tag="p", classes="qu-xs qu-muted qu-break")

    def follow() -> None:
        done.text = f"{percent(job.progress)} "
        where.text = " · ".join(_where(job))
        outlook.text = " · ".join(_outlook(job))
        message.text = "" if job.status in _TOLD_ELSEWHERE else sentence(job.message)

    listen(job.changed, throttled(done, follow))
    follow()


_WHAT_GOES = {
    JobKind.TRAINING: mark(
        "Its checkpoints, adapter, curves and log are removed from the disk. This cannot be undone."
    ),
    JobKind.EVALUATION: mark("Its scores, answers and log are removed from the disk. This cannot be undone."),
    JobKind.MERGE: mark(
        "Its receipt and log are removed from the disk, which cannot be undone. The merged model stays where it is."
    ),
}
_TOLD_ELSEWHERE = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.INTERRUPTED}
"""What is said of these stands in a notice, or in the badge and the result."""


def _where(job: Job) -> list[str]:
    parts = []
    if job.status is JobStatus.PENDING and (place := queue_words(job)) != sentence(job.message):
        parts.append(place)
    if job.total_steps:
        parts.append(step_of(job))
    if job.epoch is not None:
        epoch, epochs = fixed(job.epoch, 2), getattr(job.parameters, "num_train_epochs", None)
        words = _("epoch {epoch}", epoch=epoch)
        parts.append(_("epoch {epoch} of {total}", epoch=epoch, total=number(epochs, 2)) if epochs else words)
    return parts


def _outlook(job: Job) -> list[str]:
    parts = [time_left(job.seconds_left)] if job.seconds_left is not None else []
    if job.status.is_final and job.ended_at is not None:
        parts.append(_("ended {day}, {time}", day=day_of_year(job.ended_at), time=clock(job.ended_at)))
    if job.checkpoints and job.status is not JobStatus.COMPLETED:
        parts.append(_("last checkpoint at step {step}", step=number(job.checkpoints[-1].step)))
    return parts


def _samples(job: Job) -> None:
    """What the model answered to the same prompts over time: one table a prompt."""
    for place, prompt in enumerate(dict.fromkeys(sample.prompt for sample in job.samples), start=1):
        with Card(_("Prompt {number} over time", number=place)) as card:
            job_result.sample_table([sample for sample in job.samples if sample.prompt == prompt])
        with card.head:
            Text(_("“{prompt}”", context="a quotation", prompt=prompt), classes="qu-xs qu-muted qu-break qu-prompt")
