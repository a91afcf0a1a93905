"""Rows of a hub dataset, from the Arrow files in which `datasets` keeps it on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.columns import ColumnsBlock
from qlora_ui.data.readers.rows import BadRow, Block, Row

_BLOCK = 1_000_000
"""Bytes, about."""
_DAMAGED = "Remove the dataset from the cache of the hub's libraries (HF_HOME), and fetch it again."


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring rows of one Arrow file."""

    path: Path
    skip: int
    """Rows of the file before the first one taken."""
    rows: int
    bytes: int
    """Of the file, as much as these rows are of all its rows."""


@dataclass(frozen=True, slots=True)
class HubTable:
    """A split, or a slice of one: a DataFile."""

    name: str
    parts: tuple[Part, ...]
    columns: tuple[str, ...]
    """Those that are read."""
    identity: str
    """Which dataset, configuration and commit this is."""

    @property
    def bytes(self) -> int | None:
        return sum(part.bytes for part in self.parts)

    @property
    def stamp(self) -> str:
        return self.fingerprint()

    def blocks(self, first: int = 1, start: int = 1) -> Iterator[Block]:
        """See DataFile. No file is touched before the rows of a block are asked for."""
        before = 0
        for part in self.parts:
            each = max(1, _BLOCK * part.rows // max(part.bytes, 1))
            for begin in range(max(0, start - 1 - before), part.rows, each):
                count = min(each, part.rows - begin)
                number = before + begin + 1
                share = part.bytes * count // part.rows
                skip = part.skip + begin
                yield TableBlock(self.name, self.columns, part.path, skip, first + number - 1, count, share, number)
            before += part.rows

    def fingerprint(self) -> str:
        """Of the commit and the rows taken of it: a commit never changes, so that its bytes need not be read."""
        parts = [(part.path.name, part.skip, part.rows) for part in self.parts]
        return hashlib.sha256(json.dumps([self.identity, parts, self.columns]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Neighbouring rows of an Arrow file: says where they are, and holds none."""

    name: str
    columns: tuple[str, ...]
    path: Path
    skip: int
    """Rows of the Arrow file before it."""
    first: int
    count: int
    bytes: int
    row_in_file: int
    """Of its first row, counted from 1 over the rows that are taken."""

    def rows(self) -> Iterator[Row | BadRow]:
        """Raises DataError when the file is gone or damaged."""
        import pyarrow

        try:
            table = _mapped(self.path).slice(self.skip, self.count).select(list(self.columns))
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            problem = f"what is cached of it on this machine cannot be read ({reason})."
            raise data_error(self.name, problem, _DAMAGED) from None
        if len(table) != self.count:
            raise data_error(self.name, f"the file {self.path} has fewer rows than it should.", _DAMAGED)
        shift = self.first - self.row_in_file
        batch = sink.getvalue().to_pybytes()
        yield from ColumnsBlock(self.first, self.count, self.bytes, self.name, shift, batch).rows()


@lru_cache(maxsize=4)
def _mapped(path: Path) -> Any:
    """The whole file as a table. It is mapped, not read: what it takes of memory, the system can take back."""
    import pyarrow

    return pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all()
