"""Who is next, and what stands in the way: computed from what is known of the jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job


def waiting(jobs: Iterable[Job]) -> list[Job]:
    """The jobs in the queue, in the order in which they entered it."""
    return sorted(
        (job for job in jobs if job.status is JobStatus.PENDING), key=lambda job: (job.record.queued_at, job.id)
    )


def number(jobs: Mapping[str, Job]) -> None:
    """Tell each job its place among those that may start, and those that wait what they wait for."""
    place = 0
    obstacles = {job.id: obstacle(job, jobs) for job in waiting(jobs.values())}
    for job_id, words in obstacles.items():
        job = jobs[job_id]
        place += not words
        job.queue_position = None if words else place
        job.message = words or job.status.explanation
        job.tell()
    for job in jobs.values():
        if job.id not in obstacles:
            job.queue_position = None


def obstacle(job: Job, jobs: Mapping[str, Job]) -> str:
    """Why this job may not start even on a free device, in words; empty when it may."""
    if job.record.after is None:
        return ""
    before = jobs.get(job.record.after)
    if before is None:
        return "The run it waits for was deleted. Stop it, then resume it to start it all the same."
    if before.status is JobStatus.COMPLETED:
        return ""
    match before.status:
        case JobStatus.PAUSED:
            return f"It waits for {before.name}, which is paused. Resume that run, or stop this one."
        case JobStatus.FAILED:
            return f"It waits for {before.name}, which has failed. Resume that run, or stop this one."
        case JobStatus.STOPPED:
            return f"It waits for {before.name}, which was stopped. Resume that run, or stop this one."
        case JobStatus.INTERRUPTED:
            return f"It waits for {before.name}, which was interrupted. Resume that run, or stop this one."
        case _:
            return f"It waits for {before.name} to finish."
