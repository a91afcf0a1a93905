"""Figures as a person says them: times, sizes, shares, counts."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from qlora_ui.contract.records import now


def duration(seconds: float | None) -> str:
    """`42 s`, `3 min 5 s`, `1 h 45 min`, `2 d 3 h`; a dash for None."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    parts = [(whole // 86_400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count or unit == parts[first][1])


def size(count: float) -> str:
    """Bytes in decimal units, as disks are sold: `512 B`, `18.2 MB`, `24 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{count:.1f} {unit}" if count < 100 and unit != "B" and round(count, 1) % 1 else f"{count:,.0f} {unit}"


def many(count: int) -> str:
    """A count in few digits: `812`, `12.4 k`, `2.31 M`."""
    for unit, factor in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= factor * 10 or (unit != "k" and count >= factor):
            return f"{count / factor:.3g} {unit}"
    return f"{count:,}"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent; `0 %` only when there is none of it."""
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f} %".replace(".0 %", " %")


def percent(share: float) -> str:
    """How far something is, in whole per cent, rounded down: only what is done is at `100 %`."""
    return f"{math.floor(100 * share + 1e-9)} %"


def ago(moment: datetime, reference: datetime | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 d ago`."""
    seconds = ((reference or now()) - moment).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return "just now"


def clock(moment: datetime) -> str:
    """The time of day where the server is: `11:20`."""
    return f"{moment.astimezone():%H:%M}"


def of_total(used: float, total: float) -> str:
    """Two sizes in gigabytes of 10⁹ bytes: `17.1 of 24 GB`."""
    return f"{_short(used / 1e9)} of {_short(total / 1e9)} GB"


def time_left(seconds: float | None, at: datetime | None = None) -> str:
    """What is left, and when it will be done on the clock of this machine: `41 min left, done about 11:20`."""
    if seconds is None:
        return ""
    start = (at or now()).astimezone()
    end = (start + timedelta(seconds=seconds)).astimezone()
    day = "" if end.date() == start.date() else f"{end:%A} "
    return f"{duration(seconds)} left, done about {day}{clock(end)}"


def loss(value: float | None) -> str:
    """A loss with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


def speed(tokens_per_second: float | None) -> str:
    return "–" if tokens_per_second is None else f"{tokens_per_second:,.0f} tokens/s"


def power_of_ten(value: float) -> str:
    """`1.12·10⁻⁴`; plain for 0 and for values from 0.01 to 999."""
    if value == 0 or 0.01 <= abs(value) < 1000:
        return f"{value:.3g}"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{raised}"


def in_word(count: int) -> str:
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
