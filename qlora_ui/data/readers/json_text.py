"""One JSON value → what Python makes of it, or one sentence about where and why it is none.

Of a name that comes twice in one object, the last value counts, as everywhere in Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.limits import DEEPEST

BLANKS = " \t\r\n"
LINE_HINT = "Each line must be one whole JSON object, with names and text in double quotes."


class NoJsonError(ValueError):
    """NaN or an infinity, which Python reads and JSON does not know."""


def _refuse(constant: str) -> NoReturn:
    raise NoJsonError(constant)


DECODER = json.JSONDecoder(parse_constant=_refuse)
SCAN: Callable[[str, int], tuple[Any, int]] = DECODER.scan_once  # type: ignore[attr-defined]  # the stubs leave it out
"""As `raw_decode`, with less around it; raises StopIteration where no value begins."""
LENIENT = json.JSONDecoder(parse_int=str)
"""Finds the end of a value that the other one refuses."""


def parse_row(text: str, place: str) -> dict[str, Any]:
    """The object of one line. Raises DataError that names the column where it is broken."""
    content = text.rstrip(BLANKS)  # else what is missing at the end of a line would be missed at the start of the next
    try:
        value, end = DECODER.raw_decode(content, len(content) - len(content.lstrip(BLANKS)))
        if content[end:].lstrip(BLANKS):
            end += len(content[end:]) - len(content[end:].lstrip(BLANKS))
            raise json.JSONDecodeError("Extra data", content, end)
    except json.JSONDecodeError as error:
        problem = f"the JSON is broken: {explain(content, error)}."
        raise data_error(f"{place}, column {error.pos + 1}", problem, LINE_HINT) from None
    except (RecursionError, ValueError) as error:
        column = f", column {found + 1}" if (found := find_constant(content)) is not None else ""
        raise data_error(place + (column if isinstance(error, NoJsonError) else ""), *refused(error)) from None
    return as_row(value, content, place)


def as_row(value: Any, text: str, place: str) -> dict[str, Any]:
    """The value as the columns of a row; `text` is how it was written. Raises DataError."""
    if not isinstance(value, dict) or not value:
        kind = "an empty object" if value == {} else _KINDS.get(type(value), "null")
        hint = 'Write each row as {"column": "value", …}.'
        raise data_error(place, f"a row must be an object with columns, but this is {kind}.", hint)
    if needs_care(text):
        _check_depth(value, place)
        _check_halves(value, place)
    return value


def needs_care(text: str) -> bool:
    """Whether the value may hold half a character or be nested too deeply; quick, and never wrong with no."""
    return "\\ud" in text or "\\uD" in text or text.count("[") + text.count("{") > DEEPEST


def may_need_care(lines: bytes) -> bool:
    """Whether `needs_care` may be true of any of the lines; quicker than asking each."""
    marks = numpy.frombuffer(lines, numpy.uint8)
    if ((marks[:-1] == _BACKSLASH) & (marks[1:] == _U)).any() and _HALF.search(lines):
        return True
    is_opener = marks | _SMALL == _BRACE
    opened = lines.startswith(b"{") + lines.count(b"\n{")  # lines with one at least
    if numpy.count_nonzero(is_opener) < DEEPEST + max(opened, 1):
        return False
    openers = numpy.flatnonzero(is_opener)
    of_line = numpy.searchsorted(numpy.flatnonzero(marks == _LINE_FEED), openers)
    return bool((of_line[DEEPEST:] == of_line[:-DEEPEST]).any())


def explain(text: str, error: json.JSONDecodeError) -> str:
    """What is wrong at the position of the error: `a comma is missing`."""
    at, rest = error.pos, text[error.pos : error.pos + 2]
    if at >= len(text) and (left_open := unclosed(text)):
        return left_open
    if rest[:1] == "#" or rest in {"//", "/*"}:
        return "JSON has no comments"
    if rest[:1] == "'":
        return "names and text stand in double quotes, not in single ones"
    before = text[:at].rstrip(BLANKS)[-1:]
    if rest[:1] in {"]", "}"} and rest[:1] and before == ",":
        return "there is a comma too many"
    if error.msg == "Extra data":
        return "something stands behind the end of the value"
    return error.msg[:1].lower() + error.msg[1:].removesuffix(" at")


def refused(error: Exception) -> tuple[str, str]:
    """The problem and a hint, for what is written correctly and yet cannot be taken."""
    if isinstance(error, NoJsonError):
        return f"{error} is no JSON value.", "Write null where there is no number."
    if isinstance(error, RecursionError):
        return _too_deep()
    return "a number has more than 4,300 digits.", "Put it in double quotes if it is text."


def find_constant(text: str) -> int | None:
    """Where NaN or an infinity stands outside of texts."""
    return next((match.start(1) for match in _CONSTANT.finditer(text) if match[1]), None)


def unclosed(content: str) -> str:
    """What a JSON text that ends too early has left open: `the object is not closed`; empty when that is nothing."""
    opened: list[str] = []
    for match in _PART.finditer(content):
        part = match[0]
        if part in _BRACKETS:
            opened.append(part)
        elif part in {"}", "]"} and opened:
            opened.pop()
    return f"the {_BRACKETS[opened[-1]]} is not closed" if opened else ""


_STRING = r'"(?:[^"\\]++|\\.)*+"?'
_PART = re.compile(_STRING + r"|[\[\]{}]", re.DOTALL)
_CONSTANT = re.compile(_STRING + r"|(NaN|-?Infinity)", re.DOTALL)
_HALF = re.compile(rb"\\u[dD]")
_BACKSLASH, _U, _BRACE, _LINE_FEED = b"\\u{\n"
_SMALL = 0x20
"""What makes { of [."""
_BRACKETS = {"{": "object", "[": "list"}
_KINDS: dict[type, str] = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}


def _too_deep() -> tuple[str, str]:
    return f"lists and objects lie more than {DEEPEST} levels inside one another.", "Write the row with fewer levels."


def _check_depth(value: Any, place: str) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [part for outer in level for part in _parts(outer)]
        if not level:
            return
    raise data_error(place, *_too_deep())


def _parts(value: Any) -> list[Any]:
    """The lists and objects right inside one."""
    inner = value.values() if isinstance(value, dict) else value
    return [part for part in inner if isinstance(part, dict | list)]


def _check_halves(value: Any, place: str) -> None:
    """JSON can spell half a character, which no tokenizer takes. Raises DataError."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        problem = f"the text contains {half}, which is one half of a character."
        raise data_error(place, problem, "Write both halves, or the character itself.") from None
