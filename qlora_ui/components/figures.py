"""What the dashboard and the side bar say of counts, memory and time left."""

from __future__ import annotations

from datetime import datetime, timedelta

from qlora_ui.components.words import clock, duration
from qlora_ui.contract.records import now


def of_total(used: float, total: float) -> str:
    """Two sizes in gigabytes of 10⁹ bytes: `17.1 of 24 GB`."""
    return f"{_short(used / 1e9)} of {_short(total / 1e9)} GB"


def time_left(seconds: float | None, at: datetime | None = None) -> str:
    """What is left, and when it will be done on the clock of this machine: `41 min left, done about 11:20`."""
    if seconds is None:
        return ""
    return f"{duration(seconds)} left, done about {clock((at or now()) + timedelta(seconds=seconds))}"


def loss(value: float | None) -> str:
    """A loss with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def speed(tokens_per_second: float | None) -> str:
    return "–" if tokens_per_second is None else f"{tokens_per_second:,.0f} tokens/s"


def in_words(count: int) -> str:
    """A small number as a word, as sentences have it: `no`, `one`, `two` … `nine`, then figures."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if 0 <= count < len(words) else f"{count:,}"


def counted(count: int, noun: str) -> str:
    """`1 run`, `2 runs`, `1,024 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _short(value: float) -> str:
    """One decimal below 100 unless it is a zero, none above."""
    text = f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.removesuffix(".0")
