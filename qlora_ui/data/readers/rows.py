"""What readers give: rows, rows that are damaged, and blocks of either that another process can unpack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from qlora_ui.contract.errors import DataError

Raw = bytes
"""The type, for blocks, which have a field of that name."""


@dataclass(slots=True)
class Row:
    """One record of a file. Nobody changes it; to be frozen would double the time that making one takes."""

    number: int
    """1 for the first row; over several files and sources it goes on counting."""
    values: dict[str, Any]
    """Column → value."""
    line: int | None = None
    """The line of the file on which the row starts, from 1; None where the file has no lines or they are not known."""
    file: str = ""
    row_in_file: int | None = None
    """Where `number` counts over several files: the number in this one."""

    @property
    def place(self) -> str:
        if self.line is not None:
            return f"{self.file}, line {self.line}"
        return f"{self.file}, row {self.row_in_file or self.number}"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be read, in a file whose other records can."""

    number: int
    error: DataError
    """With its place."""
    content: str = ""
    """What stood there, cut to 2,000 characters."""


class Block(Protocol):
    """Some neighbouring rows of one file, about a megabyte of it. It can be pickled and is unpacked where it is needed.

    Cutting a file into blocks is cheap; what costs (parsing, converting) happens in `rows`.
    """

    @property
    def first(self) -> int:
        """The number of its first row."""

    @property
    def count(self) -> int:
        """How many rows (whole or bad) it has."""

    @property
    def bytes(self) -> int:
        """How much of the file as it lies on the disk it stands for, for the progress."""

    def rows(self) -> Iterator[Row | BadRow]: ...


class DataFile(Protocol):
    """One file (or table) that rows come from."""

    @property
    def name(self) -> str:
        """As places name it: `train.jsonl`, `archive.zip/part/train.jsonl`, `hub:owner/name`."""

    @property
    def bytes(self) -> int | None:
        """On the disk; None where it is not known."""

    @property
    def stamp(self) -> str:
        """Another one whenever the file may have changed: its path, size, time of change and so on; costs nothing."""

    def blocks(self, first: int = 1, start: int = 1) -> Iterator[Block]:
        """Its rows from its row `start` on, in order, the first row of the file having the number `first`.

        Raises DataError, with its place, where the file as a whole cannot be read (any further).
        """
        ...

    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal, of the bytes or of what stands for them; remembered while the file stays the same."""
        ...
