"""What a person's wish comes to for a job as it stands: pure functions, which refuse what makes no sense."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Literal

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.records import Command, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job


def asked_to(job: Job, action: Literal["stop", "pause"]) -> JobRecord | Command:
    """A word to the worker, or a record that takes the job out of the queue. Raises JobError."""
    if not (job.can_pause if action == "pause" else job.can_stop):
        raise _refusal(job, action)
    if job.status is JobStatus.RUNNING:
        return Command(action=action, attempt=job.record.attempt)
    return job.record.model_copy(update={"state": "held" if action == "pause" else "cancelled"})


def queued_again(job: Job, known: Container[str]) -> JobRecord:
    """A record that enters the queue, at the old place if the job was paused. It waits for no deleted run any more.

    Raises JobError.
    """
    if not job.can_resume:
        if job.status is JobStatus.COMPLETED:
            raise JobError(f"{job.name} has finished: there is nothing to resume.")
        raise JobError(f"{job.name} is at work or waits for its turn: there is nothing to resume.")
    record = job.record
    queued_at = record.queued_at if job.status is JobStatus.PAUSED else now()
    after = record.after if record.after in known else None
    return record.model_copy(update={"state": "queued", "queued_at": queued_at, "after": after})


def deleted(job: Job, queue: Iterable[Job]) -> None:
    """None, which stands for no record. Raises JobError when the run is at work or another one waits for it."""
    if job.status is JobStatus.RUNNING:
        raise JobError(f"{job.name} is at work.", "Stop it first.")
    if waiting := [other.name for other in queue if other.record.after == job.id]:
        raise JobError(f"{', '.join(waiting)} waits for {job.name}.", "Stop that one first.")


def _refusal(job: Job, action: Literal["stop", "pause"]) -> JobError:
    if job.status.is_final:
        if action == "stop":
            return JobError(f"{job.name} has ended already: there is nothing to stop.")
        return JobError(f"{job.name} has ended already: there is nothing to pause.")
    if job.status is JobStatus.PAUSED:
        return JobError(f"{job.name} is paused already.")
    return JobError(f"{job.name} was asked already, and obeys at the next step that can be saved.")
