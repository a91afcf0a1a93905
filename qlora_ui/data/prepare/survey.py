"""What a person should hear of all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.inspection import Finding, Histogram, Survey
from qlora_ui.contract.recipe import DataQuery, Recipe, StepName
from qlora_ui.data.checks.findings import finding, gravest_first
from qlora_ui.data.formats.detect import Detected
from qlora_ui.data.places import problem_of
from qlora_ui.data.prepare.choose import Chosen
from qlora_ui.data.prepare.rows import Group, Problem, Rows

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BINS = 24
"""At most, in the histogram of lengths."""
FEW = 20
"""Fewer examples than this are told."""
MISTAKES_NAMED = 20
"""Different problems of bad rows that are told one by one."""


def make_survey(
    query: DataQuery,
    understood: Sequence[Detected],
    tokenizer: PreTrainedTokenizerBase | None,
    rows: Rows,
    evaluation: Rows | None,
    chosen: Chosen,
) -> Survey:
    """Everything but what is known of its making (`fingerprint`, `seconds`)."""
    counts = chosen.counts
    both = [rows] if evaluation is None else [rows, evaluation]
    kept = np.concatenate([side.kept for side in both])
    used = np.concatenate([chosen.train, chosen.held_out])
    survey = Survey(
        rows=rows.total,
        bytes=rows.bytes,
        rows_left_out=counts.rows_left_out,
        rows_bad=rows.bad.count,
        examples=len(used),
        examples_train=len(chosen.train),
        examples_held_out=len(chosen.held_out),
        duplicates=chosen.groups["duplicates"].count,
        near_duplicates=chosen.groups["near_duplicates"].count,
        findings=_findings(query, understood, tokenizer, rows, evaluation, chosen),
    )
    if not rows.has_tokens:
        return survey
    lengths = np.concatenate([side.lengths for side in both])
    learnt = np.concatenate([side.learnt for side in both])
    cut = np.concatenate([side.is_cut for side in both])
    return survey.model_copy(
        update={
            "tokens": int(kept[used].sum(dtype=np.int64)),
            "tokens_trained": int(learnt[used].sum(dtype=np.int64)),
            "truncated": int(np.count_nonzero(cut[used])),
            "untrainable": chosen.untrainable,
            "lengths": histogram(lengths[used]),
        }
    )


def histogram(lengths: NDArray[np.int32]) -> Histogram | None:
    """At most 24 bins of equal width, at edges that are easy to read; None for no lengths."""
    if not len(lengths):
        return None
    longest = int(lengths.max())
    width = _nice(-(-(longest + 1) // BINS))
    counts = np.bincount(lengths // width)
    median, p95 = np.percentile(lengths, [50, 95], method="higher")
    return Histogram(
        edges=[width * i for i in range(len(counts) + 1)],
        counts=counts.tolist(),
        median=int(median),
        p95=int(p95),
        longest=longest,
    )


def _nice(width: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= width:
                return step * power
        power *= 10


def bad_findings(problems: Mapping[Problem, Group], *, numbered: bool) -> list[Finding]:
    """The rows that cannot be used, by what is wrong with them; the problems that are met first are named.

    Those of the evaluation data are not `numbered`: a row is shown, and left out, by its number in the training data.
    """
    named = [(key, group) for key, group in problems.items() if any(key)][:MISTAKES_NAMED]
    found = [
        finding(kind, group.first, group.count, problem=problem[:1].upper() + problem[1:], hint=hint).model_copy(
            update={"place": group.place}
        )
        for (kind, problem, hint), group in named
    ]
    others = sum(group.count for group in problems.values()) - sum(group.count for _, group in named)
    if others:
        found.append(Finding(kind="bad_rows", level="error", message=_OTHERS, count=others))
    return found if numbered else [_of_evaluation(one) for one in found]


def _of_evaluation(found: Finding) -> Finding:
    mends = [mend for mend in found.mends if mend.step.do != "drop_rows"]
    message = f"In the evaluation data: {found.message[:1].lower()}{found.message[1:]}"
    return found.model_copy(update={"message": message, "rows": [], "mends": mends})


def _is_mended(kind: str, recipe: Recipe) -> bool:
    """Duplicates are counted also where a step takes them out; then there is nothing to be told."""
    steps: dict[str, tuple[StepName, ...]] = {
        "duplicates": ("remove_duplicates", "remove_near_duplicates"),
        "near_duplicates": ("remove_near_duplicates",),
    }
    return any(recipe.does(step) for step in steps.get(kind, ()))


_SKIPPED = "They are skipped and counted."
_OTHERS = "More rows cannot be used, for other reasons."


def _findings(
    query: DataQuery,
    understood: Sequence[Detected],
    tokenizer: PreTrainedTokenizerBase | None,
    rows: Rows,
    evaluation: Rows | None,
    chosen: Chosen,
) -> list[Finding]:
    """The gravest first. Rows that cannot be used are no error any more where the recipe skips them."""
    found = bad_findings(rows.problems, numbered=True)
    if evaluation is not None:
        found += bad_findings(evaluation.problems, numbered=False)
    if query.recipe.does("skip_bad_rows"):
        found = [one.model_copy(update={"level": "warning", "hint": _SKIPPED, "mends": []}) for one in found]
    if chosen.problem is not None and tokenizer is not None:
        problem = problem_of(chosen.problem)
        message = problem[:1].upper() + problem[1:]
        found.append(Finding(kind="nothing_trained", level="error", message=message, hint=chosen.problem.hint))
    for kind, group in (chosen.groups | rows.facts).items():
        if group.count and not _is_mended(kind, query.recipe):
            found.append(finding(kind, group.first, group.count, max_length=query.recipe.max_length))
    if 0 < len(chosen.train) < FEW:
        found.append(finding("few_rows", examples=len(chosen.train)))
    used = {query.held_out.column, *(name for detected in understood for name in detected.mapping.values())}
    if unused := [name for name in rows.columns if name not in used]:
        found.append(finding("unused_columns", columns=", ".join(unused)))
    return gravest_first(found)
