"""What a person should hear of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.inspection import Finding, Histogram, Survey
from qlora_ui.contract.recipe import DataQuery
from qlora_ui.data.prepare.choose import Chosen
from qlora_ui.data.prepare.rows import Group, Rows
from qlora_ui.data.prepare.today import Detected, finding

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

BINS = 24
"""At most, in the histogram of lengths."""
MISTAKES_NAMED = 20
"""Different problems of bad rows that are told one by one."""


def make_survey(
    query: DataQuery,
    detected: Detected,
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
        findings=_findings(query, detected, tokenizer, rows, chosen),
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
            "untrainable": chosen.groups["untrainable"].count,
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


def bad_findings(problems: Mapping[tuple[str, str], Group]) -> list[Finding]:
    """The rows that cannot be used, by what is wrong with them; the problems that are met first are named."""
    named = list(problems.items())[:MISTAKES_NAMED]
    found = [finding("bad_rows", group.first, group.count, problem=problem, hint=hint) for (problem, hint), group in named]
    others = sum(group.count for group in list(problems.values())[MISTAKES_NAMED:])
    if others:
        found.append(Finding(level="error", message="More rows cannot be used, for other reasons.", count=others))
    return found


def _findings(
    query: DataQuery, detected: Detected, tokenizer: PreTrainedTokenizerBase | None, rows: Rows, chosen: Chosen
) -> list[Finding]:
    """The gravest first."""
    found = bad_findings(rows.problems)
    if chosen.problem is not None and tokenizer is not None:
        found.append(Finding(kind="nothing_trained", level="error", message=chosen.problem.message, hint=chosen.problem.hint))
    for kind, group in (chosen.groups | rows.facts).items():
        if group.count:
            found.append(finding(kind, group.first, group.count, max_length=query.recipe.max_length))
    return sorted(found, key=lambda one: _GRAVITY[one.level])


_GRAVITY = {"error": 0, "warning": 1, "note": 2}
