"""JSONL: one object a line. A file is cut into megabytes of whole lines, which are parsed where they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.blocks import CONTENT, RowsBlock
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.json_text import SCAN, may_need_care, needs_care, parse_row
from qlora_ui.data.readers.lines import line_chunks, problem_in, too_long
from qlora_ui.data.readers.rows import BadRow, Block, Raw, Row

_PIECE = 64 * 1024
"""Bytes that are decoded at a time: what fits the processor's cache goes a quarter faster."""
_LINE_FEED, _SPACE = ord("\n"), ord(" ")
_BLANKS = " \t\r\n\v\f"
"""What `bytes.strip` takes away."""


@dataclass(frozen=True, slots=True)
class LinesBlock:
    """Whole lines that are not parsed yet."""

    first: int
    count: int
    bytes: int
    name: str
    """Of the file."""
    raw: Raw
    line: int
    """The number of the first line in the file."""
    row_in_file: int | None
    """The number of the first row in this file, where `first` counts over several."""

    def rows(self) -> Iterator[Row | BadRow]:
        scan, name, number, in_file = SCAN, self.name, self.first, self.row_in_file
        for line_before, texts, is_utf8, is_doubtful in self._pieces():
            for line, text in enumerate(texts, start=line_before + 1):
                try:
                    value, end = scan(text, 0)
                    is_plain = end == len(text) and type(value) is dict and is_utf8
                except (StopIteration, ValueError, RecursionError):
                    is_plain = False
                if is_plain and value and not (is_doubtful and needs_care(text)):
                    yield Row(number, value, line, name, in_file)
                elif text.strip(_BLANKS):
                    yield self._carefully(number, line, text, in_file)
                else:
                    continue
                number += 1
                in_file = in_file and in_file + 1

    def _pieces(self) -> Iterator[tuple[int, list[str], bool, bool]]:
        """How many lines are before, some lines, whether they are UTF-8 and whether any may need care.

        Bytes that are not UTF-8 stand as lone surrogates.
        """
        line, start = self.line - 1, 0
        while start < len(self.raw):
            end = self.raw.find(b"\n", start + _PIECE)
            end = end if end >= 0 else len(self.raw) - self.raw.endswith(b"\n")
            piece = self.raw[start:end]
            try:
                texts, is_utf8 = piece.decode().split("\n"), True
            except UnicodeDecodeError:
                texts, is_utf8 = piece.decode("utf-8", "surrogateescape").split("\n"), False
            yield line, texts, is_utf8, may_need_care(piece)
            line, start = line + len(texts), end + 1

    def _carefully(self, number: int, line: int, text: str, in_file: int | None) -> Row | BadRow:
        """A line with blanks around it, one that needs care, or a broken one."""
        place = f"{self.name}, line {line}"
        try:
            if problem := problem_in(text, place):
                raise problem
            return Row(number, parse_row(text, place), line, self.name, in_file)
        except DataError as error:
            return BadRow(number, error, text[:CONTENT].encode("utf-8", "replace").decode())


def cut_json_lines(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; rows are numbered `shift` higher than in the file. Raises DataError, OSError."""
    row, line, position = 1, 1, 0
    with content.open() as stream:
        for raw, is_whole in line_chunks(stream):
            lines, rows = _count(raw) if is_whole else (1, 1)
            block = LinesBlock(
                row + shift, rows, stream.position - position, content.name, raw, line, row if shift else None
            )
            if not is_whole:
                text = raw.decode("utf-8", "replace")[:CONTENT]
                bad = BadRow(block.first, too_long(f"{content.name}, line {line}"), text)
                if row >= start:
                    yield RowsBlock(block.first, 1, block.bytes, [bad])
            elif rows and row + rows > start:
                yield _without(block, start - row)
            row, line, position = row + rows, line + lines, stream.position


def _count(raw: bytes) -> tuple[int, int]:
    """Lines, and how many of them are not blank."""
    marks = numpy.frombuffer(raw, numpy.uint8)
    starts = numpy.flatnonzero(marks[:-1] == _LINE_FEED) + 1
    lines = len(starts) + 1
    if marks[0] > _SPACE and not (marks[starts] <= _SPACE).any():
        return lines, lines
    return lines, sum(1 for line in raw.split(b"\n") if line.strip())


def _without(block: LinesBlock, rows: int) -> LinesBlock:
    """The block without its first few rows."""
    if rows <= 0:
        return block
    left, line, offset = rows, block.line, 0
    while left:
        end = block.raw.index(b"\n", offset) + 1
        left -= bool(block.raw[offset:end].strip())
        line, offset = line + 1, end
    return replace(
        block,
        first=block.first + rows,
        count=block.count - rows,
        raw=block.raw[offset:],
        line=line,
        row_in_file=block.row_in_file and block.row_in_file + rows,
    )
