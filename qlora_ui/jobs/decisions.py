"""What a person's wish comes to for a job as it stands: pure functions, which refuse what makes no sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from qlora_ui.contract.checkpoints import name_of
from qlora_ui.contract.errors import JobError, ParameterError
from qlora_ui.contract.records import Command, JobRecord, JobStatus, now
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job

_CAN_RETRY = {JobStatus.FAILED, JobStatus.STOPPED, JobStatus.INTERRUPTED}


def asked_to(job: Job, action: Literal["stop", "pause"]) -> JobRecord | Command:
    """A word to the worker, or a record that takes the job out of the queue. Raises JobError."""
    if not (job.can_pause if action == "pause" else job.can_stop):
        raise _refusal(job, action)
    if job.status is JobStatus.RUNNING:
        return Command(action=action, attempt=job.record.attempt)
    return job.record.model_copy(update={"state": "held" if action == "pause" else "cancelled"})


def resumed(job: Job, jobs: Mapping[str, Job]) -> JobRecord:
    """A record that enters the queue, at the old place if the job was paused. It waits for no deleted run any more.

    Raises JobError.
    """
    if not job.can_resume:
        if job.status is JobStatus.COMPLETED:
            raise JobError(f"{job.name} has finished: there is nothing to resume.")
        raise JobError(f"{job.name} is at work or waits for its turn: there is nothing to resume.")
    after = job.record.after if job.record.after in jobs else None
    record = job.record.model_copy(update={"state": "queued", "after": after})
    return record if job.status is JobStatus.PAUSED else queue.at_the_end(record, now(), jobs.values())


def retried(job: Job, jobs: Mapping[str, Job]) -> JobRecord:
    """The same for a job that ended without its result. Raises JobError."""
    if job.status is JobStatus.PAUSED:
        raise JobError(f"{job.name} is paused.", "Resume it.")
    if job.status not in _CAN_RETRY:
        if job.status is JobStatus.COMPLETED:
            raise JobError(f"{job.name} has finished: there is nothing to try again.")
        raise JobError(f"{job.name} is at work or waits for its turn: there is nothing to try again.")
    return resumed(job, jobs)


def deleted(job: Job, jobs: Iterable[Job]) -> None:
    """None, which stands for no record. Raises JobError when the run is at work or another one needs it."""
    if job.status is JobStatus.RUNNING:
        raise JobError(f"{job.name} is at work.", "Stop it first.")
    open_jobs = [other for other in jobs if not other.status.is_final and other is not job]
    if waiting := [other.name for other in open_jobs if other.record.after == job.id]:
        raise JobError(f"{', '.join(waiting)} waits for {job.name}.", "Stop that one first.")
    if names := _needing(job.paths.folder, open_jobs):
        raise JobError(f"{names} needs something of {job.name}.", "Stop that one first.")


def check_can_move(job: Job, place: int) -> None:
    """Raises JobError for a job that does not wait, ParameterError for a place that is none."""
    if job.status is not JobStatus.PENDING:
        raise JobError(f"{job.name} does not wait in the queue: there is no place to move it to.")
    if place < 1:
        problem = "There is no such place in the queue: 1 is the first one."
        raise ParameterError(problem, fields={"place": problem})


def check_checkpoint_may_go(job: Job, step: int, jobs: Iterable[Job]) -> None:
    """Raises JobError while the run is at work, or another one needs the checkpoint."""
    if job.status is JobStatus.RUNNING:
        raise JobError(f"{job.name} is at work, and looks after its checkpoints itself.", "Pause or stop it first.")
    if names := _needing(job.paths.checkpoints / name_of(step), jobs):
        raise JobError(f"{names} needs the checkpoint at step {step:,}.", "Stop that one first.")


def _needing(folder: Path, jobs: Iterable[Job]) -> str:
    """The names of the jobs that have not ended and use something in the folder; empty when nobody does."""
    return ", ".join(job.name for job in jobs if not job.status.is_final and _uses(job, folder))


def _uses(job: Job, folder: Path) -> bool:
    named = (getattr(job.parameters, field, "") for field in ("adapter_path", "model_name"))
    return any(path and (Path(path) == folder or folder in Path(path).parents) for path in named)


def _refusal(job: Job, action: Literal["stop", "pause"]) -> JobError:
    if job.status.is_final:
        if action == "stop":
            return JobError(f"{job.name} has ended already: there is nothing to stop.")
        return JobError(f"{job.name} has ended already: there is nothing to pause.")
    if job.status is JobStatus.PAUSED:
        return JobError(f"{job.name} is paused already.")
    return JobError(f"{job.name} was asked already, and obeys at the next step that can be saved.")
