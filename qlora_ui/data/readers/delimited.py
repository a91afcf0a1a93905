"""CSV and its relatives → the cells of each row under the names of the first line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.lines import text_lines

_LONGEST_FIELD = 64 * 1024 * 1024
"""Characters; Python's own limit of 131,072 is shorter than many a document."""

_NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


def delimited_rows(path: Path, delimiter: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The line each row starts on, and its cells by column. Blank lines are passed over. Raises DataError."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    reader = csv.reader((line for _, line in text_lines(path)), delimiter=delimiter, strict=True)
    header: list[str] = []
    start = 1
    try:
        for cells in reader:
            place = f"{path.name}, line {start}"
            if not any(cell.strip() for cell in cells):
                pass
            elif not header:
                header = _header(cells, place)
            elif len(cells) != len(header):
                raise _wrong_width(place, len(cells), header, delimiter)
            else:
                yield start, dict(zip(header, cells, strict=True))
            start = reader.line_num + 1
    except csv.Error as error:
        hint = 'Put text that contains quotes or line breaks in "double quotes", and double each quote inside it.'
        raise data_error(f"{path.name}, line {start}", f"the row cannot be read: {error}.", hint) from None


def guess_delimiter(path: Path) -> str:
    """The mark that cuts the first line into the most columns: comma, semicolon, tab or bar."""
    header = next((line for _, line in text_lines(path) if line.strip()), "")
    return max(_NAMES, key=lambda mark: _width(header, mark))


def _width(line: str, mark: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=mark), []))
    except csv.Error:
        return 0  # the line is read again as a row, and told of then


def _header(cells: list[str], place: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    if "" in names:
        problem = f"column {names.index('') + 1} has no name."
        raise data_error(place, problem, "The first line must name each column.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise data_error(place, f"the column {twice} appears twice.", "Give each column its own name.")
    return names


def _wrong_width(place: str, found: int, header: list[str], delimiter: str) -> DataError:
    columns = "1 column" if found == 1 else f"{found} columns"
    problem = f"the row has {columns}, but the first line names {len(header)}: {', '.join(header)}."
    return data_error(place, problem, f'Put text that contains {_NAMES[delimiter]} in "double quotes".')
