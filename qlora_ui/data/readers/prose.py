"""Plain text, cut at blank lines, and Markdown, cut before each heading: rows with the one column `text`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.blocks import Numbering, gather
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.limits import LONGEST_ROW
from qlora_ui.data.readers.lines import Line, text_lines, too_long
from qlora_ui.data.readers.rows import BadRow, Block, Row

_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def cut_paragraphs(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; rows are numbered `shift` higher than in the file. Raises DataError, OSError."""
    with content.open() as stream:
        pieces = _paragraphs(text_lines(stream, content.name))
        yield from gather(_rows(pieces, Numbering(content.name, shift)), stream, start + shift)


def cut_sections(content: Content, start: int, shift: int) -> Iterator[Block]:
    """As `cut_paragraphs`, for Markdown; what stands before the first heading is a row too."""
    with content.open() as stream:
        pieces = _sections(text_lines(stream, content.name))
        yield from gather(_rows(pieces, Numbering(content.name, shift)), stream, start + shift)


class _Piece:
    """The lines of one row."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._size = 0
        self.line = 0
        self.problem: DataError | None = None

    def add(self, line: Line) -> None:
        self.line = self.line or line.number
        self.problem = self.problem or line.problem
        self._size += len(line.text)
        if self._size <= LONGEST_ROW:
            self._texts.append(line.text)

    @property
    def is_too_long(self) -> bool:
        return self._size > LONGEST_ROW

    @property
    def text(self) -> str:
        """Without blank lines around it."""
        return "".join(self._texts).rstrip()


def _rows(pieces: Iterable[_Piece], numbering: Numbering) -> Iterator[Row | BadRow]:
    for piece in pieces:
        text = piece.text
        problem = too_long(f"{numbering.name}, line {piece.line}") if piece.is_too_long else piece.problem
        if problem is not None:
            yield numbering.bad(problem, text.encode("utf-8", "replace").decode())
        elif text:
            yield numbering.row({"text": text}, piece.line)


def _paragraphs(lines: Iterable[Line]) -> Iterator[_Piece]:
    piece = _Piece()
    for line in lines:
        if line.text.strip():
            piece.add(line)
        elif piece.line:
            yield piece
            piece = _Piece()
    yield piece


def _sections(lines: Iterable[Line]) -> Iterator[_Piece]:
    piece = _Piece()
    fence = ""
    for line in lines:
        mark = _FENCE.match(line.text)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.text.strip().strip(fence[0]):
            fence = ""
        if not fence and piece.line and _HEADING.match(line.text):
            yield piece
            piece = _Piece()
        if piece.line or line.text.strip():
            piece.add(line)
    yield piece
