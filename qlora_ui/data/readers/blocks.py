"""Rows that were read while their file was cut, gathered into blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.limits import BLOCK_ROWS
from qlora_ui.data.readers.rows import BadRow, Row
from qlora_ui.data.readers.streams import Stream

CONTENT = 2000
"""Characters that are kept of a row that cannot be read."""


@dataclass(frozen=True, slots=True)
class RowsBlock:
    """A block whose rows are there already."""

    first: int
    count: int
    bytes: int
    items: list[Row | BadRow]

    def rows(self) -> Iterator[Row | BadRow]:
        return iter(self.items)


class Numbering:
    """Gives each row of a file its number as it comes: from 1 in the file, and with `shift` more over all files."""

    def __init__(self, name: str, shift: int, number: int = 0) -> None:
        self.name = name
        self.number = number
        """Of the last row, in this file."""
        self._shift = shift

    @property
    def place(self) -> str:
        """Of the last row, where no line is known."""
        return f"{self.name}, row {self.number}"

    def row(self, values: dict[str, Any], line: int | None = None) -> Row:
        self.number += 1
        return Row(self.number + self._shift, values, line, self.name, self.number if self._shift else None)

    def bad(self, error: DataError, content: str = "") -> BadRow:
        self.number += 1
        return BadRow(self.number + self._shift, error, content[:CONTENT])


def gather(rows: Iterable[Row | BadRow], stream: Stream, from_number: int) -> Iterator[RowsBlock]:
    """Blocks of the rows with `from_number` and above: about one for each time that the stream was read from.

    Where reading fails, the rows before are given first. Raises DataError.
    """
    items: list[Row | BadRow] = []
    given: int | None = None
    position = 0
    failure: DataError | None = None
    try:
        for row in rows:
            given = stream.given if given is None else given
            if row.number >= from_number:
                items.append(row)
            if stream.given != given or len(items) >= BLOCK_ROWS:
                if items:
                    yield RowsBlock(items[0].number, len(items), stream.position - position, items)
                items, given, position = [], stream.given, stream.position
    except DataError as error:
        failure = error
    if items:
        yield RowsBlock(items[0].number, len(items), stream.position - position, items)
    if failure is not None:
        raise failure
