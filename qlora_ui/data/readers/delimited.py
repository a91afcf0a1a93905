"""CSV and its relatives: the cells of each row under the names of the first line."""

from __future__ import annotations

import csv
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.blocks import Numbering, gather
from qlora_ui.data.readers.content import Content
from qlora_ui.data.readers.limits import BLOCK, LONGEST_ROW
from qlora_ui.data.readers.lines import Line, text_lines, too_long
from qlora_ui.data.readers.rows import BadRow, Block, Row

_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_QUOTES = 'Put text that contains quotes or line breaks in "double quotes", and double each quote inside it.'
_SAMPLE = 20
"""Lines that the delimiter is guessed from; fewer where they are long."""
_MOST_LINES = 1_000_000
"""Of one row: short lines that wait behind a quote that is never closed take far more memory than their text."""


def cut_csv(content: Content, start: int, shift: int) -> Iterator[Block]:
    """Blocks from row `start` on; rows are numbered `shift` higher than in the file. Raises DataError, OSError."""
    yield from _cut(content, start, shift, guess_delimiter)


def cut_tsv(content: Content, start: int, shift: int) -> Iterator[Block]:
    """As `cut_csv`, with tabs."""
    yield from _cut(content, start, shift, lambda lines: "\t")


def guess_delimiter(lines: list[str]) -> str:
    """Comma, semicolon, tab or bar: the one that cuts most of the lines into as many columns as the first, the more the
    better."""
    return max(_NAMES, key=lambda mark: _fit(lines, mark))


def _fit(lines: list[str], mark: str) -> tuple[bool, int, int]:
    widths: list[int] = []
    with suppress(csv.Error):  # the lines are read again as rows, and told of then
        widths.extend(len(cells) for cells in csv.reader(lines, delimiter=mark) if cells)
    header = widths[0] if widths else 0
    return header > 1, Counter(widths)[header], header


def _cut(content: Content, start: int, shift: int, delimiter_of: Callable[[list[str]], str]) -> Iterator[Block]:
    csv.field_size_limit(LONGEST_ROW)  # Python's own limit of 131,072 characters is shorter than many a document
    with content.open() as stream:
        lines = _Lines(text_lines(stream, content.name))
        table = _Table(lines, delimiter_of(lines.sample()), Numbering(content.name, shift))
        yield from gather(table.rows(), stream, start + shift)


class _Lines:
    """The lines of a file for `csv.reader`, which can be given back when they did not make a record."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._ahead: deque[Line] = deque()
        self.taken: list[Line] = []
        """What the present record was made of."""
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.taken.append(line)
        self._size += len(line.text)
        if self._size > LONGEST_ROW or len(self.taken) > _MOST_LINES:
            raise csv.Error
        return line.text

    def sample(self) -> list[str]:
        """The first lines that are not blank, which stay to be read."""
        left = BLOCK
        while left > 0 and len(self._ahead) < _SAMPLE and (line := next(self._lines, None)):
            self._ahead.append(line)
            left -= len(line.text)
        return [line.text for line in self._ahead if line.text.strip()]

    def begin(self) -> None:
        """A new record."""
        self.taken, self._size = [], 0

    def give_back(self) -> None:
        """All lines of the present record but the first."""
        self._ahead.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


class _Table:
    def __init__(self, lines: _Lines, delimiter: str, numbering: Numbering) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._numbering = numbering
        self._name = numbering.name

    def rows(self) -> Iterator[Row | BadRow]:
        """Blank lines are passed over. Raises DataError when the columns have no clear names."""
        header: list[str] = []
        for cells, line, problem in self._records():
            place = f"{self._name}, line {line.number}"
            if not header:
                if problem is not None:
                    raise problem
                header = _header(cells, place)
            elif problem is not None or len(cells) != len(header):
                error = problem or self._wrong_width(place, len(cells), header)
                text = "".join(part.text for part in self._lines.taken)
                yield self._numbering.bad(error, text.encode("utf-8", "replace").decode())
            else:
                yield self._numbering.row(dict(zip(header, cells, strict=True)), line.number)

    def _records(self) -> Iterator[tuple[list[str], Line, DataError | None]]:
        """The cells of each record, the line it starts on, and what is wrong with it."""
        reader = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        while True:
            self._lines.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                broken = self._lines.taken[0].problem or self._broken(error)
                self._lines.give_back()  # the next row may begin on the next line
                yield [], self._lines.taken[0], broken
                continue
            taken = self._lines.taken
            problem = next((line.problem for line in taken if line.problem), None)
            if problem is not None or any(cell.strip() for cell in cells):
                yield cells, taken[0], problem

    def _broken(self, error: csv.Error) -> DataError:
        first, *others = self._lines.taken
        place = f"{self._name}, line {first.number}"
        if not str(error) and not others:
            return too_long(place)
        if str(error) in {"", "unexpected end of data"} or others:
            column = first.text.rfind('"') + 1
            return data_error(f"{place}, column {column}", "the quote that is opened here is not closed.", _QUOTES)
        if "new-line" in str(error):
            column = first.text.index("\r") + 1
            problem = "there is a carriage return without a line feed."
            hint = "Save the file with line feeds (LF, or CR LF) at the end of each line."
            return data_error(f"{place}, column {column}", problem, hint)
        return data_error(place, f"the row cannot be read: {error}.", _QUOTES)

    def _wrong_width(self, place: str, found: int, header: list[str]) -> DataError:
        columns = "1 column" if found == 1 else f"{found} columns"
        cut = f"cut at each {_NAMES[self._delimiter].split()[-1]}, the row has {columns}"
        problem = f"{cut}, but the first line names {len(header)}: {', '.join(header)}."
        hint = f'Put text that contains {_NAMES[self._delimiter]} in "double quotes", and use one delimiter throughout.'
        return data_error(place, problem, hint)


def _header(cells: list[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    if "" in names:
        problem = f"column {names.index('') + 1} has no name."
        hint = "The first line must name each column; pandas writes one without a name unless told index=False."
        raise data_error(place, problem, hint)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise data_error(place, f"the column {twice} appears twice.", "Give each column its own name.")
    return names
