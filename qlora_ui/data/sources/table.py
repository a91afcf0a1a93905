"""Rows of a hub dataset, from the Arrow files in which `datasets` keeps it on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.rows import BadRow, Row

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

    def blocks(self, first: int = 1, start: int = 1) -> Iterator[TableBlock]:
        """See DataFile. No file is touched before the rows of a block are asked for."""
        before = 0
        for part in self.parts:
            each = max(1, _BLOCK * part.rows // max(part.bytes, 1))
            for begin in range(max(0, start - 1 - before), part.rows, each):
                count = min(each, part.rows - begin)
                number = before + begin + 1
                share = part.bytes * count // part.rows
                yield TableBlock(self, part, begin, first + number - start, count, share, number)
            before += part.rows

    def fingerprint(self) -> str:
        """Of the commit and the rows taken of it: a commit never changes, so that its bytes need not be read."""
        parts = [(part.path.name, part.skip, part.rows) for part in self.parts]
        return hashlib.sha256(json.dumps([self.identity, parts, self.columns]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Neighbouring rows of a part: names where they are, and holds none."""

    table: HubTable
    part: Part
    begin: int
    """Rows of the part before it."""
    first: int
    count: int
    bytes: int
    row_in_file: int
    """Of its first row."""

    def rows(self) -> Iterator[Row | BadRow]:
        """Raises DataError when the file is gone or damaged."""
        for i, values in enumerate(_values(self.part.path, self.table, self.part.skip + self.begin, self.count)):
            yield Row(self.first + i, values, None, self.table.name, self.row_in_file + i)


def _values(path: Path, table: HubTable, skip: int, count: int) -> Iterator[dict[str, Any]]:
    import pyarrow

    try:
        taken = _mapped(path).slice(skip, count).select(list(table.columns))
        if len(taken) != count:
            raise data_error(table.name, f"the file {path} has fewer rows than it should.", _DAMAGED)
        columns = [_column(taken.column(name)) for name in table.columns]
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise data_error(table.name, f"what is cached on this machine cannot be read ({reason}).", _DAMAGED) from None
    for values in zip(*columns, strict=True):
        yield dict(zip(table.columns, values, strict=True))


@lru_cache(maxsize=4)
def _mapped(path: Path) -> Any:
    """The whole file as a table. It is mapped, not read: what it takes of memory, the system can take back."""
    import pyarrow

    return pyarrow.ipc.open_stream(pyarrow.memory_map(str(path))).read_all()


def _column(column: Any) -> list[Any]:
    decode = _decoder(column.type)
    values: list[Any] = column.to_pylist()
    return list(map(decode, values)) if decode else values


def _decoder(kind: Any) -> Callable[[Any], Any] | None:
    """How to make values of what stands in the file; None where they are values already.

    Objects whose keys differ from row to row are kept as JSON texts, which Arrow calls `arrow.json`.
    """
    import pyarrow

    if getattr(kind, "extension_name", "") == "arrow.json":
        return lambda text: None if text is None else json.loads(text)
    if pyarrow.types.is_struct(kind):
        decoders = {field.name: decode for field in kind if (decode := _decoder(field.type))}
        return (lambda value: _decoded(value, decoders)) if decoders else None
    is_list = pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind) or pyarrow.types.is_fixed_size_list(kind)
    decode = _decoder(kind.value_type) if is_list else None
    return (lambda values: None if values is None else [decode(value) for value in values]) if decode else None


def _decoded(value: dict[str, Any] | None, decoders: dict[str, Callable[[Any], Any]]) -> dict[str, Any] | None:
    if value is None:
        return None
    return {key: decoders[key](item) if key in decoders else item for key, item in value.items()}
