"""Choosing among the jobs, for programs: the HTTP interface and the command line."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job


def find(
    jobs: Iterable[Job],
    *,
    kinds: Collection[JobKind] = (),
    statuses: Collection[JobStatus] = (),
    text: str = "",
) -> list[Job]:
    """The jobs of these kinds and in these states, all where none is given, in which every word of the text occurs.

    Looked for, in capitals or not, are the words in the name, the id and the model.
    """
    words = text.casefold().split()
    return [
        job
        for job in jobs
        if (not kinds or job.kind in kinds)
        and (not statuses or job.status in statuses)
        and (not words or _has_all(job, words))
    ]


def _has_all(job: Job, words: list[str]) -> bool:
    searched = f"{job.name} {job.id} {job.parameters.model_name}".casefold()
    return all(word in searched for word in words)
