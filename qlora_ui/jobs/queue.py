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
    if before.status in {JobStatus.PENDING, JobStatus.RUNNING}:
        return f"It waits for {before.name} to finish."
    verb = {JobStatus.PAUSED: "is", JobStatus.FAILED: "has"}.get(before.status, "was")
    return f"It waits for {before.name}, which {verb} {before.status}. Resume that run, or stop this one."
