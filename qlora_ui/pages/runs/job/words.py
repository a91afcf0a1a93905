"""What is said of one job: reasons, verdicts, advice. No widget in here."""

from __future__ import annotations

from dataclasses import dataclass

from qlora_ui.components.badge import status_words
from qlora_ui.components.charts.smoothing import end_of
from qlora_ui.components.words import fixed_per_cent
from qlora_ui.contract.records import EvaluationReport, JobStatus, MergeReceipt, Score
from qlora_ui.jobs.history.curves import Curve
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.locales.figures import fixed, number
from qlora_ui.locales.figures import signed as with_sign

SURE = 1.96
"""A difference counts from this many standard errors on, which is the 95 % interval."""
CLEARLY_ABOVE, NOISE = 1.05, 0.02
"""An evaluation loss has risen when it is 5 % and 0.02 nats above its best."""
FAR_ABOVE, FAR_NOISE = 2.0, 0.3
"""It is far from the training loss when it is twice as large and 0.3 nats above."""


def queue_words(job: Job) -> str:
    """What a waiting job waits for: its place in the queue, or, in a sentence, what else keeps it from starting."""
    if job.queue_position is None or is_held_up(job):
        return sentence(job.message or job.status.explanation)
    if job.is_next:
        return _("next in the queue")
    return _("place {place} in the queue", place=number(job.queue_position))


def is_held_up(job: Job) -> bool:
    """Whether something else than its place in the queue keeps a waiting job from starting."""
    return job.message not in {"", job.status.explanation}


def tab_title(job: Job) -> str:
    """The browser tab's name, in front of which the frame puts the share done; of one that ended also how."""
    if job.status is JobStatus.RUNNING:
        return job.name
    return _("{name}: {status}", context="name of a tab", name=job.name, status=status_words(job.kind, job.status)[0])


@dataclass(frozen=True)
class MetricRow:
    """One metric of base and adapter, in words."""

    name: str
    term: str
    """Its key in the glossary."""
    base: str
    adapter: str
    difference: str


def metric_rows(report: EvaluationReport) -> list[MetricRow]:
    """The table of an evaluation; a metric that was not measured is left out."""
    rows = []
    for key, name, term, is_share, digits in _METRICS:
        base = getattr(report.base, key)
        if base is None:
            continue
        adapter: Score | None = getattr(report.adapter, key) if report.adapter else None
        difference = report.differences.get(key) or report.differences.get(key.removesuffix("_score"))
        rows.append(
            MetricRow(
                _(name),
                term,
                in_words(base, digits, as_share=is_share),
                in_words(adapter, digits, as_share=is_share),
                in_words(difference, digits, as_share=is_share, signed=True),
            )
        )
    return rows


_METRICS = (
    ("accuracy", mark("Exact match"), "exact-match", True, 1),
    ("token_accuracy", mark("Token accuracy"), "token-accuracy", True, 1),
    ("loss", mark("Loss"), "loss", False, 3),
    ("perplexity", mark("Perplexity"), "perplexity", False, 2),
    ("bleu_score", mark("BLEU"), "bleu", False, 1),
)
"""Each with its title, its term in the glossary, whether it is a share, and its decimals."""


def in_words(score: Score | None, digits: int, *, as_share: bool = False, signed: bool = False) -> str:
    """A figure with its standard error: `90.0 % ± 2.7`, `−2.600 ± 0.100`; shares differ by `+41.0 points ± 2.7`."""
    if score is None:
        return "–"
    value = _value(100 * score.value if as_share else score.value, digits, as_share=as_share, signed=signed)
    if score.standard_error is None:
        return value
    return f"{value} ± {fixed(100 * score.standard_error if as_share else score.standard_error, digits)}"


def _value(value: float, digits: int, *, as_share: bool, signed: bool) -> str:
    if not as_share:
        return with_sign(value, digits) if signed else fixed(value, digits)
    return _("{value} points", value=with_sign(value, digits)) if signed else fixed_per_cent(value, digits)


def verdict(report: EvaluationReport) -> str:
    """What the evaluation says, from the paired differences alone."""
    if report.adapter is None:
        return n_(
            "The base alone was scored, on {count} row.", "The base alone was scored, on {count} rows.", report.rows
        )
    accuracy, loss = report.differences.get("accuracy"), report.differences.get("loss")
    before, after = report.base.accuracy, report.adapter.accuracy
    rows = number(report.rows)
    if before and after and accuracy and _is_sure(accuracy):
        words = _BETTER_ANSWERS if accuracy.value > 0 else _WORSE_ANSWERS
        shares = {"before": fixed_per_cent(100 * before.value, 1), "after": fixed_per_cent(100 * after.value, 1)}
        return _(words, rows=rows, **shares)
    if loss and _is_sure(loss):
        words = _BETTER_LOSS if loss.value < 0 else _WORSE_LOSS
        losses = {"before": fixed(report.base.loss.value, 3), "after": fixed(report.adapter.loss.value, 3)}
        return _(words, rows=rows, **losses)
    return _("No difference stands out from chance on the same {rows} rows. More rows would tell more.", rows=rows)


_BETTER_ANSWERS = mark("The adapter answers better: exact match went from {before} to {after} on the same {rows} rows.")
_WORSE_ANSWERS = mark("The adapter answers worse: exact match went from {before} to {after} on the same {rows} rows.")
_BETTER_LOSS = mark(
    "The adapter fits the right answers better: loss went from {before} to {after} on the same {rows} rows."
)
_WORSE_LOSS = mark(
    "The adapter fits the right answers worse: loss went from {before} to {after} on the same {rows} rows."
)


def _is_sure(difference: Score) -> bool:
    """Whether zero lies outside the 95 % interval; without a standard error nothing is claimed."""
    error = difference.standard_error
    return error is not None and difference.value != 0 and abs(difference.value) > SURE * error


def advice(training: Curve, evaluation: Curve) -> str:
    """What a finished training's losses say about learning by heart, and what to do; empty when they say nothing."""
    if not evaluation:
        return ""
    step, last, best = evaluation.steps[-1], evaluation.values[-1], min(evaluation.values)
    best_step = evaluation.steps[evaluation.values.index(best)]
    if last > best * CLEARLY_ABOVE and last - best > NOISE:
        return _(
            "The evaluation loss was best at step {best_step} ({best}) and is {last} at step {step}: "
            "from there on it learned the examples by heart. Train fewer epochs, or use more examples.",
            best_step=number(best_step),
            best=fixed(best, 2),
            last=fixed(last, 2),
            step=number(step),
        )
    trained = end_of(training)
    if trained is not None and last > trained * FAR_ABOVE and last - trained > FAR_NOISE:
        return _(
            "The evaluation loss ({last}) is far above the training loss ({trained}): it knows the examples "
            "by heart and new ones much less. Train fewer epochs, or use more examples.",
            last=fixed(last, 2),
            trained=fixed(trained, 2),
        )
    return ""


def receipt_sentence(receipt: MergeReceipt) -> str:
    """What the proof of a merge comes to."""
    places = {"share": fixed_per_cent(100 * receipt.top1_agreement, 2), "tokens": number(receipt.tokens)}
    if receipt.passed:
        return _(
            "The merged model does what the adapter does: {share} of the next tokens agree over {tokens} tokens.",
            **places,
        )
    return _(
        "The merged model does not agree with its adapter: only {share} of the next tokens agree over {tokens} tokens.",
        **places,
    )


def peft_snippet(base: str, adapter: str) -> str:
    """Python that loads the adapter with PEFT, anywhere."""
    return (
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f"base = AutoModelForCausalLM.from_pretrained({base!r})\n"
        f"model = PeftModel.from_pretrained(base, {adapter!r})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({adapter!r})\n"
    )
