"""What is done to one block of rows, in whichever process: from its bytes to token ids and what is true of each row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Recipe
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.places import data_error
from qlora_ui.data.prepare.today import Detected, Encoded, apply, encode_batch, look_at, require_trainable
from qlora_ui.data.prepare.today import to_conversation
from qlora_ui.data.readers.rows import BadRow, Block, Row

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Digests = NDArray[np.bytes_]
"""SHA-256, 32 bytes each: all are equally long, so the zero bytes that numpy leaves off at the end make none equal."""
DIGEST = "S32"


@dataclass(frozen=True)
class BadOne:
    """A row that cannot be used."""

    number: int
    error: DataError


@dataclass
class Done:
    """What became of a block. A row has as many examples as its steps make of it, mostly one."""

    first: int
    count: int
    """Rows, whole or bad."""
    bytes: int
    numbers: NDArray[np.int64]
    """Of the rows that have examples."""
    pieces: NDArray[np.int32]
    """How many examples each of these rows has."""
    digests: Digests
    """Of each example: equal for two exactly when they are trained alike."""
    groups: Digests | None
    """Of each of these rows: what its column says that keeps rows together; None without such a column."""
    lengths: NDArray[np.int32]
    """Of each example in tokens, before the cut."""
    kept: NDArray[np.int32]
    """The same after it."""
    learnt: NDArray[np.int32]
    """How many of these have a label."""
    ids: NDArray[np.int32]
    """Of all examples, one behind the other."""
    trained: NDArray[np.bool_]
    facts: dict[str, list[int]]
    """What is true of rows → their numbers."""
    left_out: dict[str, list[int]]
    """Step → the numbers of the rows that it leaves out."""
    bad: list[BadOne]
    columns: list[str]


@dataclass(frozen=True)
class Task:
    """What all blocks of a source have in common."""

    recipe: Recipe
    detected: Detected
    tokenizer: PreTrainedTokenizerBase | None
    column: str = ""
    """Whose equal values keep rows together."""
    checks: bool = True
    """Look for what is odd in the text of the rows."""

    def do(self, block: Block) -> Done:
        """Take a block all the way. Raises DataError where the block itself cannot be read."""
        pile = _Pile()
        for row in block.rows():
            self._take(row, pile)
        encoded = self._encode(pile)
        return pile.done(block, encoded, self.recipe.max_length, bool(self.column))

    def conversations(self, row: Row) -> tuple[tuple[Conversation, ...], str]:
        """What the steps make of a row, and else which step leaves it out. Raises DataError for a row of no use."""
        conversation = to_conversation(row, self.detected)
        if self.column:
            conversation = replace(conversation, group=self._group(row))
        applied = apply(conversation, self.recipe, self._length)
        for piece in applied.conversations:
            require_trainable(piece)
        return tuple(applied.conversations), applied.left_out

    def _take(self, row: Row | BadRow, pile: _Pile) -> None:
        if row.number in self._dropped:
            pile.left_out.setdefault("drop_rows", []).append(row.number)
            return
        if isinstance(row, BadRow):
            pile.bad.append(BadOne(row.number, row.error))
            return
        pile.columns.update(dict.fromkeys(row.values))
        try:
            pieces, left_out = self.conversations(row)
        except DataError as error:
            pile.bad.append(BadOne(row.number, error))
            return
        if left_out or not pieces:
            pile.left_out.setdefault(left_out, []).append(row.number)
            return
        pile.rows.append((row.number, pieces))
        if self.checks:
            for kind in frozenset().union(*(look_at(piece) for piece in pieces)):
                pile.facts.setdefault(kind, []).append(row.number)

    def _encode(self, pile: _Pile) -> list[list[Encoded]] | None:
        """The examples of each row of the pile; rows that the template refuses are taken off it."""
        if self.tokenizer is None:
            return None
        flat = [piece for _, pieces in pile.rows for piece in pieces]
        results = iter(encode_batch(flat, self.tokenizer, train_on=self.recipe.train_on))
        rows, encoded = pile.rows, []
        pile.rows = []
        for number, pieces in rows:
            made = [next(results) for _ in pieces]
            error = next((one for one in made if isinstance(one, DataError)), None)
            if error is not None:
                pile.bad.append(BadOne(number, error))
                continue
            whole = [one for one in made if not isinstance(one, DataError)]
            pile.rows.append((number, pieces))
            encoded.append(whole)
            if any(one.end_added for one in whole):
                pile.facts.setdefault("end_added", []).append(number)
        return encoded

    def _group(self, row: Row) -> str:
        if self.column not in row.values:
            problem = f"there is no column {self.column}, which keeps rows together in the split."
            raise data_error(row.place, problem, f"Its columns are {', '.join(map(str, row.values))}.")
        value = row.values[self.column]
        if value is None or value == "":
            return f"row {row.number} alone"
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)

    @cached_property
    def _length(self) -> Callable[[Conversation], int] | None:
        if self.tokenizer is None:
            return None
        tokenizer, train_on = self.tokenizer, self.recipe.train_on

        def length(conversation: Conversation) -> int:
            (encoded,) = encode_batch([conversation], tokenizer, train_on=train_on)
            if isinstance(encoded, DataError):
                raise encoded
            return len(encoded.ids)

        return length

    @cached_property
    def _dropped(self) -> frozenset[int]:
        return self.recipe.rows_dropped


class _Pile:
    """The rows of a block on their way."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, tuple[Conversation, ...]]] = []
        self.facts: dict[str, list[int]] = {}
        self.left_out: dict[str, list[int]] = {}
        self.bad: list[BadOne] = []
        self.columns: dict[str, None] = {}

    def done(self, block: Block, encoded: list[list[Encoded]] | None, max_length: int, grouped: bool) -> Done:
        pieces = [piece for _, pieces in self.rows for piece in pieces]
        tokens = [one for row in encoded for one in row] if encoded is not None else []
        ids = [np.asarray(one.ids[:max_length], dtype=np.int32) for one in tokens]
        trained = [np.asarray(one.trained[:max_length], dtype=np.bool_) for one in tokens]
        groups = [hashlib.sha256(pieces[0].group.encode()).digest() for _, pieces in self.rows]
        self.bad.sort(key=lambda bad: bad.number)
        return Done(
            first=block.first,
            count=block.count,
            bytes=block.bytes,
            numbers=np.array([number for number, _ in self.rows], dtype=np.int64),
            pieces=np.array([len(pieces) for _, pieces in self.rows], dtype=np.int32),
            digests=np.array([bytes.fromhex(piece.fingerprint) for piece in pieces], dtype=DIGEST),
            groups=np.array(groups, dtype=DIGEST) if grouped else None,
            lengths=np.array([len(one.ids) for one in tokens], dtype=np.int32),
            kept=np.array([len(part) for part in ids], dtype=np.int32),
            learnt=np.array([np.count_nonzero(part) for part in trained], dtype=np.int32),
            ids=_joined(ids, np.int32),
            trained=_joined(trained, np.bool_),
            facts={kind: sorted(set(rows)) for kind, rows in self.facts.items()},
            left_out=self.left_out,
            bad=self.bad,
            columns=list(self.columns),
        )


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
