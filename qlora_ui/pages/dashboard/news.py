"""What happened lately to runs and data, newest first. No widget in here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from qlora_ui.components.badge import Tone
from qlora_ui.contract.records import Dataset, JobKind, JobStatus, MergeReceipt
from qlora_ui.jobs.job import Job
from qlora_ui.locales import mark
from qlora_ui.pages.runs.overview import ended_at


@dataclass(frozen=True)
class News:
    """Something that happened."""

    time: datetime
    name: str
    """Of what it happened to."""
    words: str
    """A sentence of the catalogs in which `{name}` stands for the name."""
    icon: str
    tone: Tone
    target: str = ""
    """The page that shows it; empty when none does."""


def news_of(jobs: Iterable[Job], datasets: Iterable[Dataset]) -> list[News]:
    """Runs that were queued, began and ended, and data that was added, newest first."""
    news = [entry for job in jobs for entry in _of_job(job)]
    news += [News(data.added_at, data.name, mark("{name} was added"), "database", "idle") for data in datasets]
    return sorted(news, key=lambda entry: entry.time, reverse=True)


def _of_job(job: Job) -> list[News]:
    target = f"/activity/{job.id}"
    found = []
    if job.started_at is not None:
        found.append(News(job.started_at, job.name, mark("{name} started"), "play", "info", target))
    elif job.status is JobStatus.PENDING:
        found.append(News(job.created_at, job.name, mark("{name} was queued"), "hourglass", "idle", target))
    if (ended := ended_at(job)) is not None:
        words, icon, tone = _finish(job) if job.status is JobStatus.COMPLETED else _ENDINGS[job.status]
        found.append(News(ended, job.name, words, icon, tone, target))
    return found


def _finish(job: Job) -> tuple[str, str, Tone]:
    if job.kind is JobKind.TRAINING:
        return mark("{name} finished, its adapter is ready"), "check", "success"
    if job.kind is JobKind.MERGE and _agrees(job):
        return mark("{name} finished, and agrees with its adapter"), "shield-check", "success"
    return mark("{name} finished"), "check", "success"


def _agrees(job: Job) -> bool:
    try:
        return MergeReceipt.model_validate(job.summary).passed
    except ValueError:  # a run of another version, which says other things
        return False


_ENDINGS: dict[JobStatus, tuple[str, str, Tone]] = {
    JobStatus.STOPPED: (mark("{name} was stopped"), "square", "idle"),
    JobStatus.PAUSED: (mark("{name} was paused"), "pause", "warning"),
    JobStatus.FAILED: (mark("{name} failed"), "circle-alert", "error"),
    JobStatus.INTERRUPTED: (mark("{name} was interrupted"), "triangle-alert", "warning"),
}
