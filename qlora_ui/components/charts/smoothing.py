"""What a noisy curve comes to: its smoothed line, where it begins, and where it stands."""

from __future__ import annotations

from itertools import accumulate
from statistics import fmean
from typing import Literal

from qlora_ui.jobs.history.curves import Curve, Curves

Smoothing = Literal["off", "light", "medium", "strong"]

SMOOTH_FROM = 20
"""With fewer points than this the raw curve says more than a smoothed one."""
REACH_DIVISOR, LEAST_REACH = 30, 3
"""One point in 30, and at least 3, to either side of a point go into its smoothed value."""
DIVISORS: dict[Smoothing, int] = {"light": 100, "medium": REACH_DIVISOR, "strong": 8}
"""One point in so many, to either side, where a person wants it smoother or rougher."""


def column(curves: Curves, name: str) -> Curve:
    """One curve of a run; an empty one for what was never measured."""
    return curves.column(name) if name in curves.names else Curve()


def reach_of(count: int, divisor: int = REACH_DIVISOR) -> int:
    """How many points on either side go into a smoothed value of a curve of `count` points."""
    return max(LEAST_REACH, -(-count // divisor))


def averaged(count: int) -> int:
    """How many points at an end of a smoothed curve of `count` points go into its value there."""
    return 1 if count < SMOOTH_FROM else 1 + reach_of(count)


def start_of(curve: Curve) -> float | None:
    """Where a noisy curve begins: the mean of its first few points; None for an empty one."""
    return fmean(curve.values[: averaged(len(curve))]) if curve else None


def end_of(curve: Curve) -> float | None:
    """Where a noisy curve stands: the mean of its last few points, at which its smoothed line ends; None for none."""
    return fmean(curve.values[-averaged(len(curve)) :]) if curve else None


def latest(curves: Curves, name: str) -> float | None:
    """The figure that stands for a curve's present: smoothed for the training loss, else the last one measured."""
    return end_of(column(curves, name)) if name == "loss" else curves.latest(name)


def smoothed(curve: Curve, reach: int, limit: int) -> list[tuple[int, float]]:
    """About `limit` points of the line through the means of each point and its `reach` neighbours on either side.

    At an end only those on the inner side count, so that no single point bends the line. The curve is not empty.
    """
    sums, count = list(accumulate(curve.values, initial=0.0)), len(curve)
    places = [*range(0, count - 1, max(1, -(-count // limit))), count - 1]
    ends = ((place, max(0, place - reach), min(count, place + reach + 1)) for place in places)
    return [(curve.steps[place], (sums[last] - sums[first]) / (last - first)) for place, first, last in ends]
