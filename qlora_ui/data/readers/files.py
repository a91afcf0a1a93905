"""A local file → the rows in it: JSONL, JSON, CSV, TSV, Parquet, Arrow, text and Markdown, each plain or packed.

    path ─ content, streams ─▶ bytes ─ json_lines, json_list, delimited, prose, columns ─▶ blocks ─▶ rows

The bytes are unpacked and bounded; `kinds` says which of the five reads what; `archives` opens the members of a ZIP
archive. A damaged row is a BadRow, and reading goes on; a file that is damaged as a whole ends it with a DataError.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.archives import open_archive
from qlora_ui.data.readers.content import Content, open_regular, stamp_of
from qlora_ui.data.readers.kinds import kind_of, readable
from qlora_ui.data.readers.rows import BadRow, DataFile, Row


def open_file(path: Path, name: str | None = None) -> DataFile:
    """The file as something that gives blocks of rows; the ending of its path tells how, `name` stands in places.

    Text must be UTF-8, with or without a byte order mark. Raises DataError for a file that is absent, empty, of an
    unknown ending or other than its ending says, and for what is no file; it never waits for a pipe or a device.
    """
    place = name or str(path)
    with open_regular(path, place) as file:
        status = os.fstat(file.fileno())
    if path.suffix.lower() == ".zip":
        raise data_error(place, "this is an archive, which may hold several files.", "Choose one file inside it.")
    place = name or path.name
    kind, is_gzipped = kind_of(path.name, place)
    return readable(Content(path, place, status.st_size, stamp_of(path, status), gzipped=is_gzipped), kind, place)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, or of every file in a ZIP archive, read as they are asked for.

    Raises DataError at the first row that is damaged, and when the file as a whole cannot be read.
    """
    number = 1
    for file in open_archive(path) if path.suffix.lower() == ".zip" else [open_file(path)]:
        for block in file.blocks(first=number):
            for row in block.rows():
                if isinstance(row, BadRow):
                    raise row.error
                yield row
                number = row.number + 1
