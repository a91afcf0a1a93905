"""Numbers and dates as the reader's language writes them."""

from __future__ import annotations

import math
import sys
from datetime import date, datetime
from functools import lru_cache

from babel import Locale, dates, numbers

from qlora_ui.locales import locale

LONGEST = 1e15
"""From there on a number is written as a power of ten: nobody reads so many digits, and not all of them are known."""


def number(value: float, digits: int = 0) -> str:
    """With the language's separators and at most `digits` decimals, zeros at the end left out: `1,024.5`, `1.024,5`."""
    return _written(value, "#,##0" + ("." + "#" * digits if digits else ""))


def fixed(value: float, digits: int) -> str:
    """With exactly `digits` decimals: `0.500`, `0,500`."""
    return _written(value, _fixed_format(digits))


def signed(value: float, digits: int) -> str:
    """A difference, with its sign and exactly `digits` decimals: `+0.180`, `−2,600`."""
    form = _fixed_format(digits)
    return _written(value, f"+{form};−{form}")


def significant(value: float, digits: int) -> str:
    """With at most `digits` figures behind the first that is not 0, none of them a 0 at the end: `0.0012`, `8,03`."""
    if value == 0 or not math.isfinite(value):
        return number(value)
    return number(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def day(moment: date | datetime) -> str:
    """`Nov 23, 2026`, `23.11.2026`, `2026年11月23日`, on the clock of this machine."""
    return dates.format_date(_local(moment), "medium", locale=locale())


def day_of_year(moment: date | datetime) -> str:
    """Without the year: `November 23`, `23. November`, `11月23日`."""
    return dates.format_skeleton("MMMMd", _local(moment), locale=locale())


def moment_in_full(moment: datetime) -> str:
    """Day and time: `November 23, 2026, 11:20`, `23. November 2026, 11:20`, `2026年11月23日 11:20`."""
    written_day = dates.format_date(_local(moment), "long", locale=locale())
    return str(locale().datetime_formats["medium"]).format(time_of_day(moment), written_day)


def weekday(moment: datetime) -> str:
    """`Monday`, `Montag`, `星期一`."""
    return dates.format_date(moment.astimezone(), "EEEE", locale=locale())


def time_of_day(moment: datetime) -> str:
    """`11:20` on the clock of this machine, in every language."""
    return f"{moment.astimezone():%H:%M}"


def _local(moment: date | datetime) -> date | datetime:
    return moment.astimezone() if isinstance(moment, datetime) else moment


def _fixed_format(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _written(value: float, form: str) -> str:
    """Plain decimals up to `LONGEST`; what is no number is a dash, and what is beyond all of them its sign."""
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        value = math.inf if value > 0 else -math.inf
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if abs(value) >= LONGEST:
        return str(numbers.format_scientific(value, format="0.00E0", locale=locale()))
    return _formatted(str(value), form, locale())


@lru_cache(maxsize=4096)
def _formatted(value: str, form: str, written_in: Locale) -> str:
    """Kept, because all tabs on one run write the same figures at the same time."""
    return str(numbers.format_decimal(value, format=form, locale=written_in))
