"""/activity/<id>: one job, live: how far it is, its curves, its log, its result, and what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.button import link_button
from qlora_ui.components.charts.curve_card import CurveCard, LossCard
from qlora_ui.components.charts.measures import measured
from qlora_ui.components.charts.measures_card import MeasuresCard
from qlora_ui.components.empty_state import EmptyState
from qlora_ui.components.events import listen
from qlora_ui.components.job_news import JobNews
from qlora_ui.components.layout import Card, Skeleton, column, columns
from qlora_ui.components.live import Live
from qlora_ui.components.logs.log_card import LogCard
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.text import Text
from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence
from qlora_ui.pages.runs.job import checkpoints, kin, next_steps, result, trackers, trouble
from qlora_ui.pages.runs.job.files import FilesCard
from qlora_ui.pages.runs.job.header import JobHeader
from qlora_ui.pages.runs.job.parameters import ParametersCard
from qlora_ui.pages.runs.job.phases import PhasesCard
from qlora_ui.pages.runs.job.progress import ProgressCard
from qlora_ui.pages.runs.job.samples import SamplesCard
from qlora_ui.pages.runs.job.side import DeviceCard, NowCard, has_device, shown_now

if TYPE_CHECKING:
    from qlora_ui.services import Services

SOON_S = 0.05
"""What is read within this time is there with the page; for the rest of a long run the page waits no longer."""


async def build(services: Services, job_id: str) -> None:
    """The page of one job; for an id that is not known, a way back."""
    try:
        job = services.jobs.get(job_id)
    except JobError as error:
        PageHeader(_("No such run"), crumbs=[(_("Activity"), "/activity")])
        with Card(), EmptyState(sentence(error.message), _("It may have been deleted."), icon="search"):
            link_button(_("All activity"), "/activity")
        return
    JobHeader(services, job)
    reading = asyncio.ensure_future(_read(services, job))
    await asyncio.wait([reading], timeout=SOON_S)
    JobNews(services.jobs, job)
    trouble_room = ui.element("div").classes("qu-contents")
    trouble.build(job)
    with ProgressCard(job):
        kin.origin(services, job)
    kept = checkpoints.Kept(services, job)
    with columns():
        left, right = column(gap=5), column(gap=5)
    with left:
        while_reading = None if reading.done() else _say_that_it_reads()
    parts = _parts(services, job, kept, left, right)
    parts.append((_room_of_log(job, left), partial(_when, job, lambda: _has_begun(job), lambda: LogCard(job))))
    for room, part in parts:
        await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
        with room:
            part()
    if (failure := await reading) is not None:
        with trouble_room:
            Notice(sentence(failure.message), "error", hint=sentence(failure.hint))
    if while_reading is not None:
        while_reading.delete()


def _parts(
    services: Services, job: Job, kept: checkpoints.Kept, left: ui.element, right: ui.element
) -> list[tuple[ui.element, Callable[[], object]]]:
    """What stands where, in the order in which it is built. What has nothing to show yet comes when it has."""
    parts: list[tuple[ui.element, Callable[[], object]]] = [(left, partial(result.build, job))]
    device = partial(_when, job, lambda: has_device(job), lambda: DeviceCard(services, job))
    if job.kind is JobKind.TRAINING:
        parts += [
            (left, partial(next_steps.build, services, job, when="completed")),
            (left, partial(_when, job, lambda: _has_curves(job), lambda: _follow_marks(LossCard(job), kept))),
            (right, partial(_when, job, lambda: bool(shown_now(job)), lambda: NowCard(job))),
            (right, device),
            (left, partial(_when, job, lambda: bool(job.samples), lambda: SamplesCard(job))),
            (
                left,
                partial(_when, job, lambda: bool(measured(job.curves)), lambda: _follow_marks(MeasuresCard(job), kept)),
            ),
            (right, partial(checkpoints.build, services, job, kept)),
            (right, partial(trackers.build, job)),
            (left, partial(next_steps.build, services, job, when="open")),
        ]
    else:
        parts.append((right, device))
    return [
        *parts,
        (right, partial(_when, job, lambda: bool(job.phases), lambda: PhasesCard(job))),
        (left, partial(kin.build, services, job)),
        (right, partial(ParametersCard, job)),
        (right, partial(FilesCard, job)),
    ]


def _when(job: Job, is_there: Callable[[], bool], build: Callable[[], object]) -> None:
    """A part that comes as soon as there is something for it to show."""

    def show() -> None:
        if is_there():
            build()

    Live(job.changed, is_there, show, classes="qu-contents")


def _has_begun(job: Job) -> bool:
    return job.record.attempt > 0


def _has_curves(job: Job) -> bool:
    """Whether there are losses to draw, or will be soon."""
    return any(map(job.curves.count, ("loss", "eval_loss"))) or job.status is JobStatus.RUNNING


def _room_of_log(job: Job, left: ui.element) -> ui.element:
    """Below both columns its lines have room; on the left where that would be empty without it."""
    if job.kind is JobKind.TRAINING and (_has_curves(job) or not job.history_loaded or not job.status.is_final):
        return ui.element("div").classes("qu-contents")
    return left


def _follow_marks(card: CurveCard, kept: checkpoints.Kept) -> None:
    card.show_marks(kept.marks)
    with card:
        listen(kept.changed, lambda: card.show_marks(kept.marks))


async def _read(services: Services, job: Job) -> WorkspaceError | None:
    """Read what the run did. Where that fails, the page shows what is known without it."""
    try:
        if not job.history_loaded:
            await services.jobs.load_history(job)
    except WorkspaceError as error:
        return error
    return None


def _say_that_it_reads() -> ui.element:
    """In place of the curves of a long run, which are there in a moment, and come by themselves."""
    with Card() as card:
        Text(_("Reading what the run has done …"), classes="qu-muted").props("role=status")
        Skeleton(height="320px")
    return card
