"""What the dashboard says of all jobs together. No widget in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qlora_ui.components.badge import Tone
from qlora_ui.components.words import duration, in_word, loss, power_of_ten
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus, MergeReceipt
from qlora_ui.jobs.job import Job
from qlora_ui.pages.job_words import in_words

ATTENTION_SHOWN = 5
RESULT_CHARACTERS = 80


@dataclass(frozen=True)
class News:
    """Something that happened to a job."""

    time: datetime
    job: Job
    words: str
    """What happened, as the end of a sentence that begins with the job's name."""
    icon: str
    tone: Tone


def greeting(at: datetime) -> str:
    """A word for the time of day of `at`, which is in the person's time zone."""
    if 5 <= at.hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= at.hour < 18 else "Good evening"


def state_sentence(jobs: Iterable[Job]) -> str:
    """How things stand, in one sentence: `One run is at work, two are waiting, one was interrupted.`"""
    statuses = [job.status for job in jobs]
    if not statuses:
        return "Nothing has run yet."
    clauses = [
        (JobStatus.RUNNING, "is at work", "are at work"),
        (JobStatus.PENDING, "is waiting", "are waiting"),
        (JobStatus.PAUSED, "is paused", "are paused"),
        (JobStatus.INTERRUPTED, "was interrupted and can go on", "were interrupted and can go on"),
    ]
    counts = [(statuses.count(status), one, many) for status, one, many in clauses]
    parts = [f"{in_word(count)} {one if count == 1 else many}" for count, one, many in counts if count]
    if not parts:
        return "Nothing is running."
    first, _, rest = parts[0].partition(" ")
    noun = "run" if first == "one" else "runs"
    return f"{', '.join([f'{first.capitalize()} {noun} {rest}', *parts[1:]])}."


def finished_since(jobs: Iterable[Job], since: datetime) -> tuple[str, str]:
    """How many runs finished since a moment, and a remark on those that did not."""
    statuses = [job.status for job in jobs if (ended := _ended_at(job)) is not None and ended >= since]
    failed, interrupted = statuses.count(JobStatus.FAILED), statuses.count(JobStatus.INTERRUPTED)
    unlucky = [f"{count} {word}" for count, word in ((failed, "failed"), (interrupted, "interrupted")) if count]
    return f"{statuses.count(JobStatus.COMPLETED):,}", ", ".join(unlucky) or "none failed, none was interrupted"


def needing_attention(jobs: Iterable[Job]) -> list[Job]:
    """Jobs that a person may want to look after, newest first."""
    waiting_for_a_person = {JobStatus.FAILED, JobStatus.INTERRUPTED, JobStatus.PAUSED}
    found = [job for job in jobs if job.status in waiting_for_a_person]
    return sorted(found, key=lambda job: job.updated_at, reverse=True)[:ATTENTION_SHOWN]


def news_of(jobs: Iterable[Job]) -> list[News]:
    """What happened to the jobs, newest first."""
    news: list[News] = []
    for job in jobs:
        if job.started_at is not None:
            news.append(News(job.started_at, job, "started", "play", "info"))
        elif job.status is JobStatus.PENDING:
            news.append(News(job.created_at, job, "was queued", "hourglass", "idle"))
        if (ended := _ended_at(job)) is not None:
            news.append(News(ended, job, *_ENDINGS[job.status]))
    return sorted(news, key=lambda entry: entry.time, reverse=True)


_ENDINGS: dict[JobStatus, tuple[str, str, Tone]] = {
    JobStatus.COMPLETED: ("finished", "check", "success"),
    JobStatus.STOPPED: ("was stopped", "square", "idle"),
    JobStatus.PAUSED: ("was paused", "pause", "warning"),
    JobStatus.FAILED: ("failed", "circle-alert", "error"),
    JobStatus.INTERRUPTED: ("was interrupted", "triangle-alert", "warning"),
}


def result_of(job: Job) -> str:
    """What came out of a job, in a few words; for one that did not finish, why."""
    if job.status is not JobStatus.COMPLETED:
        reason = job.error or (f"at step {job.step:,} of {job.total_steps:,}" if job.step else "")
        return reason if len(reason) <= RESULT_CHARACTERS else f"{reason[: RESULT_CHARACTERS - 1].rstrip()}…"
    try:
        return _RESULTS[job.kind](job.summary) or "done"
    except (KeyError, ValueError):  # a run of another version, which says other things
        return "done"


def _of_training(summary: dict[str, Any]) -> str:
    if summary.get("eval_loss") is not None:
        return f"evaluation loss {loss(summary['eval_loss'])}"
    return f"loss {loss(summary['train_loss'])}"


def _of_evaluation(summary: dict[str, Any]) -> str:
    """The exact match of the adapter and its gain over the base, or the loss where no answers were compared."""
    report = EvaluationReport.model_validate(summary)
    model = report.adapter or report.base
    if model.accuracy is None:
        return f"loss {loss(model.loss.value)}"
    words = f"exact match {100 * model.accuracy.value:.0f} %"
    gain = report.differences.get("accuracy")
    return words if gain is None else f"{words}, {in_words(gain, 0, as_share=True, signed=True)}"


def _of_merge(summary: dict[str, Any]) -> str:
    receipt = MergeReceipt.model_validate(summary)
    return f"agrees {100 * receipt.top1_agreement:.2f} %, KL {power_of_ten(receipt.kl)}"


_RESULTS: dict[JobKind, Callable[[dict[str, Any]], str]] = {
    JobKind.TRAINING: _of_training,
    JobKind.EVALUATION: _of_evaluation,
    JobKind.MERGE: _of_merge,
}


def took(job: Job) -> str:
    """How long the job was at work, from its own measurement where it made one; else what lies between is named."""
    if isinstance(seconds := job.summary.get("seconds"), int | float):
        return duration(seconds)
    ended = _ended_at(job)
    if job.started_at is None or ended is None:
        return "–"
    words = duration((ended - job.started_at).total_seconds())
    return words if job.record.attempt <= 1 else f"{words}, pauses included"


def _ended_at(job: Job) -> datetime | None:
    """When it came to rest; for a run that wrote no end, when it was last heard of."""
    return (job.ended_at or job.updated_at) if job.status in _ENDINGS else None
