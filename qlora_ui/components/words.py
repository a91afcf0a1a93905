"""Figures as a person says them, in the language of the page: times, sizes, shares, counts."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from qlora_ui.contract.records import now
from qlora_ui.locales import ENGLISH, _, language, n_
from qlora_ui.locales.figures import fixed, number, significant, time_of_day, weekday


def duration(seconds: float | None) -> str:
    """`42 s`, `3 min 5 s`, `1 h 45 min`, `2 d 3 h`; a dash for None, and for what is no time."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    counts = [whole // 86_400, whole // 3600 % 24, whole // 60 % 60, whole % 60]
    first = next((place for place, count in enumerate(counts) if count), len(counts) - 1)
    shown = [place for place in range(first, min(first + 2, len(counts))) if counts[place] or place == first]
    return " ".join(_time_unit(place, counts[place]) for place in shown)


def _time_unit(place: int, count: int) -> str:
    match place:
        case 0:
            return n_("{count} d", "{count} d", count)
        case 1:
            return n_("{count} h", "{count} h", count)
        case 2:
            return n_("{count} min", "{count} min", count)
        case _seconds:
            return n_("{count} s", "{count} s", count)


def size(count: float) -> str:
    """Bytes in decimal units, as disks are sold: `512 B`, `18.2 MB`, `24 GB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            break
        count /= 1000
    return f"{number(count, 1 if count < 100 and unit != 'B' else 0)} {unit}"


def many(count: int) -> str:
    """A count in few digits: `812`, `12.4 k`, `2.31 M`, `8.03 B`."""
    if count >= 1e9:
        return _("{count} B", context="billions of something", count=significant(count / 1e9, 3))
    if count >= 1e6:
        return _("{count} M", context="millions of something", count=significant(count / 1e6, 3))
    if count >= 1e4:
        return _("{count} k", context="thousands of something", count=significant(count / 1e3, 3))
    return number(count)


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent; `0 %` only when there is none of it."""
    if not part or not whole:
        return per_cent(0)
    value = 100 * part / whole
    return per_cent(value, 1) if value >= 0.1 else _("< {share}", context="less than", share=per_cent(0.1, 1))


def percent(share: float) -> str:
    """How far something is, in whole per cent, rounded down: only what is done is at `100 %`."""
    return per_cent(math.floor(100 * share + 1e-9))


def per_cent(value: float, digits: int = 0) -> str:
    """`12.3 %` of 12.34, with at most `digits` decimals, as the language sets the sign."""
    return _("{value} %", context="per cent", value=number(value, digits))


def fixed_per_cent(value: float, digits: int) -> str:
    """The same with exactly `digits` decimals: `90.0 %`."""
    return _("{value} %", context="per cent", value=fixed(value, digits))


def ago(moment: datetime, reference: datetime | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 d ago`."""
    seconds = ((reference or now()) - moment).total_seconds()
    if seconds >= 86_400:
        return n_("{count} d ago", "{count} d ago", int(seconds // 86_400))
    if seconds >= 3600:
        return n_("{count} h ago", "{count} h ago", int(seconds // 3600))
    if seconds >= 60:
        return n_("{count} min ago", "{count} min ago", int(seconds // 60))
    return _("just now")


def clock(moment: datetime) -> str:
    """The time of day where the server is: `11:20`."""
    return time_of_day(moment)


def of_total(used: float, total: float) -> str:
    """Two sizes in gigabytes of 10⁹ bytes: `17.1 of 24 GB`."""
    return _("{used} of {total} GB", used=_short(used / 1e9), total=_short(total / 1e9))


def time_left(seconds: float | None, at: datetime | None = None) -> str:
    """What is left, and when it will be done on the clock of this machine: `41 min left, done about 11:20`."""
    if seconds is None:
        return ""
    start = (at or now()).astimezone()
    end = (start + timedelta(seconds=seconds)).astimezone()
    left, time = duration(seconds), clock(end)
    if end.date() == start.date():
        return _("{duration} left, done about {time}", duration=left, time=time)
    return _("{duration} left, done about {weekday} {time}", duration=left, weekday=weekday(end), time=time)


def loss(value: float | None) -> str:
    """A loss with three decimals; a dash where there is none."""
    return "–" if value is None else fixed(value, 3)


def speed(tokens_per_second: float | None) -> str:
    return "–" if tokens_per_second is None else _("{count} tokens/s", count=number(tokens_per_second))


def power_of_ten(value: float) -> str:
    """`1.12·10⁻⁴`; plain for 0 and for values from 0.01 to 999."""
    if value == 0 or not math.isfinite(value) or 0.01 <= abs(value) < 1000:
        return significant(value, 3)
    mantissa, _e, exponent = f"{value:.2e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{fixed(float(mantissa), 2)}·10{raised}"


def in_word(count: int) -> str:
    """A small number as English sentences have it: `no`, `one` … `nine`, then figures; figures in other languages."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if language() == ENGLISH and 0 <= count < len(words) else number(count)


def _short(value: float) -> str:
    """One decimal below 100 unless it is a zero, none above."""
    return number(value, 1 if abs(value) < 100 else 0)
