"""What a screen reader says of runs while they go on: that they start, each quarter, how they end. Nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.live import Live
from qlora_ui.components.text import LiveRegion
from qlora_ui.components.words import per_cent
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, sentence

ALERTS_READ_OUT = 3
"""The newest of many that came at once: nobody can listen to hundreds."""


@dataclass(frozen=True)
class Standing:
    """How far a job is, as coarsely as it is told."""

    status: JobStatus
    quarter: int = 0
    """0 to 4 quarters are done."""
    alerts: int = 0

    @classmethod
    def of(cls, job: Job) -> Standing:
        return cls(job.status, int(job.progress * 4), job.history.alerts_told)


@dataclass(frozen=True)
class News:
    """A sentence to be said; one that is urgent may interrupt what is being read."""

    sentence: str
    is_urgent: bool = False


def news(before: Standing, job: Job) -> list[News]:
    """What is to be said of a job that stood like this before; nothing when nothing is new."""
    after = Standing.of(job)
    found = []
    if before.status is JobStatus.RUNNING:  # the alerts of a run of the past may only just have been read
        new = max(0, min(after.alerts - before.alerts, ALERTS_READ_OUT))
        found += [News(sentence(alert.message), is_urgent=True) for alert in job.alerts[len(job.alerts) - new :]]
    if after.status is not before.status:
        found.append(_change(job))
    elif after.status is JobStatus.RUNNING and after.quarter > before.quarter:
        found.append(News(_("{name}: {share} done.", name=job.name, share=per_cent(25 * after.quarter))))
    return found


def _change(job: Job) -> News:
    match job.status:
        case JobStatus.PENDING:
            return News(_("{name} waits for its turn.", name=job.name))
        case JobStatus.RUNNING:
            return News(_("{name} has started.", name=job.name))
        case JobStatus.PAUSED:
            return News(_("{name} is paused.", name=job.name))
        case JobStatus.STOPPED:
            return News(_("{name} was stopped.", name=job.name))
        case JobStatus.COMPLETED:
            return News(_("{name} has finished.", name=job.name))
        case JobStatus.FAILED:
            return News(_("{name} failed: {error}", name=job.name, error=sentence(job.error)), is_urgent=True)
        case JobStatus.INTERRUPTED:
            return News(_("{name} was interrupted.", name=job.name), is_urgent=True)


class JobNews(ui.element, default_classes="qu-hidden"):
    """Says the news of one job, or of all, to screen readers; it is not to be seen.

    What happened before the page was opened is not told again.
    """

    def __init__(self, jobs: JobManager, only: Job | None = None) -> None:
        super().__init__("div")
        self._jobs, self._only = jobs, only
        self._told = {job.id: Standing.of(job) for job in self._followed()}
        with self:
            self._polite = LiveRegion()
            self._urgent = LiveRegion(is_urgent=True)
            listen(jobs.jobs_changed, lambda: self._tell(self._followed()))
            Live(jobs.jobs_changed, self._at_work, self._follow_progress)

    def _followed(self) -> list[Job]:
        return list(self._jobs.jobs.values()) if self._only is None else [self._only]

    def _at_work(self) -> list[str]:
        return [job.id for job in self._followed() if job.status is JobStatus.RUNNING]

    def _follow_progress(self) -> None:
        for job in self._followed():
            if job.status is JobStatus.RUNNING:
                listen(job.changed, partial(self._tell, [job]))

    def _tell(self, jobs: list[Job]) -> None:
        found = [one for job in jobs for one in news(self._told.get(job.id) or _first_seen(job), job)]
        self._told |= {job.id: Standing.of(job) for job in jobs}
        for region, is_urgent in ((self._polite, False), (self._urgent, True)):
            if sentences := [one.sentence for one in found if one.is_urgent is is_urgent]:
                region.say(" ".join(sentences))


def _first_seen(job: Job) -> Standing:
    """A job that appears at work has just begun; one that appears in any other way is no news."""
    return Standing(JobStatus.PENDING) if job.status is JobStatus.RUNNING else Standing.of(job)
