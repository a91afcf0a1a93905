"""Figures over steps, kept in columns: a run of 100,000 steps has a few megabytes of them, and opens at once."""

from __future__ import annotations

import math
import operator
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

Point = tuple[int, float]
"""A step and the value there."""
FEWEST_THINNED = 4
"""First, last, lowest and highest."""
STRETCHES_KEPT = 8
FIGURES_KEPT = 256
"""Names of curves; a worker that makes up a new one at each step must not fill the memory."""
_STEP_BITS = 63


class Curve:
    """One figure over rising steps."""

    def __init__(self, steps: Iterable[int] = (), values: Iterable[float] = ()) -> None:
        self.steps, self.values = array("q", steps), array("d", values)
        self._thinned: dict[tuple[int, int, int], list[Point]] = {}
        self._extremes: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, step: int, value: float) -> None:
        """Put a value at a step; one that is there already is replaced."""
        self._thinned.clear()
        if not self.steps or step > self.steps[-1]:
            self.steps.append(step)
            self.values.append(value)
            self._extend_extremes(value)
            return
        self._extremes = None
        place = bisect_left(self.steps, step)
        if self.steps[place] == step:
            self.values[place] = value
        else:
            self.steps.insert(place, step)
            self.values.insert(place, value)

    def extend(self, steps: array[int], values: array[float]) -> None:
        """Append many at once; their steps rise and are all beyond the last one."""
        self._thinned.clear()
        self._extremes = None
        self.steps.extend(steps)
        self.values.extend(values)

    def cut_after(self, step: int) -> None:
        self._thinned.clear()
        self._extremes = None
        end = bisect_right(self.steps, step)
        del self.steps[end:], self.values[end:]

    def extremes(self) -> tuple[int, int]:
        """The places of the first of the lowest points and of the highest ones. Raises ValueError without a point."""
        if self._extremes is None:
            self._extremes = self.values.index(min(self.values)), self.values.index(max(self.values))
        return self._extremes

    def points(self, start: int = 0, end: int | None = None) -> list[Point]:
        """The points from place `start` to place `end`, both counted from 0, the end left out."""
        return list(zip(self.steps[start:end], self.values[start:end], strict=True))

    def thinned(self, limit: int, start: int, end: int) -> list[Point]:
        """At most `limit` points of the places `start` to `end`, kept until the curve changes: many may look at it."""
        if end - start <= limit:
            return self.points(start, end)
        key = (limit, start, end)
        if key not in self._thinned:
            if len(self._thinned) == STRETCHES_KEPT:
                del self._thinned[next(iter(self._thinned))]
            self._thinned[key] = [(self.steps[place], self.values[place]) for place in self._telling(*key)]
        return self._thinned[key]

    def _extend_extremes(self, value: float) -> None:
        """A point was appended: many pages ask for the extremes after each, and none shall go through all points."""
        if self._extremes is not None:
            (lowest, highest), place = self._extremes, len(self) - 1
            lowest = place if value < self.values[lowest] else lowest
            self._extremes = lowest, place if value > self.values[highest] else highest

    def _telling(self, limit: int, start: int, end: int) -> list[int]:
        """The places of the first and the last point, and of the lowest and the highest of equal stretches of steps."""
        buckets = (limit - 2) // 2
        first, last = start + 1, end - 1  # what lies between the two ends
        low, width = self.steps[start], self.steps[last] - self.steps[start]
        places, bucket_start = [start], first
        for number in range(1, buckets + 1):
            bucket_end = bisect_left(self.steps, low + width * number // buckets, bucket_start, last)
            if number == buckets:
                bucket_end = last
            if bucket := self.values[bucket_start:bucket_end].tolist():
                lowest, highest = bucket.index(min(bucket)), bucket.index(max(bucket))
                places += sorted({bucket_start + lowest, bucket_start + highest})
            bucket_start = bucket_end
        return [*places, last]


class Curves:
    """Figures over steps, by name. Steps rise within a curve; a step that is measured again replaces its old value."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}

    @property
    def names(self) -> list[str]:
        return list(self._curves)

    def points(self, name: str) -> list[Point]:
        """The whole curve, empty for a name that was never measured."""
        curve = self._curves.get(name)
        return curve.points() if curve else []

    def after(self, name: str, step: int) -> list[Point]:
        """The points beyond a step."""
        curve = self._curves.get(name)
        return curve.points(bisect_right(curve.steps, step)) if curve else []

    def thinned(self, name: str, limit: int, *, first: int | None = None, last: int | None = None) -> list[Point]:
        """At most `limit` points of the curve, for a picture; of the steps `first` to `last`, by default of all.

        All of them are measured ones: the ends, and the lowest and the highest of equal stretches of steps. A stretch
        that does not begin or end with the curve has one more point on that side, so that a line reaches the edge.
        Raises ValueError for a limit below 4. The list is shared: take a copy to change it.
        """
        if limit < FEWEST_THINNED:
            raise ValueError(f"A curve cannot be told in {limit} points")
        curve = self._curves.get(name)
        if not curve:
            return []
        start = 0 if first is None else max(0, bisect_left(curve.steps, first) - 1)
        end = len(curve) if last is None else min(len(curve), bisect_right(curve.steps, last) + 1)
        return curve.thinned(limit, start, end)

    def count(self, name: str) -> int:
        """How many points a curve has."""
        return len(self._curves.get(name, ()))

    def latest(self, name: str) -> float | None:
        point = self.last(name)
        return None if point is None else point[1]

    def last(self, name: str) -> Point | None:
        """The newest point of a curve."""
        curve = self._curves.get(name)
        return (curve.steps[-1], curve.values[-1]) if curve else None

    def column(self, name: str) -> Curve:
        """The curve itself, for those who keep it. Raises KeyError."""
        return self._curves[name]

    def put(self, name: str, curve: Curve) -> None:
        self._curves[name] = curve

    def add(self, name: str, step: int, value: float) -> None:
        """What is no number has no place on a curve; the worker says in an event of its own what became of it."""
        if math.isfinite(value) and step.bit_length() <= _STEP_BITS and self._has_room(name):
            self._curves.setdefault(name, Curve()).add(step, value)

    def extend(self, steps: Sequence[int], columns: Mapping[str, Sequence[float]]) -> None:
        """Add figures that were all measured at the same steps. Raises TypeError or OverflowError, with nothing added,
        for what is no number.
        """
        places, values = array("q", steps), {name: array("d", column) for name, column in columns.items()}
        if not places:
            return
        rises = all(map(operator.lt, places, islice(places, 1, None)))
        for name, column in values.items():
            if not self._has_room(name):
                continue
            curve = self._curves.setdefault(name, Curve())
            is_plain = math.isfinite(sum(column))  # with a single infinity among them, the sum is no number either
            if rises and (not curve or curve.steps[-1] < places[0]) and is_plain:
                curve.extend(places, column)
                continue
            for step, value in zip(places, column, strict=True):
                self.add(name, step, value)

    def _has_room(self, name: str) -> bool:
        return name in self._curves or len(self._curves) < FIGURES_KEPT

    def cut_after(self, step: int) -> None:
        """Drop every point after `step`: a resumed run measures them anew."""
        for curve in self._curves.values():
            curve.cut_after(step)
