"""What the dashboard says of all jobs together. No widget in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from qlora_ui.components.words import duration, fixed_per_cent, in_word, loss, per_cent, power_of_ten
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus, MergeReceipt
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.job.words import in_words

RESULT_CHARACTERS = 80
_AT_REST = {JobStatus.COMPLETED, JobStatus.STOPPED, JobStatus.PAUSED, JobStatus.FAILED, JobStatus.INTERRUPTED}


def greeting(at: datetime) -> str:
    """A word for the time of day of `at`, which is in the person's time zone."""
    if 5 <= at.hour < 12:
        return _("Good morning")
    return _("Good afternoon") if 12 <= at.hour < 18 else _("Good evening")


def state_sentence(jobs: Iterable[Job]) -> str:
    """How things stand, in one sentence: `One run is at work, two are waiting, one was interrupted and can go on.`"""
    statuses = [job.status for job in jobs]
    if not statuses:
        return _("Nothing has run yet.")
    order = (JobStatus.RUNNING, JobStatus.PENDING, JobStatus.PAUSED, JobStatus.INTERRUPTED)
    counts = [(status, statuses.count(status)) for status in order if status in statuses]
    if not counts:
        return _("Nothing is running.")
    first, *others = counts
    clauses = _listed([_first_clause(*first), *(_further_clause(*other) for other in others)])
    return _("{clauses}.", context="a sentence of clauses", clauses=clauses[:1].upper() + clauses[1:])


def _first_clause(status: JobStatus, count: int) -> str:
    word = in_word(count)
    match status:
        case JobStatus.RUNNING:
            return n_("{word} run is at work", "{word} runs are at work", count, word=word)
        case JobStatus.PENDING:
            return n_("{word} run is waiting", "{word} runs are waiting", count, word=word)
        case JobStatus.PAUSED:
            return n_("{word} run is paused", "{word} runs are paused", count, word=word)
        case _interrupted:
            return n_(
                "{word} run was interrupted and can go on",
                "{word} runs were interrupted and can go on",
                count,
                word=word,
            )


def _further_clause(status: JobStatus, count: int) -> str:
    """A clause behind another one, which has named the runs."""
    word = in_word(count)
    match status:
        case JobStatus.PENDING:
            return n_("{word} is waiting", "{word} are waiting", count, word=word)
        case JobStatus.PAUSED:
            return n_("{word} is paused", "{word} are paused", count, word=word)
        case _interrupted:
            return n_("{word} was interrupted and can go on", "{word} were interrupted and can go on", count, word=word)


def finished_since(jobs: Iterable[Job], since: datetime) -> tuple[str, str]:
    """How many runs finished since a moment, and a remark on those that did not."""
    statuses = [job.status for job in jobs if (ended := ended_at(job)) is not None and ended >= since]
    failed, interrupted = statuses.count(JobStatus.FAILED), statuses.count(JobStatus.INTERRUPTED)
    unlucky = [n_("{count} failed", "{count} failed", failed)] if failed else []
    unlucky += [n_("{count} interrupted", "{count} interrupted", interrupted)] if interrupted else []
    return number(statuses.count(JobStatus.COMPLETED)), _listed(unlucky) or _("none failed, none was interrupted")


def _listed(parts: list[str]) -> str:
    return _(", ", context="between the parts of a list").join(parts)


def result_of(job: Job) -> str:
    """What came out of a job, in a few words; for one that did not finish, why."""
    if job.status is not JobStatus.COMPLETED:
        step, total = number(job.step), number(job.total_steps)
        place = _("at step {step} of {total}", step=step, total=total) if job.step else ""
        reason = sentence(job.error) or place
        return reason if len(reason) <= RESULT_CHARACTERS else f"{reason[: RESULT_CHARACTERS - 1].rstrip()}…"
    try:
        return _RESULTS[job.kind](job.summary)
    except (KeyError, ValueError):  # a run of another version, which says other things
        return _("done")


def _of_training(summary: dict[str, Any]) -> str:
    if summary.get("eval_loss") is not None:
        return _("evaluation loss {loss}", loss=loss(summary["eval_loss"]))
    return _("loss {loss}", loss=loss(summary["train_loss"]))


def _of_evaluation(summary: dict[str, Any]) -> str:
    """The exact match of the adapter and its gain over the base, or the loss where no answers were compared."""
    report = EvaluationReport.model_validate(summary)
    model = report.adapter or report.base
    if model.accuracy is None:
        return _("loss {loss}", loss=loss(model.loss.value))
    share, gain = per_cent(100 * model.accuracy.value), report.differences.get("accuracy")
    if gain is None:
        return _("exact match {share}", share=share)
    return _("exact match {share}, {gain}", share=share, gain=in_words(gain, 0, as_share=True, signed=True))


def _of_merge(summary: dict[str, Any]) -> str:
    receipt = MergeReceipt.model_validate(summary)
    agreement = fixed_per_cent(100 * receipt.top1_agreement, 2)
    return _("agrees {share}, KL {divergence}", share=agreement, divergence=power_of_ten(receipt.kl))


_RESULTS: dict[JobKind, Callable[[dict[str, Any]], str]] = {
    JobKind.TRAINING: _of_training,
    JobKind.EVALUATION: _of_evaluation,
    JobKind.MERGE: _of_merge,
}


def took(job: Job) -> str:
    """The time from its first start to its end; of one that was started more than once, the pauses are named."""
    seconds = seconds_of(job)
    if seconds is None or job.record.attempt <= 1:
        return duration(seconds)
    return _("{duration}, pauses included", duration=duration(seconds))


def seconds_of(job: Job) -> float | None:
    """What lies between its first start and its end; None as long as it has not both."""
    ended = ended_at(job)
    if job.started_at is None or ended is None:
        return None
    return max(0.0, (ended - job.started_at).total_seconds())  # the clock may have been set back


def ended_at(job: Job) -> datetime | None:
    """When it came to rest; for a run that wrote no end, when it was last heard of."""
    return (job.ended_at or job.updated_at) if job.status in _AT_REST else None
