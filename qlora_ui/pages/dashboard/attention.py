"""What waits for a person to do something about it. No widget in here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from qlora_ui.components.badge import Tone
from qlora_ui.components.words import size
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark, n_, sentence

LOW_DISK_BYTES = 2_000_000_000
"""A training of an 8-billion model with the settings that are filled in keeps checkpoints of about half of this."""
CONCERNS_SHOWN = 5
DISMISSALS_KEPT = 200


@dataclass(frozen=True)
class Concern:
    """One entry. What it shows is in the language of the page, but for `words`, which is a text of the catalogs."""

    key: str
    """What is remembered when a person dismisses it: a run that fails again is another concern."""
    tone: Tone
    words: str
    """A sentence in which `{name}`, if it is there, stands for the run's name."""
    detail: str
    hint: str = ""
    job_id: str = ""
    name: str = ""
    action: Literal["resume", "retry", "stop", "clean up", ""] = ""
    can_dismiss: bool = False


def concerns(jobs: Mapping[str, Job], free_bytes: int | None, dismissed: Collection[str] = ()) -> list[Concern]:
    """What needs attention: the disk first, then runs, the one that changed last first.

    `free_bytes` of the disk with the home folder are None until they are known.
    """
    found = [] if free_bytes is None or free_bytes >= LOW_DISK_BYTES else [_low_disk(free_bytes)]
    newest_first = sorted(jobs.values(), key=lambda job: job.updated_at, reverse=True)
    found += [concern for job in newest_first if (concern := _of_job(job, jobs)) is not None]
    return [concern for concern in found if concern.key not in dismissed][:CONCERNS_SHOWN]


def with_dismissed(dismissed: Iterable[str], key: str) -> list[str]:
    """What is remembered after one more dismissal, the oldest forgotten."""
    return [*(known for known in dismissed if known != key), key][-DISMISSALS_KEPT:]


def _low_disk(free_bytes: int) -> Concern:
    return Concern(
        "disk",
        "warning",
        mark("The disk is almost full"),
        _(
            "Only {size} are left where the runs are kept. A training saves there, and fails when it is full.",
            size=size(free_bytes),
        ),
        action="clean up",
    )


def _of_job(job: Job, jobs: Mapping[str, Job]) -> Concern | None:
    key = f"{job.id}:{job.record.attempt}:{job.status}"
    detail, hint = f"{sentence(job.error or job.message)} {_held_up(job, jobs)}".strip(), sentence(job.hint)
    match job.status:
        case JobStatus.FAILED:
            words = mark("{name} failed")
            return Concern(key, "error", words, detail, hint, job.id, job.name, "retry", can_dismiss=True)
        case JobStatus.INTERRUPTED:
            words = mark("{name} was interrupted")
            return Concern(key, "warning", words, detail, hint, job.id, job.name, "resume", can_dismiss=True)
        case JobStatus.PENDING if _waits_in_vain(job, jobs):
            return Concern(key, "warning", mark("{name} cannot start"), detail, hint, job.id, job.name, "stop")
        case _other:
            return None


def _held_up(job: Job, jobs: Mapping[str, Job]) -> str:
    """How many runs wait for one that ended without its result, in a sentence; empty when none does."""
    waiting = sum(other.status is JobStatus.PENDING and other.record.after == job.id for other in jobs.values())
    return n_("{count} run waits for it.", "{count} runs wait for it.", waiting) if waiting else ""


def _waits_in_vain(job: Job, jobs: Mapping[str, Job]) -> bool:
    """Whether it waits for a run that was deleted or stopped, which by itself needs no attention.

    What waits for a run that failed or was interrupted is told with that run; who paused one knows why it waits.
    """
    if job.record.after is None:
        return False
    before = jobs.get(job.record.after)
    return before is None or before.status is JobStatus.STOPPED
