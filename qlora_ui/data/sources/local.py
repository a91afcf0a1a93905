"""The one place that knows which readers there are for a path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from qlora_ui.data.places import data_error
from qlora_ui.data.readers import files as reader
from qlora_ui.data.readers.rows import BadRow, Block, DataFile, Row


def open_path(path: Path, name: str) -> list[DataFile]:
    return [PlainFile(path, name, path.stat().st_size)]


def is_known(name: str) -> bool:
    return Path(name).suffix.lower() in reader.READERS


@dataclass(frozen=True)
class PlainBlock:
    first: int
    count: int
    bytes: int
    content: list[Row] = field(default_factory=list)

    def rows(self) -> Iterator[Row | BadRow]:
        yield from self.content


@dataclass(frozen=True)
class PlainFile:
    path: Path
    name: str
    bytes: int | None

    def blocks(self, first: int = 1, start: int = 1) -> Iterator[Block]:
        rows = islice(reader.read_rows(self.path), start - 1, None)
        while taken := list(islice(rows, 500)):
            content = [
                Row(first + i, row.values, row.line, self.name, row.number) for i, row in enumerate(taken)
            ]
            yield PlainBlock(first, len(content), 0, content)
            first += len(content)

    def fingerprint(self) -> str:
        try:
            with self.path.open("rb") as source:
                return hashlib.file_digest(source, "sha256").hexdigest()
        except OSError as error:
            raise data_error(self.name, f"the file cannot be read: {error.strerror}.") from None
