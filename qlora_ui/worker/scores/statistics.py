"""Figures with their uncertainty. Rows are the unit of chance: the tokens of one row go together."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qlora_ui.contract.records import Score

BOOTSTRAPS = 200


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Score:
    """Σ numerators / Σ denominators over rows, such as a loss over tokens, with the rows as clusters."""
    total = sum(denominators)
    value = sum(numerators) / total
    residuals = [n - value * d for n, d in zip(numerators, denominators, strict=True)]
    return Score(value=value, standard_error=_clustered(residuals, total))


def ratio_difference(first: Sequence[float], second: Sequence[float], denominators: Sequence[float]) -> Score:
    """`ratio` of `first` minus `ratio` of `second`, paired row by row, which is far sharper than both alone."""
    return ratio([a - b for a, b in zip(first, second, strict=True)], denominators)


def share(hits: Sequence[bool]) -> Score:
    """The share of rows that hit, with the binomial standard error."""
    value = sum(hits) / len(hits)
    return Score(value=value, standard_error=math.sqrt(value * (1 - value) / len(hits)))


def share_difference(first: Sequence[bool], second: Sequence[bool]) -> Score:
    """The share of `first` minus that of `second`, paired row by row."""
    return ratio([float(a) - float(b) for a, b in zip(first, second, strict=True)], [1.0] * len(first))


def exponential(score: Score) -> Score:
    """exp of a figure, its standard error by the delta method: perplexity from loss."""
    value = math.exp(min(score.value, 700.0))  # beyond it a float ends
    error = None if score.standard_error is None else value * score.standard_error
    return Score(value=value, standard_error=error)


def bleu(answers: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus BLEU, 0–100, by sacrebleu; its standard error from 200 seeded bootstrap samples."""
    from sacrebleu.metrics import BLEU  # here, so that a training does not wait for its import

    if len(answers) < 2:
        return Score(value=BLEU().corpus_score(answers, [references]).score)
    scored = BLEU().corpus_score(answers, [references], n_bootstrap=BOOTSTRAPS)
    return Score(value=scored.score, standard_error=scored._ci / 1.96)  # half the width of a 95 % interval


def _clustered(residuals: Sequence[float], total: float) -> float | None:
    """The standard error of a ratio from the residuals of its clusters; None for a single one."""
    count = len(residuals)
    if count < 2:
        return None
    return math.sqrt(count / (count - 1) * sum(residual**2 for residual in residuals)) / total
