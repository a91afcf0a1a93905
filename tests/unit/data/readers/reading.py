"""What there is in a file, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from qlora_ui.contract.errors import DataError
from qlora_ui.data.readers.files import open_archive, open_file
from qlora_ui.data.readers.rows import BadRow, DataFile, Row


def files(path: Path) -> list[DataFile]:
    """The file itself, or every data file in an archive."""
    return open_archive(path, path.name) if path.suffix == ".zip" else [open_file(path, path.name)]


def whole_rows(path: Path) -> Iterator[Row]:
    """As they are asked for. Raises DataError at the first row that is damaged."""
    number = 1
    for file in files(path):
        for block in file.blocks(first=number):
            for row in block.rows():
                if isinstance(row, BadRow):
                    raise row.error
                yield row
            number = block.first + block.count


def read(path: Path) -> tuple[list[Row], list[BadRow], DataError | None]:
    """Whole rows, bad rows, and what ended the reading. The rows of each file are numbered from 1."""
    rows: list[Row] = []
    bad: list[BadRow] = []
    try:
        for file in files(path):
            for block in file.blocks():
                items = list(block.rows())
                assert [item.number for item in items] == list(range(block.first, block.first + block.count))
                rows.extend(item for item in items if isinstance(item, Row))
                bad.extend(item for item in items if isinstance(item, BadRow))
    except DataError as error:
        return rows, bad, error
    return rows, bad, None
