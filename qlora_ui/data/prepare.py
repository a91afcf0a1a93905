"""A data file → what is trained and what is held out, with every row accounted for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.paths import dataset_location
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.tokens import Example, TrainOn, encode
from qlora_ui.data.formats.detect import SAMPLE, Detected, detect, to_conversation
from qlora_ui.data.readers.files import read_rows
from qlora_ui.data.split import split
from qlora_ui.data.templates.render import template_source

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OnProgress = Callable[[int, int], None]
"""Called with the rows done so far and the rows in all; may raise to give up."""


@dataclass(frozen=True)
class Loaded:
    """A data file as conversations."""

    conversations: list[Conversation]
    detected: Detected
    fingerprint: str
    """SHA-256 of the file, in hexadecimal."""

    @property
    def rows(self) -> int:
        return len(self.conversations)


@dataclass
class Counts:
    """Where the rows and tokens went: rows = rows_train + rows_validation + rows_dropped + rows_held_back.

    A validation file of its own adds to `rows_validation` and `rows_dropped`, but not to `rows`.
    """

    rows: int = 0
    """In the training file."""
    rows_train: int = 0
    rows_validation: int = 0
    rows_dropped: int = 0
    """Left out because nothing in them would be trained, as when they are cut before the answer starts."""
    rows_held_back: int = 0
    """Left out of training because they are rows of the validation file as well."""
    rows_truncated: int = 0
    """Cut at the longest length, and still used."""
    tokens: int = 0
    """In the rows that are trained, once through."""
    tokens_trained: int = 0
    """Of these, the ones with a label."""
    dropped: list[str] = field(default_factory=list)
    """The places of the first 50 rows that were dropped."""


@dataclass(frozen=True)
class Prepared:
    """Everything a training needs of its data."""

    train: list[Example]
    validation: list[Example]
    validation_conversations: list[Conversation]
    """In step with `validation`."""
    counts: Counts
    detected: Detected
    fingerprint: str
    """SHA-256 of the training file, in hexadecimal."""
    template: str
    """Where the chat template comes from, as one sentence; empty for plain text."""


def load(path: str | Path, *, data_format: DataFormat = "auto") -> Loaded:
    """All rows of a data file (`starter` and `starter/heldout` name the built-in ones) as conversations.

    Raises DataError, with its place, at the first row that cannot be read.
    """
    file = dataset_location(str(path))
    rows = read_rows(file)
    first = list(islice(rows, SAMPLE))
    detected = detect(first, data_format)
    conversations = [to_conversation(row, detected) for row in chain(first, rows)]
    return Loaded(conversations, detected, file_fingerprint(file))


def prepare(
    dataset_path: str | Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    data_format: DataFormat = "auto",
    max_length: int = 1024,
    train_on: TrainOn = "completions",
    validation_share: float = 0.0,
    validation_path: str | Path = "",
    seed: int = 42,
    on_progress: OnProgress | None = None,
) -> Prepared:
    """Read, split and tokenise a data file; the same arguments give the same result, in the same order.

    Rows in which nothing would be trained are left out and counted. Held out is either a share of the rows or a file of
    its own; rows of that file are not trained. Raises DataError, with its place, for a row that cannot be used, and
    when nothing is left to train.
    """
    loaded = load(dataset_path, data_format=data_format)
    counts = Counts(rows=loaded.rows)
    train, held_out = _sides(loaded, validation_path, validation_share, seed, data_format, counts)
    total, done = len(train) + len(held_out), 0

    def encoded(conversations: list[Conversation]) -> list[tuple[Conversation, Example]]:
        nonlocal done
        kept = []
        for conversation in conversations:
            example = encode(conversation, tokenizer, max_length=max_length, train_on=train_on)
            if _count(example, conversation, counts):
                kept.append((conversation, example))
            done += 1
            if on_progress:
                on_progress(done, total)
        return kept

    train_kept, held_out_kept = encoded(train), encoded(held_out)
    if not train_kept:
        raise _nothing_trained(dataset_location(str(dataset_path)).name, counts, max_length)
    counts.rows_train, counts.rows_validation = len(train_kept), len(held_out_kept)
    counts.tokens = sum(len(example.input_ids) for _, example in train_kept)
    counts.tokens_trained = sum(example.trained for _, example in train_kept)
    return Prepared(
        train=[example for _, example in train_kept],
        validation=[example for _, example in held_out_kept],
        validation_conversations=[conversation for conversation, _ in held_out_kept],
        counts=counts,
        detected=loaded.detected,
        fingerprint=loaded.fingerprint,
        template="" if loaded.detected.format == "text" else template_source(tokenizer),
    )


def file_fingerprint(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises DataError when it cannot be read."""
    try:
        with file.open("rb") as source:
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: the file cannot be read: {error.strerror}.", place=str(file)) from error


def _sides(
    loaded: Loaded, path: str | Path, share: float, seed: int, data_format: DataFormat, counts: Counts
) -> tuple[list[Conversation], list[Conversation]]:
    """The conversations to train and those held out."""
    if not path:
        train, held_out = split([conversation.fingerprint for conversation in loaded.conversations], share, seed)
        return [loaded.conversations[i] for i in train], [loaded.conversations[i] for i in held_out]
    validation = load(path, data_format=data_format).conversations
    known = {conversation.fingerprint for conversation in validation}
    train_rows = [conversation for conversation in loaded.conversations if conversation.fingerprint not in known]
    counts.rows_held_back = loaded.rows - len(train_rows)
    return train_rows, validation


def _count(example: Example, conversation: Conversation, counts: Counts) -> bool:
    """Whether the example is kept."""
    if example.trained == 0:
        counts.rows_dropped += 1
        if len(counts.dropped) < 50:
            counts.dropped.append(conversation.place)
        return False
    counts.rows_truncated += example.truncated
    return True


def _nothing_trained(file: str, counts: Counts, max_length: int) -> DataError:
    if counts.rows_held_back == counts.rows:
        problem = "every row is in the evaluation file as well, so none is left to train."
        return DataError(f"{file}: {problem}", "Use different rows to evaluate.", file)
    problem = f"no row has a token to train; rows are cut at {max_length} tokens."
    hint = "If they are cut before the answer, raise the longest example (max_length) or shorten the prompts."
    return DataError(f"{file}: {problem}", hint, file)
