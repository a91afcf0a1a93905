"""What is done to one block of rows, in whichever process: from its bytes to token ids and what is true of each row."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import Recipe
from qlora_ui.data.checks.near import signatures, text_of
from qlora_ui.data.checks.rows import is_empty, look_at
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.encoded import Encoded
from qlora_ui.data.encoding.encoder import Encoder
from qlora_ui.data.formats.detect import Detected, to_conversation
from qlora_ui.data.formats.requirements import order_problem, require_trainable
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.rows import BadRow, Block, Row
from qlora_ui.data.steps import Applied, Steps
from qlora_ui.data.templates.render import special_tokens

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
    kind: str = "bad_rows"
    """Of the finding: `order` and `empty_answer` where a step could mend it."""


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
    """Of each of these rows: equal for two exactly when the same becomes of them."""
    example_digests: Digests
    """Of each example: equal for two that are trained alike, also where what differs is cut off."""
    groups: Digests | None
    """Of each of these rows: what its column says that keeps rows together; None without such a column."""
    lengths: NDArray[np.int32]
    """Of each example in tokens, before the cut."""
    kept: NDArray[np.int32]
    """The same after it."""
    learnt: NDArray[np.int32]
    """How many of these have a label."""
    undesired: NDArray[np.bool_]
    """Of each example: its answer is marked as not wanted, so that nothing of it is trained."""
    ids: NDArray[np.int32]
    """Of all examples, one behind the other."""
    trained: NDArray[np.bool_]
    facts: dict[str, list[int]]
    """What is true of rows → their numbers."""
    left_out: dict[str, list[int]]
    """Step → the numbers of the rows that it leaves out."""
    bad: list[BadOne]
    columns: list[str]
    places: dict[int, str]
    """Of rows with an example in which nothing would be trained: number → place."""
    signatures: NDArray[np.uint8] | None
    """Of each row that has examples, to find those that are almost equal: [rows, BINS]; None without checks."""


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
        if self.checks:
            self._check(pile, encoded)
        return self._done(block, pile, encoded)

    def conversations(self, row: Row) -> Applied:
        """What the steps make of a row. Raises DataError for a row of no use."""
        conversation = to_conversation(row, self.detected)
        if self.column:
            conversation = replace(conversation, group=self._group(row))
        applied = self._steps.apply(conversation)
        for piece in applied.conversations:
            require_trainable(piece)
        return applied

    def _take(self, row: Row | BadRow, pile: _Pile) -> None:
        if row.number in self._dropped:
            pile.left_out.setdefault("drop_rows", []).append(row.number)
            return
        if isinstance(row, BadRow):
            pile.bad.append(BadOne(row.number, row.error))
            return
        pile.columns.update(dict.fromkeys(row.values))
        try:
            applied = self.conversations(row)
        except DataError as error:
            pile.bad.append(BadOne(row.number, error, self._kind(row)))
            return
        if applied.left_out:
            pile.left_out.setdefault(applied.left_out, []).append(row.number)
            return
        pile.rows.append((row.number, applied.conversations))
        if applied.pieces_lost:
            pile.facts.setdefault("pieces_lost", []).append(row.number)

    def _kind(self, row: Row) -> str:
        """Which finding a row without use belongs to."""
        try:
            pieces = self._steps.apply(to_conversation(row, self.detected)).conversations
        except DataError:
            return "bad_rows"
        if any(order_problem(piece) for piece in pieces):
            return "order"
        return "empty_answer" if any(is_empty(turn) for piece in pieces for turn in piece.turns) else "bad_rows"

    def _encode(self, pile: _Pile) -> list[Encoded] | None:
        """The examples of all rows of the pile; rows that the template refuses are taken off it."""
        if self._encoder is None:
            return None
        results = iter(self._encoder.encode_batch([piece for _, pieces in pile.rows for piece in pieces]))
        encoded, kept = [], []
        for number, pieces in pile.rows:
            made = [next(results) for _ in pieces]
            whole = [one for one in made if isinstance(one, Encoded)]
            if len(whole) == len(made):
                kept.append((number, pieces))
                encoded += whole
            else:
                pile.bad.append(BadOne(number, next(one for one in made if isinstance(one, DataError))))
        pile.rows = kept
        return encoded

    def _check(self, pile: _Pile, encoded: Sequence[Encoded] | None) -> None:
        """Note what is true of the rows of the pile."""
        tokens = iter(encoded or ())
        for number, pieces in pile.rows:
            kinds: set[str] = set()
            for piece in pieces:
                kinds |= look_at(piece)
                kinds.update(self._kinds(piece, next(tokens, None)))
            for kind in kinds:
                pile.facts.setdefault(kind, []).append(number)

    def _kinds(self, piece: Conversation, encoded: Encoded | None) -> Iterator[str]:
        """What only prepared data show."""
        if piece.rejected:
            yield "rejected_ignored"
        if piece.desirable is False:
            yield "undesired"
        if encoded is None or self._encoder is None:
            return
        if encoded.end_added:
            yield "end_added"
        if len(encoded) > self.recipe.max_length and _longest_run(encoded.trained) > self.recipe.max_length:
            yield "long_answer"
        if piece.turns[0].role == "system" and not self._encoder.renderer.abilities.system:
            yield "system_folded"
        if any(self._controls.search(turn.content) for turn in piece.turns):
            yield "control_tokens"

    def _done(self, block: Block, pile: _Pile, encoded: Sequence[Encoded] | None) -> Done:
        pieces = [piece for _, pieces in pile.rows for piece in pieces]
        longest = self.recipe.max_length
        prints = [bytes.fromhex(piece.fingerprint) for piece in pieces]
        ids = [one.ids[:longest] for one in encoded or ()]
        trained = [one.trained[:longest] for one in encoded or ()]
        learnt = [int(np.count_nonzero(part)) for part in trained]
        pile.bad.sort(key=lambda bad: bad.number)
        return Done(
            first=block.first,
            count=block.count,
            bytes=block.bytes,
            numbers=np.array([number for number, _ in pile.rows], dtype=np.int64),
            pieces=np.array([len(pieces) for _, pieces in pile.rows], dtype=np.int32),
            digests=np.array(_row_digests(pile, prints), dtype=DIGEST),
            example_digests=np.array(self._example_digests(prints, ids, trained), dtype=DIGEST),
            groups=_groups(pile) if self.column else None,
            lengths=np.array([len(one) for one in encoded or ()], dtype=np.int32),
            kept=np.array([len(part) for part in ids], dtype=np.int32),
            learnt=np.array(learnt, dtype=np.int32),
            undesired=np.array([piece.desirable is False for piece in pieces], dtype=np.bool_),
            ids=_joined(ids, np.int32),
            trained=_joined(trained, np.bool_),
            facts=pile.facts,
            left_out=pile.left_out,
            bad=pile.bad,
            columns=list(pile.columns),
            places={piece.number: piece.place for piece, count in zip(pieces, learnt, strict=False) if not count},
            signatures=signatures(text_of(pieces) for _, pieces in pile.rows) if self.checks else None,
        )

    def _example_digests(
        self, prints: list[bytes], ids: Sequence[NDArray[np.int32]], trained: Sequence[NDArray[np.bool_]]
    ) -> list[bytes]:
        digests = list(prints)
        for place, (tokens, learnt) in enumerate(zip(ids, trained, strict=True)):
            if len(tokens) == self.recipe.max_length:
                digests[place] = hashlib.sha256(tokens.tobytes() + learnt.tobytes()).digest()
        return digests

    def _group(self, row: Row) -> str:
        if self.column not in row.values:
            problem = f"there is no column {self.column}, which is to keep rows together."
            raise data_error(row.place, problem, f"Its columns are {', '.join(map(str, row.values))}.")
        value = row.values[self.column]
        if value is None or value == "":
            return f"row {row.number} alone"
        return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)

    @cached_property
    def _encoder(self) -> Encoder | None:
        return None if self.tokenizer is None else Encoder(self.tokenizer, self.recipe.train_on)

    @cached_property
    def _steps(self) -> Steps:
        encoder = self._encoder
        return Steps(self.recipe, (lambda piece: len(encoder.encode(piece))) if encoder else None)

    @cached_property
    def _dropped(self) -> frozenset[int]:
        return self.recipe.rows_dropped

    @cached_property
    def _controls(self) -> re.Pattern[str]:
        specials = special_tokens(self.tokenizer) if self.tokenizer is not None else ()
        return re.compile("|".join(map(re.escape, specials)) or "(?!)")


class _Pile:
    """The rows of a block on their way."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, tuple[Conversation, ...]]] = []
        self.facts: dict[str, list[int]] = {}
        self.left_out: dict[str, list[int]] = {}
        self.bad: list[BadOne] = []
        self.columns: dict[str, None] = {}


def _row_digests(pile: _Pile, prints: list[bytes]) -> list[bytes]:
    """Of each row that of its only example, or one over those of its several."""
    digests, place = [], 0
    for _, pieces in pile.rows:
        own = prints[place : place + len(pieces)]
        digests.append(own[0] if len(own) == 1 else hashlib.sha256(b"".join(own)).digest())
        place += len(pieces)
    return digests


def _groups(pile: _Pile) -> Digests:
    return np.array([hashlib.sha256(pieces[0].group.encode()).digest() for _, pieces in pile.rows], dtype=DIGEST)


def _longest_run(trained: NDArray[np.bool_]) -> int:
    """The most tokens in a row that are trained."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], trained, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)
