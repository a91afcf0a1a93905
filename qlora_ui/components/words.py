"""Figures as a person says them: times, sizes, shares."""

from __future__ import annotations

from datetime import datetime

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
