"""The lines that long events are made of, metrics and progress, told from others by the block and read by the thousand.

A line counts only in the very form in which workers write it, so that `parse_event` would surely take it; every other
one is left to that.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, groupby
from operator import itemgetter

import orjson

_NUMBER = rb"(?!0\d)\d++(?:\.\d++)?+(?:e[+-]?\d{1,2}+)?+"
_COUNT = rb"[1-9]\d{0,14}+"
_DAY = (
    rb"(?:20|21)\d\d-"
    rb"(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_TIME = _DAY + rb"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6}+)?+Z"
_METRIC = rb'metric","step":(' + _COUNT + rb'),"values":(\{[^}]*+\})'
_PROGRESS = rb'progress","step":%b,"total_steps":%b(?:,"epoch":%b)?+(?:,"seconds_left":%b)?+' % (
    _COUNT,
    _COUNT,
    _NUMBER,
    _NUMBER,
)
_LINE = re.compile(rb'\{"seq":(%b),"time":"%b","type":"(?:%b|%b)\}\n|[^\n]*+\n' % (_COUNT, _TIME, _METRIC, _PROGRESS))
"""Any line; its number where it is one of steps, and of a metric the step and the values."""


@dataclass(frozen=True)
class Figures:
    """Figures that were all measured at the same steps."""

    steps: array[int]
    columns: dict[str, array[float]]


@dataclass(frozen=True)
class StepLines:
    """Lines in a row of which each is a metric or progress."""

    raw: bytes
    _seqs: Sequence[bytes]
    _steps: Sequence[bytes]
    _values: Sequence[bytes]
    """Of each line; nothing where it is progress, as in `_steps`."""

    @property
    def newest(self) -> list[bytes]:
        """The last metric and the last progress, as far as there are such, in their order."""
        count = len(self._seqs)
        last = bool(self._values[-1])
        other = next((place for place in range(count - 1, -1, -1) if bool(self._values[place]) is not last), None)
        return [self._line(place) for place in (other, count - 1) if place is not None]

    @property
    def highest_seq(self) -> int:
        return max(_numbers(self._seqs))

    def figures(self) -> list[Figures]:
        """All that was measured, those with the same names together. Raises ValueError, TypeError or OverflowError
        where some of it is no number.
        """
        told = b",".join(filter(None, self._values))
        if b"\n" in told:
            raise ValueError("torn lines that go together")
        values = orjson.loads(b"[" + told + b"]")
        return _together(_numbers(filter(None, self._steps)), values) if values else []

    def _line(self, place: int) -> bytes:
        lines_after = len(self._seqs) - place  # and what is behind the last line feed, which is empty
        return self.raw.rsplit(b"\n", lines_after + 1)[-1 - lines_after]


def stretches(block: bytes) -> Iterator[StepLines | bytes]:
    """The lines of a block, each ended by a line feed: those of steps in a row together, any other one by itself."""
    seqs, steps, values = zip(*_LINE.findall(block), strict=True)
    if b"" not in seqs:
        yield StepLines(block, seqs, steps, values)
        return
    lines, first = block.split(b"\n"), 0
    if len(lines) - 1 != len(seqs):  # a torn line seems to go together with the next one
        yield from lines
        return
    for of_steps, alike in groupby(seqs, bool):
        end = first + sum(1 for _ in alike)
        if of_steps:
            raw = b"\n".join([*lines[first:end], b""])
            yield StepLines(raw, seqs[first:end], steps[first:end], values[first:end])
        else:
            yield from lines[first:end]
        first = end


def _numbers(told: Iterable[bytes]) -> list[int]:
    found: list[int] = orjson.loads(b"[" + b",".join(told) + b"]")
    return found


def _together(steps: list[int], values: list[dict[str, float]]) -> list[Figures]:
    """Grouped over the whole stretch, or in a row only where a name belongs to several groups: its order counts."""
    names = [*map(tuple, values)]
    kinds = dict.fromkeys(names)
    if len(kinds) == 1:
        return [_figures(steps, values)]
    if len({name for kind in kinds for name in kind}) == sum(map(len, kinds)):
        chosen = [[kind == one for one in names] for kind in kinds]
        return [_figures([*compress(steps, those)], [*compress(values, those)]) for those in chosen]
    found, first = [], 0
    for _kind, alike in groupby(names):
        end = first + sum(1 for _ in alike)
        found.append(_figures(steps[first:end], values[first:end]))
        first = end
    return found


def _figures(steps: list[int], values: list[dict[str, float]]) -> Figures:
    return Figures(array("q", steps), {name: array("d", map(itemgetter(name), values)) for name in values[0]})
