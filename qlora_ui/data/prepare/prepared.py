"""Data that are ready to train: their tokens mapped from the disk, and everything that is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from operator import eq
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.inspection import Survey, Understanding
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.tokens import IGNORED, Example
from qlora_ui.data.prepare.rows import TokenFiles


@dataclass
class Counts:
    """Where the rows and tokens went.

    `rows` is the sum of the eight below it, up to `rows_not_drawn`, without `rows_validation_bad`. Evaluation data of
    their own add to `rows_validation`, `rows_dropped` and `rows_undesired`, but not to `rows`.
    """

    rows: int = 0
    """In the training data."""
    rows_train: int = 0
    rows_validation: int = 0
    rows_dropped: int = 0
    """Left out because nothing in them would be trained, as when they are cut before the answer starts."""
    rows_held_back: int = 0
    """Left out of training because they are rows of the evaluation data as well."""
    rows_left_out: int = 0
    """By steps."""
    rows_bad: int = 0
    """Cannot be used, and were skipped."""
    rows_validation_bad: int = 0
    """The same of evaluation data of their own."""
    rows_undesired: int = 0
    """Their answer is marked as not wanted, so that there is nothing to learn."""
    rows_not_drawn: int = 0
    """Of sources with a weight below 1."""
    rows_truncated: int = 0
    """Cut at the longest length, and still used."""
    examples: int = 0
    """That an epoch trains: rows by the weight of their source, and by what steps split them into."""
    tokens: int = 0
    """In these examples."""
    tokens_trained: int = 0
    """Of these, the ones with a label."""
    dropped: list[str] = field(default_factory=list)
    """The places of the first 50 rows that were dropped."""
    bad: list[str] = field(default_factory=list)
    """The places of the first 50 rows that were skipped."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of all examples, mapped from the disk: what is not used is not in memory."""

    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    ends: NDArray[np.int64]
    """Where each example ends; it starts where the one before ends."""
    truncated: NDArray[np.bool_]

    @classmethod
    def map(cls, folder: Path) -> Tokens:
        return cls(
            _mapped(folder / TokenFiles.IDS, np.int32),
            _mapped(folder / TokenFiles.TRAINED, np.bool_),
            np.fromfile(folder / "ends.i64", dtype=np.int64),
            np.fromfile(folder / "truncated.u8", dtype=np.bool_),
        )


class Examples(Sequence[Example]):
    """Examples that are made of the mapped tokens when they are asked for."""

    def __init__(self, tokens: Tokens, index: NDArray[np.int64]) -> None:
        self._tokens = tokens
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Examples: ...
    def __getitem__(self, place: int | slice) -> Example | Examples:
        if isinstance(place, slice):
            return Examples(self._tokens, self._index[place])
        index, tokens = int(self._index[place]), self._tokens
        start, end = int(tokens.ends[index - 1]) if index else 0, int(tokens.ends[index])
        ids = tokens.ids[start:end]
        labels = np.where(tokens.trained[start:end], ids, IGNORED)
        return Example(ids.tolist(), labels.tolist(), truncated=bool(tokens.truncated[index]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Examples) and len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # equal by what it holds, and too large to be hashed

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of tokens of each example, without touching them."""
        ends = self._tokens.ends
        starts = np.concatenate([[0], ends[:-1]])
        lengths: NDArray[np.int64] = (ends - starts)[self._index]
        return lengths


@dataclass(frozen=True)
class Prepared:
    """Everything a training needs of its data."""

    train: Examples
    validation: Examples
    validation_prompts: list[Conversation]
    """The first held-out conversations that are not cut and ask something, to show what the model answers."""
    counts: Counts
    survey: Survey
    understanding: Understanding
    fingerprint: str
    """Of the training data alone, in hexadecimal: for a single file the SHA-256 of its bytes."""
    validation_fingerprint: str
    """The same of the evaluation data; empty where they are held out of the training data."""
    template: str
    """Where the chat template comes from, as one sentence; empty for plain text."""


def dump_conversation(conversation: Conversation) -> dict[str, Any]:
    return asdict(conversation)


def load_conversation(values: dict[str, Any]) -> Conversation:
    turns = {name: tuple(Turn(**turn) for turn in values[name]) for name in ("turns", "rejected")}
    return Conversation(**(values | turns))


def _mapped(file: Path, kind: Any) -> NDArray[Any]:
    return np.memmap(file, dtype=kind, mode="r") if file.stat().st_size else np.empty(0, dtype=kind)
