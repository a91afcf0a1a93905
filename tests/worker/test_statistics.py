"""Figures and their errors, against values worked out by hand or by simulation."""

from __future__ import annotations

import math
import random

import pytest

from qlora_ui.worker.scores import statistics


def test_ratio_counts_tokens_not_rows() -> None:
    score = statistics.ratio([10.0, 1.0], [10.0, 2.0])
    assert score.value == pytest.approx(11 / 12)
    # residuals 10 - 11/12·10 and 1 - 11/12·2 = ±5/6; √(2/1 · 2·(5/6)²) / 12
    assert score.standard_error == pytest.approx(2 * (5 / 6) / 12)


def test_a_single_row_has_no_error() -> None:
    assert statistics.ratio([3.0], [2.0]).standard_error is None
    assert statistics.exponential(statistics.ratio([3.0], [2.0])).standard_error is None


def test_ratio_error_is_the_spread_over_repeated_samples() -> None:
    chance = random.Random(0)

    def sample() -> tuple[list[float], list[float]]:
        tokens = [float(chance.randrange(5, 50)) for _ in range(60)]
        return [t * chance.gauss(2.0, 0.5) for t in tokens], tokens

    scores = [statistics.ratio(*sample()) for _ in range(800)]
    mean = sum(score.value for score in scores) / len(scores)
    spread = math.sqrt(sum((score.value - mean) ** 2 for score in scores) / len(scores))
    said = sum(score.standard_error or 0 for score in scores) / len(scores)
    assert said == pytest.approx(spread, rel=0.1)


def test_share_is_binomial_and_its_difference_is_paired() -> None:
    hits = [True] * 30 + [False] * 70
    assert statistics.share(hits).value == pytest.approx(0.3)
    assert statistics.share(hits).standard_error == pytest.approx(math.sqrt(0.3 * 0.7 / 100))
    same = statistics.share_difference(hits, hits)
    assert same.value == 0 and same.standard_error == 0
    better = statistics.share_difference([True] * 40 + [False] * 60, hits)
    assert better.value == pytest.approx(0.1)
    assert better.standard_error == pytest.approx(math.sqrt(0.1 * 0.9 / 99))


def test_perplexity_carries_the_error_of_the_loss() -> None:
    loss = statistics.ratio([2.0, 4.0], [1.0, 1.0])
    perplexity = statistics.exponential(loss)
    assert perplexity.value == pytest.approx(math.exp(3))
    assert perplexity.standard_error == pytest.approx(math.exp(3) * (loss.standard_error or 0))


def test_bleu_is_sacrebleus_and_repeatable() -> None:
    references = ["the cat sat on the mat today", "a dog ran over the green field", "we like to eat fresh bread"]
    answers = [references[0], "a dog ran over a field", "we like to eat old bread"]
    score = statistics.bleu(answers, references)
    assert statistics.bleu(references, references).value == pytest.approx(100)
    assert 0 < score.value < 100
    assert score.standard_error is not None and score.standard_error > 0
    assert statistics.bleu(answers, references) == score
    assert statistics.bleu(answers[:1], references[:1]).standard_error is None
