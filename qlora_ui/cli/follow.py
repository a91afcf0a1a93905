"""Runs a job from the command line: queues it, shows its progress, and tells how it ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from pydantic import ValidationError

from qlora_ui import console
from qlora_ui.cli.interrupts import heard
from qlora_ui.contract.errors import QloraUiError, WorkspaceError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus, MergeReceipt, Score
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.views import JobDetails, JobSummary


async def run_job(
    workspace: Workspace,
    kind: JobKind,
    parameters: JobParameters,
    *,
    as_json: bool,
    after: str | None = None,
    wait: bool = True,
) -> int:
    """Queue a job, behind the end of the job `after`; follow it to its end if `wait`. Gives the exit code."""
    async with following(workspace, launch=wait) as jobs:
        job = await jobs.submit(kind, parameters, after=after)
        return await queue_or_follow(jobs, job, wait=wait, as_json=as_json)


@contextlib.asynccontextmanager
async def following(workspace: Workspace, *, launch: bool = True) -> AsyncIterator[JobManager]:
    """A manager that knows the runs of the home folder and, with `launch`, is at work on them, which outlive it."""
    jobs = JobManager(workspace)
    await (jobs.start() if launch else jobs.refresh())
    try:
        yield jobs
    finally:
        await jobs.close()


async def queue_or_follow(jobs: JobManager, job: Job, *, wait: bool, as_json: bool) -> int:
    """See a job that was queued just now through, or only say where it stands. Gives the exit code."""
    if wait:
        return await see_through(jobs, job, as_json=as_json)
    console.say(JobSummary.of(job).model_dump_json(indent=1) if as_json else queued(job, held=jobs.queue_held))
    return 0


def queued(job: Job, *, held: bool) -> str:
    """Where a job stands that waits."""
    words = f"{job.name} is in the queue as {job.id}."
    if held:
        return f"{words} The queue is held: `qlora-ui jobs continue` lets it start."
    return f"{words} The app, or `qlora-ui jobs work`, starts it."


async def see_through(jobs: JobManager, job: Job, *, as_json: bool) -> int:
    """Show a job's progress until it ends, then its result. Gives the exit code."""
    status = await watch(jobs, job, quiet=as_json)
    await jobs.load_history(job)  # another program may have done the work while nobody here looked
    if as_json:
        console.say(JobDetails.of(job).model_dump_json(indent=1))
    elif status is JobStatus.COMPLETED:
        console.say(result_of(job))
    else:
        console.complain(f"{job.name} {status}: {job.error or job.message} {job.hint}".strip())
        by_a_person = status in {JobStatus.STOPPED, JobStatus.PAUSED}
        console.complain(
            f"To go on with it: qlora-ui jobs resume {job.id}"
            if by_a_person
            else f"Its log: qlora-ui jobs logs {job.id}"
        )
    return 0 if status is JobStatus.COMPLETED else 1


async def watch(jobs: JobManager, job: Job, *, quiet: bool) -> JobStatus:
    """Draw the progress of a job until it ends. Ctrl+C asks it to stop with a checkpoint."""
    with console.progress_line(quiet) as line, _stopping(jobs, job):

        def show() -> None:
            line.show(job.progress, f"{job.name}: {_state(job)}")

        job.changed.subscribe(show)
        try:
            show()
            return await jobs.ended(job)
        finally:
            job.changed.unsubscribe(show)


@contextlib.contextmanager
def _stopping(jobs: JobManager, job: Job) -> Iterator[None]:
    """The first Ctrl+C (or gentle kill) asks the job to stop, which saves a checkpoint; the second leaves."""
    loop, waiting = asyncio.get_running_loop(), asyncio.current_task()
    asked: list[asyncio.Task[None]] = []

    async def stop() -> None:
        try:
            await jobs.stop(job.id)
            console.complain(f"{job.name} was asked to stop. Ctrl+C once more leaves it to that.")
        except QloraUiError as error:
            console.complain(str(error))

    def hear() -> None:
        if asked and waiting is not None:
            console.complain(f"{job.name} goes on by itself: qlora-ui jobs show {job.id}")
            waiting.cancel()
        asked.append(loop.create_task(stop()))

    with heard(hear):
        yield


def _state(job: Job) -> str:
    if job.status is not JobStatus.RUNNING or not job.total_steps:
        return job.message
    parts = [job.message.rstrip("."), f"step {job.step} of {job.total_steps}"]
    if (measured := job.curves.last("loss")) is not None:
        step, loss = measured
        parts.append(f"loss {loss:.3f}" + (f" at step {step}" if step != job.step else ""))
    if job.seconds_left is not None:
        parts.append(f"{console.duration(job.seconds_left)} left")
    return " · ".join(parts)


def result_of(job: Job) -> str:
    """The result of a completed job, for a person. Raises WorkspaceError when its report is gone or damaged."""
    try:
        match job.kind:
            case JobKind.EVALUATION:
                return evaluation_table(EvaluationReport.model_validate_json(job.paths.evaluation.read_bytes()))
            case JobKind.MERGE:
                return receipt_line(MergeReceipt.model_validate_json(job.paths.receipt.read_bytes()))
            case _:
                return _training_lines(job)
    except (OSError, ValidationError) as error:
        raise WorkspaceError(f"{job.name} finished, but its report in {job.paths.report} cannot be read.") from error


def _training_lines(job: Job) -> str:
    summary = job.summary
    rows = [
        ("Training loss", _number(summary.get("train_loss"))),
        ("Evaluation loss", _number(summary.get("eval_loss"))),
    ]
    rows.append(("Steps", f"{summary.get('steps', job.step):,}"))
    if job.started_at is not None and job.ended_at is not None:
        rows.append(("Took", console.duration(max(0.0, (job.ended_at - job.started_at).total_seconds()))))
    if seconds := summary.get("seconds"):
        rows.append(("Training, without evaluations", console.duration(seconds)))
    if speed := summary.get("tokens_per_second"):
        rows.append(("Speed", f"{speed:,.0f} tokens/s"))
    return f"{console.table(rows)}\nThe adapter is in {job.paths.adapter}"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4f}"


_FIGURES = {
    "Exact match": "accuracy",
    "Token accuracy": "token_accuracy",
    "Loss": "loss",
    "Perplexity": "perplexity",
    "BLEU": "bleu_score",
}
"""What an evaluation's table shows → the field of EvaluationMetrics."""


def evaluation_table(report: EvaluationReport) -> str:
    """Base beside adapter, figure by figure, with standard errors, and what the difference says."""
    base, adapter = report.base, report.adapter
    rows = []
    for label, field in _FIGURES.items():
        before: Score | None = getattr(base, field)
        after: Score | None = getattr(adapter, field, None)
        if before is None:
            continue
        row = [label, _score(before, field)]
        if after is not None:
            row += [_score(after, field), _difference(before, after, report.differences.get(field), field)]
        rows.append(row)
    header = ["", "base", "adapter", "difference"] if adapter else ["", "base"]
    return console.table(rows, header=header) + f"\n{report.rows:,} rows; ± is one standard error."


def _score(score: Score, field: str) -> str:
    scale, unit = (100, " %") if field.endswith("accuracy") else (1, "")
    digits = 1 if scale == 100 or field == "bleu_score" else 3
    error = f" ± {score.standard_error * scale:.{digits}f}" if score.standard_error is not None else ""
    return f"{score.value * scale:.{digits}f}{unit}{error}"


def _difference(before: Score, after: Score, paired: Score | None, field: str) -> str:
    difference = paired or Score(value=after.value - before.value)
    text = _score(difference, field)
    return text.replace("-", "−") if text.startswith("-") else f"+{text}"


def receipt_line(receipt: MergeReceipt) -> str:
    """What a merge's proof says, in one line, and where the model is."""
    verdict = "verified" if receipt.passed else "NOT verified"
    return (
        f"Merged and {verdict}: KL {receipt.kl:.1e} nats (limit {receipt.kl_limit:.0e}), the same first token at "
        f"{receipt.top1_agreement:.2%} of {receipt.tokens:,} places (limit {receipt.top1_limit:.0%}).\n"
        f"The model is in {receipt.output_dir}"
    )
