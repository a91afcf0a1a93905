"""What is said of one job: reasons, announcements, verdicts. No widget in here."""

from __future__ import annotations

from dataclasses import dataclass

from qlora_ui.components.badge import status_words
from qlora_ui.components.chart import Points, end_of
from qlora_ui.components.words import percent
from qlora_ui.contract.records import EvaluationReport, JobStatus, MergeReceipt, Score
from qlora_ui.jobs.job import Job

SURE = 1.96
"""A difference counts from this many standard errors on, which is the 95 % interval."""
CLEARLY_ABOVE, NOISE = 1.05, 0.02
"""An evaluation loss has risen when it is 5 % and 0.02 nats above its best."""
FAR_ABOVE, FAR_NOISE = 2.0, 0.3
"""It is far from the training loss when it is twice as large and 0.3 nats above."""


def stop_reason(job: Job) -> str:
    """Why it cannot be stopped; empty when it can."""
    return "" if job.can_stop else _asked_or_ended(job)


def pause_reason(job: Job) -> str:
    return "" if job.can_pause else _asked_or_ended(job)


def resume_reason(job: Job) -> str:
    return "" if job.can_resume else "There is nothing left to do."


def _asked_or_ended(job: Job) -> str:
    if job.status is JobStatus.RUNNING:
        return "It was asked already, and saves a checkpoint first."
    return f"It is {status_words(job.kind, job.status)[0].lower()}."


def queue_words(job: Job) -> str:
    """What a waiting job waits for: its place in the queue, or, in a sentence, what else keeps it from starting."""
    is_held_up = job.queue_position is None or job.message not in {"", job.status.explanation}
    if is_held_up:
        return job.message or job.status.explanation
    return "next in the queue" if job.queue_position == 1 else f"place {job.queue_position} in the queue"


def tab_title(job: Job) -> str:
    """The browser tab's name: the share done while it is at work, else how it ended."""
    if job.status is JobStatus.RUNNING:
        return f"{percent(job.progress)} {job.name}"
    return f"{job.name}, {status_words(job.kind, job.status)[0].lower()}"


class QuarterTeller:
    """Knows what of a job was said already, so that only news are: start, each quarter, end and errors."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._status, self._quarter = job.status, _quarter(job)

    def news(self) -> str:
        """A sentence when there is something new to say, else nothing."""
        job, before, quarter = self._job, self._quarter, _quarter(self._job)
        self._quarter = quarter
        if job.status is not self._status:
            self._status = job.status
            word = status_words(job.kind, job.status)[0].lower()
            return f"{job.name}: {word}. {job.error or job.message}".strip()
        if job.status is JobStatus.RUNNING and quarter > before:
            return f"{job.name}: {25 * quarter} per cent done."
        return ""


def _quarter(job: Job) -> int:
    return int(job.progress * 4)


@dataclass(frozen=True)
class MetricRow:
    """One metric of base and adapter, in words."""

    name: str
    meaning: str
    base: str
    adapter: str
    difference: str


def metric_rows(report: EvaluationReport) -> list[MetricRow]:
    """The table of an evaluation; a metric that was not measured is left out."""
    rows = []
    for key, name, meaning, is_share, digits in _METRICS:
        base = getattr(report.base, key)
        if base is None:
            continue
        adapter: Score | None = getattr(report.adapter, key) if report.adapter else None
        difference = report.differences.get(key) or report.differences.get(key.removesuffix("_score"))
        rows.append(
            MetricRow(
                name,
                meaning,
                in_words(base, digits, as_share=is_share),
                in_words(adapter, digits, as_share=is_share),
                in_words(difference, digits, as_share=is_share, signed=True),
            )
        )
    return rows


_METRICS = (
    ("accuracy", "Exact match", "The share of rows whose answer equals the reference.", True, 1),
    ("token_accuracy", "Token accuracy", "The share of answer tokens that the model ranks first.", True, 1),
    ("loss", "Loss", "How surprised the model is by the right answers, in nats; lower is better.", False, 3),
    ("perplexity", "Perplexity", "Among how many tokens it wavers, so to speak; lower is better.", False, 2),
    ("bleu_score", "BLEU", "How much of the wording agrees with the reference, 0 to 100.", False, 1),
)


def in_words(score: Score | None, digits: int, *, as_share: bool = False, signed: bool = False) -> str:
    """A figure with its standard error: `90.0 % ± 2.7`, `−2.600 ± 0.100`; shares differ by `+41.0 points ± 2.7`."""
    if score is None:
        return "–"
    factor, unit = (100.0, " points" if signed else " %") if as_share else (1.0, "")
    value = f"{factor * score.value:{'+' if signed else ''},.{digits}f}{unit}".replace("-", "−")
    return value if score.standard_error is None else f"{value} ± {factor * score.standard_error:,.{digits}f}"


def verdict(report: EvaluationReport) -> str:
    """What the evaluation says, from the paired differences alone."""
    rows = f"the same {report.rows:,} rows"
    if report.adapter is None:
        return f"The base alone was scored, on {report.rows:,} rows."
    adapter = report.adapter
    accuracy, loss = report.differences.get("accuracy"), report.differences.get("loss")
    before, after = report.base.accuracy, adapter.accuracy
    if before and after and accuracy and _is_sure(accuracy):
        better = "better" if accuracy.value > 0 else "worse"
        change = f"exact match went from {100 * before.value:.1f} % to {100 * after.value:.1f} %"
        return f"The adapter answers {better}: {change} on {rows}."
    if loss and _is_sure(loss):
        better = "better" if loss.value < 0 else "worse"
        change = f"loss went from {report.base.loss.value:.3f} to {adapter.loss.value:.3f}"
        return f"The adapter fits the right answers {better}: {change} on {rows}."
    return f"No difference stands out from chance on {rows}. More rows would tell more."


def _is_sure(difference: Score) -> bool:
    """Whether zero lies outside the 95 % interval; without a standard error nothing is claimed."""
    error = difference.standard_error
    return error is not None and difference.value != 0 and abs(difference.value) > SURE * error


def advice(training: Points, evaluation: Points) -> str:
    """What a finished training's losses say about learning by heart, and what to do; empty when they say nothing."""
    if not evaluation:
        return ""
    best_step, best = min(evaluation, key=lambda point: point[1])
    step, last = evaluation[-1]
    if last > best * CLEARLY_ABOVE and last - best > NOISE:
        return (
            f"The evaluation loss was best at step {best_step:,} ({best:.2f}) and is {last:.2f} at step {step:,}: "
            "from there on it learned the examples by heart. Train fewer epochs, or use more examples."
        )
    trained = end_of(training)
    if trained is not None and last > trained * FAR_ABOVE and last - trained > FAR_NOISE:
        return (
            f"The evaluation loss ({last:.2f}) is far above the training loss ({trained:.2f}): it knows the examples "
            "by heart and new ones much less. Train fewer epochs, or use more examples."
        )
    return ""


def receipt_sentence(receipt: MergeReceipt) -> str:
    """What the proof of a merge comes to."""
    words = f"{100 * receipt.top1_agreement:.2f} % of the next tokens agree over {receipt.tokens:,} tokens"
    if receipt.passed:
        return f"The merged model does what the adapter does: {words}."
    return f"The merged model does not agree with its adapter: only {words}."


def peft_snippet(base: str, adapter: str) -> str:
    """Python that loads the adapter with PEFT, anywhere."""
    return (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base!r})\n"
        f"model = PeftModel.from_pretrained(base, {adapter!r})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({adapter!r})\n"
    )
