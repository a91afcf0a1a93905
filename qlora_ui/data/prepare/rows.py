"""What is known of all rows once every block is done: a few numbers for each, and their tokens on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.errors import DataError
from qlora_ui.data.checks.near import BINS
from qlora_ui.data.places import problem_of
from qlora_ui.data.prepare.work import DIGEST, BadOne, Digests, Done

NAMED = 50
"""Rows that are named of those that something is true of."""
_PROBLEMS = 200
"""Different problems of bad rows that are told apart."""


Problem = tuple[str, str, str]
"""The kind of finding, what is wrong, and what to do."""


@dataclass
class Group:
    """Rows that something is true of: all are counted, the first 50 are named."""

    count: int = 0
    first: list[int] = field(default_factory=list)
    place: str = ""
    """Of the first row that cannot be used."""

    @classmethod
    def of(cls, numbers: NDArray[np.int64]) -> Group:
        """Of rows in their order; one that comes several times, by several of its examples, is one."""
        rows = np.unique(numbers)
        return cls(len(rows), rows[:NAMED].tolist())

    def add(self, numbers: list[int]) -> None:
        self.count += len(numbers)
        self.first += numbers[: NAMED - len(self.first)]


@dataclass(frozen=True)
class Rows:
    """All rows of a side that have examples, in order; and what became of the others."""

    total: int
    """With the bad ones and those that were left out."""
    bytes: int
    numbers: NDArray[np.int64]
    starts: NDArray[np.int64]
    """The row i has the examples from starts[i] up to, but without, starts[i+1]."""
    digests: Digests
    """Of each row."""
    groups: Digests
    """Of each row: equal for rows that have to stay on one side."""
    example_digests: Digests
    lengths: NDArray[np.int32]
    kept: NDArray[np.int32]
    learnt: NDArray[np.int32]
    facts: dict[str, Group]
    left_out: dict[str, Group]
    problems: dict[Problem, Group]
    """The bad rows by what is wrong with them."""
    bad: Group
    bad_places: list[str]
    first_bad: DataError | None
    columns: list[str]
    places: dict[int, str]
    """Of the first rows in which nothing would be trained: number → place."""
    signatures: NDArray[np.uint8] | None
    """[rows, BINS]; None without checks."""
    is_undesired: NDArray[np.bool_]
    """Of each example: its answer is marked as not wanted, which is why nothing of it is trained."""

    @property
    def has_tokens(self) -> bool:
        return len(self.kept) == len(self.example_digests)

    @property
    def learns(self) -> NDArray[np.bool_]:
        """Of each example: whether it has a token to train; all do as long as there are no tokens."""
        return self.learnt > 0 if self.has_tokens else np.ones(len(self.example_digests), dtype=np.bool_)

    @property
    def is_cut(self) -> NDArray[np.bool_]:
        """Of each example: whether it is longer than the longest length."""
        return self.lengths > self.kept if self.has_tokens else np.zeros(len(self.example_digests), dtype=np.bool_)

    @property
    def row_of(self) -> NDArray[np.int64]:
        """Of each example, the index of its row."""
        return np.repeat(np.arange(len(self.numbers)), np.diff(self.starts))


class Gatherer:
    """Takes the blocks of a side in their order."""

    def __init__(self) -> None:
        self.total = self.bytes = 0
        self.facts: dict[str, Group] = {}
        self.left_out: dict[str, Group] = {}
        self.problems: dict[Problem, Group] = {}
        self.bad = Group()
        self.bad_places: list[str] = []
        self.first_bad: DataError | None = None
        self.places: dict[int, str] = {}
        self._columns: dict[str, None] = {}
        self._signatures: bytearray | None = None
        self._arrays = {name: bytearray() for name in _ARRAYS}  # which grow in place: joined lists take twice the room

    def add(self, done: Done) -> None:
        self.total += done.count
        self.bytes += done.bytes
        self._columns |= dict.fromkeys(done.columns)
        for groups, found in ((self.facts, done.facts), (self.left_out, done.left_out)):
            for name, numbers in found.items():
                groups.setdefault(name, Group()).add(numbers)
        self.places |= dict(list(done.places.items())[: NAMED - len(self.places)])
        for bad in done.bad:
            self._add_bad(bad)
        for name, gathered in self._arrays.items():
            value = getattr(done, name)
            if value is not None:
                gathered += value.data
        if done.signatures is not None:
            self._signatures = self._signatures or bytearray()
            self._signatures += done.signatures.data

    def rows(self) -> Rows:
        """Everything, once all blocks are there."""
        arrays = {name: np.frombuffer(self._arrays[name], dtype=kind) for name, kind in _ARRAYS.items()}
        signatures = None if self._signatures is None else np.frombuffer(self._signatures, dtype=np.uint8)
        starts = np.concatenate([[0], np.cumsum(arrays["pieces"], dtype=np.int64)]).astype(np.int64)
        return Rows(
            total=self.total,
            bytes=self.bytes,
            numbers=arrays["numbers"],
            starts=starts,
            digests=arrays["digests"],
            groups=arrays["groups"] if len(arrays["groups"]) else arrays["digests"],
            example_digests=arrays["example_digests"],
            lengths=arrays["lengths"],
            kept=arrays["kept"],
            learnt=arrays["learnt"],
            facts=self.facts,
            left_out=self.left_out,
            problems=self.problems,
            bad=self.bad,
            bad_places=self.bad_places,
            first_bad=self.first_bad,
            columns=list(self._columns),
            places=self.places,
            is_undesired=arrays["undesired"],
            signatures=None if signatures is None else signatures.reshape(-1, BINS),
        )

    def _add_bad(self, bad: BadOne) -> None:
        self.first_bad = self.first_bad or bad.error
        self.bad.add([bad.number])
        if len(self.bad_places) < NAMED:
            self.bad_places.append(bad.error.place)
        key = (bad.kind, problem_of(bad.error), bad.error.hint)
        if bad.kind == "empty_answer":
            key = (bad.kind, "", "")
        elif key not in self.problems and len(self.problems) >= _PROBLEMS:
            key = ("", "", "")
        self.problems.setdefault(key, Group(place=bad.error.place)).add([bad.number])


_ARRAYS: dict[str, Any] = {
    "numbers": np.int64,
    "pieces": np.int32,
    "digests": DIGEST,
    "example_digests": DIGEST,
    "groups": DIGEST,
    "lengths": np.int32,
    "kept": np.int32,
    "learnt": np.int32,
    "undesired": np.bool_,
}


class TokenFiles:
    """Writes the tokens of all examples, one behind the other."""

    IDS, TRAINED = "ids.i32", "trained.u8"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.parent
        self._ids: BinaryIO = (folder / self.IDS).open("wb")
        self._trained: BinaryIO = (folder / self.TRAINED).open("wb")

    def add(self, done: Done) -> None:
        self._ids.write(done.ids.data)
        self._trained.write(done.trained.data)

    def close(self) -> None:
        self._ids.close()
        self._trained.close()
