"""Who is next, and what stands in the way: computed from what is known of the jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from qlora_ui.contract.records import JobRecord, JobStatus
from qlora_ui.jobs.job import Job

HELD = "The queue is held: nothing new is started until it is continued."

GAP_SECONDS = 1.0
"""Between the places of two jobs where one was put behind the other."""
LEAST_GAP_SECONDS = 1e-4
"""Between two jobs that are closer than this, nobody is put: those behind make room first."""


def waiting(jobs: Iterable[Job]) -> list[Job]:
    """The jobs in the queue, in the order in which they are to start."""
    return [job for job in placed(jobs) if job.status is JobStatus.PENDING]


def placed(jobs: Iterable[Job]) -> list[Job]:
    """The jobs that have a place: those in the queue, and those at work or paused, which keep theirs."""
    return sorted((job for job in jobs if not job.status.is_final), key=lambda job: sorting(job.record))


def sorting(record: JobRecord) -> tuple[float, str]:
    """What the queue is sorted by: the place, and the id where two have the same."""
    return place_of(record), record.id


def place_of(record: JobRecord) -> float:
    """Where a job stands in the queue, in seconds since 1970: smaller is earlier."""
    return record.queued_at.timestamp() if record.place is None else record.place


def at_the_end(record: JobRecord, moment: datetime, jobs: Iterable[Job]) -> JobRecord:
    """The record of a job that enters the queue now, behind all others, whatever the clock did since they entered."""
    last = max((place_of(job.record) for job in placed(jobs)), default=float("-inf"))
    place = None if moment.timestamp() > last else last + GAP_SECONDS
    return record.model_copy(update={"state": "queued", "queued_at": moment, "place": place})


def moved(order: list[JobRecord], job_id: str, place: int, waiting_ids: Iterable[str]) -> list[JobRecord]:
    """The records that change when a job is put at a place (1 is next) among those that wait, in the order of writing.

    `order` are the records of all jobs that have a place, the first one first. Written one after the other, they never
    stand in a wrong order, wherever a crash cuts that off.
    """
    [job] = [record for record in order if record.id == job_id]
    others = [record for record in order if record.id != job_id]
    ids = set(waiting_ids)
    waiting = [record for record in others if record.id in ids]
    index = others.index(waiting[place - 1]) if place <= len(waiting) else len(others)
    before, behind = others[:index], others[index:]
    if not behind:
        new = place_of(before[-1]) + GAP_SECONDS if before else place_of(job)
        return [_at(job, new)]
    if not before:
        return [_at(job, place_of(behind[0]) - GAP_SECONDS)]
    if place_of(behind[0]) - place_of(before[-1]) > LEAST_GAP_SECONDS:
        return [_at(job, (place_of(before[-1]) + place_of(behind[0])) / 2)]
    room = [_at(record, place_of(record) + 2 * GAP_SECONDS) for record in reversed(behind)]
    return [*room, _at(job, place_of(before[-1]) + GAP_SECONDS)]


def _at(record: JobRecord, place: float) -> JobRecord:
    return record.model_copy(update={"place": place})


def number(jobs: Mapping[str, Job], *, held: bool) -> None:
    """Tell each job its place among all that wait, as `moved` counts it, what it waits for, and which one is next."""
    obstacles = {job.id: obstacle(job, jobs) for job in waiting(jobs.values())}
    following = next((job_id for job_id, words in obstacles.items() if not words), None)
    for place, (job_id, words) in enumerate(obstacles.items(), start=1):
        job = jobs[job_id]
        job.queue_position, job.is_next = place, job_id == following
        job.message = words or (HELD if held else job.status.explanation)
        job.tell()
    for job in jobs.values():
        if job.id not in obstacles:
            job.queue_position, job.is_next = None, False


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
            return f"It waits for {before.name}, which has failed. Try that run again, or stop this one."
        case JobStatus.STOPPED:
            return f"It waits for {before.name}, which was stopped. Resume that run, or stop this one."
        case JobStatus.INTERRUPTED:
            return f"It waits for {before.name}, which was interrupted. Resume that run, or stop this one."
        case _:
            return f"It waits for {before.name} to finish."
