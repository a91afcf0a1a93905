"""JSON: a list of objects, read without ever holding more than a part of the file.

`[{…}, {…}]`, or `{"data": [{…}, {…}]}`, or columns: `{"text": {"0": …, "1": …}}` and `{"text": […]}`, which must be
small enough to be held as a whole. After broken JSON nobody can tell where the next row begins, so reading ends there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.blocks import Numbering, gather
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.json_lines import cut_json_lines
from qlora_ui.data.readers.json_text import as_row
from qlora_ui.data.readers.json_window import LIST_HINT, JsonWindow
from qlora_ui.data.readers.limits import LONGEST_ROW, megabytes
from qlora_ui.data.readers.rows import BadRow, Block, Row


def cut_json(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; rows are numbered `shift` higher than in the file. Raises DataError, OSError."""
    with content.open() as stream:
        window = JsonWindow(stream, content.name)
        if not _is_json_lines(window.beginning()):
            rows = _rows(window, Numbering(content.name, shift))
            yield from gather(rows, stream, start + shift)
            return
    yield from cut_json_lines(content, start, shift)


def _is_json_lines(beginning: str) -> bool:
    """Objects one after the other, under the wrong ending: the first line is a whole object by itself."""
    first, _, rest = beginning.lstrip().partition("\n")
    try:
        return bool(rest.strip()) and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _rows(window: JsonWindow, numbering: Numbering) -> Iterator[Row | BadRow]:
    mark = window.peek()
    if mark == "[":
        yield from _elements(window, numbering)
    elif mark == "{":
        yield from _members(window, numbering)
    elif mark:
        window.value()  # broken JSON is named before a wrong kind
        raise _no_list(numbering.name)
    if window.peek():
        raise window.broken("something stands behind the end of the list")


def _elements(window: JsonWindow, numbering: Numbering) -> Iterator[Row | BadRow]:
    """The rows of a list; the window stands at its bracket, and after it when all are read."""
    window.skip("[", "the list is not opened")
    if window.peek() == "]":
        window.skip("]", "")
        return
    while True:
        if not window.peek():
            raise window.broken("the list is not closed")
        value, text, error = window.value_or_refusal()
        place = f"{numbering.name}, row {numbering.number + 1}"
        try:
            if error is not None:
                raise data_error(place, *error)
            yield numbering.row(as_row(value, text, place))
        except DataError as problem:
            yield numbering.bad(problem, text)
        if window.peek() != ",":
            window.skip("]", "a comma or the end of the list is missing", "the list is not closed")
            return
        window.skip(",", "")
        if window.peek() == "]":
            raise window.broken("there is a comma too many")


def _members(window: JsonWindow, numbering: Numbering) -> Iterator[Row | BadRow]:
    """The rows inside an object: the list of objects that is its only member or is called data, or else its columns."""
    members: dict[str, Any] = {}
    found: str | None = None
    size = 0
    for key in _keys(window):
        if found is None and (key == "data" or not members) and window.peeks_at_objects():
            found = key
            yield from _elements(window, numbering)
            continue
        members[key], text = window.value()
        size += len(text)
        if size > LONGEST_ROW:
            problem = f"columns of more than {megabytes(LONGEST_ROW)} cannot be put together."
            raise data_error(numbering.name, problem, "Save the rows as .jsonl, one object on each line.")
    if found is None:
        for values in _rows_of_columns(members, numbering.name):
            yield numbering.row(values)
    elif members and found != "data":
        problem = f"beside the list {found} the file holds {', '.join(list(members)[:5])}."
        raise data_error(numbering.name, problem, LIST_HINT)


def _keys(window: JsonWindow) -> Iterator[str]:
    """The names in an object; whoever asks has read the value of each before asking for the next."""
    window.skip("{", "the object is not opened")
    while window.peek() != "}":
        if not window.peek():
            raise window.broken("the object is not closed")
        if window.peek() != '"':
            window.value()  # names what is broken, if it is
            raise window.broken("a name in double quotes is missing")
        key, _ = window.value()
        window.skip(":", "a colon is missing after the name", "the object is not closed")
        window.peek()
        yield key
        if window.peek() != ",":
            break
        window.skip(",", "")
        if window.peek() == "}":
            raise window.broken("there is a comma too many")
    window.skip("}", "a comma or the end of the object is missing", "the object is not closed")


def _rows_of_columns(members: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """Rows of columns: each a list, or an object from row numbers to values. Raises DataError."""
    columns = {key: _column(value) for key, value in members.items()}
    if not columns or any(column is None for column in columns.values()):
        raise _no_list(name)
    first, *others = columns
    indexes = list(columns[first] or {})
    for other in others:
        if set(columns[other] or {}) != set(indexes):
            problem = f"the columns {first} and {other} do not have the same rows."
            raise data_error(name, problem, "Save the rows as .jsonl, one object on each line.")
    for index in indexes:
        yield {key: (column or {})[index] for key, column in columns.items()}


def _column(value: Any) -> dict[str, Any] | None:
    """Row number → value; None for what is no column."""
    if isinstance(value, list):
        return {str(index): cell for index, cell in enumerate(value)}
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return value
    return None


def _no_list(name: str) -> DataError:
    return data_error(name, "a .json file must hold a list of objects.", LIST_HINT)
