"""JSONL: one object on each line. A file is cut into megabytes of whole lines, which are parsed where they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.blocks import CONTENT, RowsBlock
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.json_text import BLANKS, DECODER, needs_care, parse_row
from qlora_ui.data.readers.lines import line_chunks, problem_in, too_long
from qlora_ui.data.readers.rows import BadRow, Block, Row

_BLANK_BYTES = b" \t\r\n"
_BLANK_STARTS = (b"\n\n", b"\n\r", b"\n ", b"\n\t")


@dataclass(frozen=True, slots=True)
class LinesBlock:
    """Whole lines that are not parsed yet."""

    first: int
    count: int
    bytes: int
    name: str
    """Of the file."""
    raw: bytes
    line: int
    """The number of the first line in the file."""
    row_in_file: int | None
    """The number of the first row in this file, where `first` counts over several."""

    def rows(self) -> Iterator[Row | BadRow]:
        scan, name, number, in_file = DECODER.scan_once, self.name, self.first, self.row_in_file
        texts, is_utf8 = self._texts()
        for line, text in enumerate(texts, start=self.line):
            content = text.strip(BLANKS)
            if not content:
                continue
            try:
                value, end = scan(content, 0)
                is_plain = is_utf8 and end == len(content) and type(value) is dict and not needs_care(content)
            except (StopIteration, ValueError, RecursionError):
                is_plain = False
            if is_plain and value:
                yield Row(number, value, line, name, in_file)
            else:
                yield self._slowly(number, line, text, in_file)
            number += 1
            in_file = in_file and in_file + 1

    def _texts(self) -> tuple[list[str], bool]:
        """The lines, and whether they are UTF-8; else the wrong bytes stand as lone surrogates."""
        try:
            return self.raw.decode().split("\n"), True
        except UnicodeDecodeError:
            return self.raw.decode("utf-8", "surrogateescape").split("\n"), False

    def _slowly(self, number: int, line: int, text: str, in_file: int | None) -> Row | BadRow:
        """A line that needs care, or is broken."""
        place = f"{self.name}, line {line}"
        try:
            if problem := problem_in(text, place):
                raise problem
            return Row(number, parse_row(text, place), line, self.name, in_file)
        except DataError as error:
            return BadRow(number, error, text[:CONTENT].encode("utf-8", "replace").decode())


def cut_json_lines(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; the numbers of rows are `shift` higher than in the file. Raises DataError, OSError."""
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
    lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    if raw.startswith((b" ", b"\t", b"\r", b"\n")) or any(blank in raw for blank in _BLANK_STARTS):
        return lines, sum(1 for line in raw.split(b"\n") if line.strip(_BLANK_BYTES))
    return lines, lines


def _without(block: LinesBlock, rows: int) -> LinesBlock:
    """The block without its first few rows."""
    if rows <= 0:
        return block
    left, line, offset = rows, block.line, 0
    while left:
        end = block.raw.index(b"\n", offset) + 1
        left -= bool(block.raw[offset:end].strip(_BLANK_BYTES))
        line, offset = line + 1, end
    return replace(
        block,
        first=block.first + rows,
        count=block.count - rows,
        raw=block.raw[offset:],
        line=line,
        row_in_file=block.row_in_file and block.row_in_file + rows,
    )
