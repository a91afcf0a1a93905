"""What a loss curve says: jumps, rises, a fall that is more than noise. Pure arithmetic on the points so far.

A point is the mean loss over the steps since the point before. Each test weighs what it sees against the noise of the
same curve, so that it means the same for a batch of one and for a batch of a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import NamedTuple

import numpy as np

SPIKE_BEFORE, SPIKE_AFTER = 40, 8
"""Points that a jump is measured against, and points that must stay up for it to have happened."""
_SPIKE_NOISES = 6.0
RISE_POINTS = 60
_RISE_ERRORS, _RISE_SHARE = 5.0, 0.25
LEARNING_POINTS = 30
"""With fewer nothing is said about whether anything was learned."""
_LEARNING_ERRORS = 2.5
_OUTLIER_NOISES = 6.0
_LEAST_LOSS = 1e-4
_OVERFITTING_ERRORS, _OVERFITTING_SHARE = 2.0, 0.005
_CLIPPED_SHARE, _CLIPPED_TIMES = 0.9, 5.0


@dataclass
class Curve:
    """The points of a run since its first step, over all attempts."""

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    """Gradient norms before they are cut; may be fewer."""

    def add(self, step: int, loss: float, gradient: float | None) -> None:
        self.steps.append(step)
        self.losses.append(loss)
        if gradient is not None and math.isfinite(gradient):
            self.gradients.append(gradient)

    def mean(self, after: int, until: int) -> float | None:
        """The mean loss of the points with `after` < step ≤ `until`; None without any."""
        losses = [loss for step, loss in zip(self.steps, self.losses, strict=True) if after < step <= until]
        return fmean(losses) if losses else None


class Evaluated(NamedTuple):
    """One evaluation."""

    step: int
    loss: float
    error: float | None = None
    """The standard error of its change since the evaluation before, paired row by row; None where it is unknown."""


class Trend(NamedTuple):
    """A straight line through points."""

    slope: float
    """Change of the loss from one point to the next."""
    error: float
    """Its standard error."""


class Spike(NamedTuple):
    """The loss jumped up and stayed there."""

    before: float
    after: float
    points: int
    """How many points ago it came, 1 for the last."""


def trend(losses: Sequence[float]) -> Trend:
    """The least-squares line through at least three losses."""
    count = len(losses)
    places = np.arange(count) - (count - 1) / 2
    values = np.asarray(losses, dtype=np.float64)
    spread = float((places**2).sum())
    slope = float((places * values).sum()) / spread
    residuals = values - values.mean() - slope * places
    return Trend(slope, math.sqrt(float((residuals**2).sum()) / (count - 2) / spread))


def spike(losses: Sequence[float]) -> Spike | None:
    """The jump up within the last `SPIKE_AFTER` points from which the loss has not come back."""
    before, after = losses[-SPIKE_BEFORE - SPIKE_AFTER : -SPIKE_AFTER], losses[-SPIKE_AFTER:]
    if len(before) < SPIKE_BEFORE // 2:
        return None
    level, now = median(before), median(after)
    limit = max(level + _SPIKE_NOISES * max(_noise_of(before), 0.01 * level), 1.25 * level)
    if now <= limit or min(after) <= level:
        return None
    return Spike(level, now, next(SPIKE_AFTER - place for place, loss in enumerate(after) if loss > limit))


def rises(losses: Sequence[float]) -> tuple[float, float] | None:
    """Where the last `RISE_POINTS` points began and ended on their line, if they go steadily up, and by a lot."""
    window = losses[-RISE_POINTS:]
    if len(window) < RISE_POINTS:
        return None
    slope, error = trend(window)
    rise, level = slope * RISE_POINTS, fmean(window)
    thirds = [median(window[i : i + RISE_POINTS // 3]) for i in range(0, RISE_POINTS, RISE_POINTS // 3)]
    climbed = thirds[2] - thirds[0] > rise / 2  # of a line it is two thirds, of a jump at the end nothing
    steadily = slope > _RISE_ERRORS * error and thirds[0] < thirds[1] < thirds[2] and climbed
    return (level - rise / 2, level + rise / 2) if steadily and rise > _RISE_SHARE * level else None


def has_fallen(losses: Sequence[float]) -> bool:
    """Whether the loss fell by more than its noise: on a line through all points, or from the first to the last ones.

    With fewer than `LEARNING_POINTS` it is taken to have. Outliers weigh no more than the other points.
    """
    if len(losses) < LEARNING_POINTS:
        return True
    logs = [math.log(max(loss, _LEAST_LOSS)) for loss in losses]  # in which noise is as large at the end as at first
    level, far = median(logs), _OUTLIER_NOISES * _noise_of(logs)
    logs = [min(max(log, level - far), level + far) for log in logs]
    slope, error = trend(logs)
    first, last = logs[: max(5, len(logs) // 20)], logs[-len(logs) // 4 :]
    steps = np.diff(logs)
    noise = math.sqrt(float((steps**2).mean()) / 2 * (1 / len(first) + 1 / len(last)))  # of neighbours: no trend in it
    return slope < -_LEARNING_ERRORS * error or fmean(first) - fmean(last) > _LEARNING_ERRORS * noise


def is_clipped(gradients: Sequence[float], limit: float) -> bool:
    """Whether nearly all gradients were cut, and by far."""
    if not gradients or limit <= 0:
        return False
    cut = sum(gradient > limit for gradient in gradients)
    return cut >= _CLIPPED_SHARE * len(gradients) and median(gradients) > _CLIPPED_TIMES * limit


def overfits(evaluations: Sequence[Evaluated], curve: Curve) -> bool:
    """Whether the evaluation loss rose twice in a row by more than its noise, while the training loss went down."""
    if len(evaluations) < 3:
        return False
    first, second, third = evaluations[-3:]
    rose = all(later.loss - earlier.loss > _noise(later) for earlier, later in ((first, second), (second, third)))
    before, after = curve.mean(first.step, second.step), curve.mean(second.step, third.step)
    return rose and before is not None and after is not None and after < before


def _noise_of(losses: Sequence[float]) -> float:
    """A standard deviation that single outliers do not change."""
    level = median(losses)
    return 1.4826 * median(abs(loss - level) for loss in losses)


def _noise(evaluated: Evaluated) -> float:
    error = 0.0 if evaluated.error is None else _OVERFITTING_ERRORS * evaluated.error
    return max(error, _OVERFITTING_SHARE * evaluated.loss)
