"""How far a job is: its share, its step, when it will be done."""

from __future__ import annotations

from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, row
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.running_card import step_of
from qlora_ui.components.text import Text
from qlora_ui.components.words import clock, duration, percent, time_left
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import day_of_year, fixed, number
from qlora_ui.pages.runs.job.words import queue_words
from qlora_ui.pages.runs.overview import took

_TOLD_ELSEWHERE = {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.INTERRUPTED}
"""What is said of these stands in a notice, or in the badge and the result."""


class ProgressCard(Card):
    def __init__(self, job: Job) -> None:
        super().__init__(tight=True)
        with self:
            with row(between=True, wrap=True).classes("qu-sm qu-num"):
                with Text(tag="span"):
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

            listen(job.changed, throttled(done, follow, seconds=0.5))
        follow()


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
        if job.started_at is not None:
            parts.append(_("took {duration}", duration=took(job)))
    if isinstance(seconds := job.summary.get("seconds"), int | float):
        parts.append(_("{duration} of training, without evaluations", duration=duration(seconds)))
    if job.checkpoints and job.status is not JobStatus.COMPLETED:
        parts.append(_("last checkpoint at step {step}", step=number(job.checkpoints[-1].step)))
    return parts
