"""Numbers and dates as the reader's language writes them."""

from __future__ import annotations

from datetime import date, datetime

from babel import dates, numbers

from qlora_ui.locales import locale


def number(value: float, digits: int = 0) -> str:
    """With the language's separators and at most `digits` decimals, zeros at the end left out: `1,024.5`, `1.024,5`."""
    return str(numbers.format_decimal(value, format="#,##0" + ("." + "#" * digits if digits else ""), locale=locale()))


def fixed(value: float, digits: int) -> str:
    """With exactly `digits` decimals: `0.500`, `0,500`."""
    return str(numbers.format_decimal(value, format="#,##0" + ("." + "0" * digits if digits else ""), locale=locale()))


def day(moment: date | datetime) -> str:
    """`Nov 23, 2026`, `23.11.2026`, `2026年11月23日`, on the clock of this machine."""
    local = moment.astimezone() if isinstance(moment, datetime) else moment
    return dates.format_date(local, "medium", locale=locale())


def weekday(moment: datetime) -> str:
    """`Monday`, `Montag`, `星期一`."""
    return dates.format_date(moment.astimezone(), "EEEE", locale=locale())


def time_of_day(moment: datetime) -> str:
    """`11:20` on the clock of this machine, in every language."""
    return f"{moment.astimezone():%H:%M}"
