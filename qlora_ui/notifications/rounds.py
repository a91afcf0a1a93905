"""When everything that was queued is done: for people who left several runs alone overnight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job

RUNS = 2
"""So many have to end between two quiet times; of a single one its own end tells everything."""


class Round:
    """The runs that ended since nothing was left to do."""

    def __init__(self) -> None:
        self._ended: dict[str, JobStatus] = {}

    def follow(self, ended: Iterable[Job], jobs: Mapping[str, Job]) -> list[JobStatus]:
        """Take note of runs that ended by themselves; how they all ended once nothing is left to do, else nothing."""
        self._ended |= {job.id: job.status for job in ended}
        if any(is_still_to_do(job, jobs) for job in jobs.values()):
            return []
        over, self._ended = list(self._ended.values()), {}
        return over if len(over) >= RUNS else []


def is_still_to_do(job: Job, jobs: Mapping[str, Job]) -> bool:
    """It is at work, or starts without anybody's doing once it is its turn."""
    if job.status is JobStatus.PENDING and job.record.after is not None:
        before = jobs.get(job.record.after)
        return before is not None and (before.status is JobStatus.COMPLETED or is_still_to_do(before, jobs))
    return job.status in {JobStatus.PENDING, JobStatus.RUNNING}
