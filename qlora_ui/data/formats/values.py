"""Single values of a row: what kind they are in plain words, and how they are read as text, lists and labels."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable
from typing import Any

_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    ((list, tuple), "a list"),
    (dict, "an object"),
    ((bytes, bytearray), "raw bytes"),
    ((datetime.date, datetime.time), "a date"),
)

_YES = frozenset({"true", "yes", "1", "1.0"})
_NO = frozenset({"false", "no", "0", "0.0"})


def kind_of(value: Any) -> str:
    """What a value is, in plain words: `a list`."""
    if is_missing(value):
        return "nothing"
    if value in ([], {}, ()):
        return "an empty object" if isinstance(value, dict) else "an empty list"
    return next((words for types, words in _KINDS if isinstance(value, types)), "a value of another kind")


def is_missing(value: Any) -> bool:
    """None, or what tables write into an empty cell of a column of numbers."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_of(value: Any) -> str | None:
    """Text as it is, spaces and all; a number as its digits; nothing as the empty text. None for anything else."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return str(value)
        except ValueError:  # thousands of digits
            return None
    return None


def label_of(value: Any) -> bool | None:
    """A label that says wanted or not, also as 0 and 1 or in words; None for anything else."""
    word = (str(value) if isinstance(value, bool) else text_of(value) or "").strip().lower()
    return True if word in _YES else False if word in _NO else None


def unpacked(value: Any) -> Any:
    """A list or an object, also where a table holds it as JSON text; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def packed(value: Any) -> str | None:
    """A list or an object as JSON; None where it is nested too deep to be written."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return None


def joined(*parts: str) -> str:
    """The parts that are not empty, with an empty line between them."""
    return "\n\n".join(part for part in parts if part)


def listed(names: Iterable[object]) -> str:
    """`a, b and c`."""
    words = [str(name) for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
