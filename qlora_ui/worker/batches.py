"""Rows in the order in which an epoch trains them, and the tensors that a batch becomes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset
from transformers import PreTrainedModel

from qlora_ui.data.encoding.tokens import IGNORED, Example

_POOL = 32
"""Batches that are sorted by length together: enough to leave little padding, few enough to keep an epoch mixed."""


class ShuffledRows(Dataset[Any]):  # type: ignore[misc]  # mypy does not look into torch
    """Rows in a new order each epoch, of which batches of similar length are cut from the front.

    A row is an example, or several that are packed. The order is a function of seed and epoch alone, so a resumed run
    meets the rows that an unbroken one meets. Each row comes once an epoch. The first batch of the first epoch holds
    the longest row: if the memory does not suffice, that shows at once and not after an hour. Unless `by_length`,
    chance alone decides who shares a batch.
    """

    def __init__(
        self, rows: Sequence[Any], batch_size: int, seed: int, multiple: int = 1, *, by_length: bool = True
    ) -> None:
        self._rows = rows
        self._pool = (_POOL if by_length else 1) * batch_size
        self._lengths = lengths_of(rows)
        self._batch_size = batch_size
        self._seed = seed
        self._multiple = multiple
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, position: int) -> Any:
        return self._rows[int(self._order[position])]

    def set_epoch(self, epoch: int) -> None:
        """Take the order of this epoch (from 0). Called by the data loader."""
        self._order = self._shuffle(epoch)
        starts = np.arange(0, len(self), self._batch_size)
        lengths = self._lengths[self._order]
        rows = np.diff(starts, append=len(self))
        longest = -(-np.maximum.reduceat(lengths, starts) // self._multiple) * self._multiple
        self._tokens = np.add.reduceat(lengths, starts)
        self._places = rows * longest

    def size(self, first_batch: int, last_batch: int) -> Size:
        """What this epoch's batches hold, from `first_batch` up to but without `last_batch`."""
        batches = slice(first_batch, last_batch)
        return Size(int(self._tokens[batches].sum()), int(self._places[batches].sum()))

    def _shuffle(self, epoch: int) -> NDArray[np.int64]:
        random = np.random.default_rng([self._seed, epoch])
        order = random.permutation(len(self))
        size = self._batch_size
        whole = len(order) // size * size
        batches: list[NDArray[np.int64]] = []
        for start in range(0, whole, self._pool):
            pool = order[start : min(start + self._pool, whole)]
            cut = pool[np.argsort(self._lengths[pool], kind="stable")].reshape(-1, size)
            batches += [cut[i] for i in random.permutation(len(cut))]
        if epoch == 0 and batches:
            longest = max(range(len(batches)), key=lambda i: int(self._lengths[batches[i]].max()))
            batches.insert(0, batches.pop(longest))
        return np.concatenate([*batches, order[whole:]])  # the one smaller batch stays last


class Size(NamedTuple):
    """How much there is in some batches."""

    tokens: int
    """Without padding."""
    places: int
    """With it: rows times the length of the longest, batch by batch."""


def lengths_of(rows: Sequence[Any]) -> NDArray[np.int64]:
    """The tokens of each row; not counted where the rows know."""
    known = getattr(rows, "lengths", None)
    return np.array([len(row.input_ids) for row in rows], dtype=np.int64) if known is None else known


class Collator:
    """Makes the tensors of a batch: padded on the right, without an attention mask.

    A causal model's tokens never look to their right, so padding there changes no real token and needs no mask; leaving
    the mask out keeps the fast attention kernels. Where the model can, its output head is computed only at positions
    that have a trained token to predict in some row (`logits_to_keep`): with a large vocabulary the logits are the
    largest thing in memory.
    """

    def __init__(self, model: PreTrainedModel, pad_id: int, multiple: int = 1) -> None:
        self._pad_id = pad_id
        self.multiple = multiple
        """Lengths are rounded up to a multiple of this: 8 lets a GPU use its tensor cores."""
        self._keeps_logits = "logits_to_keep" in inspect.signature(model.forward).parameters

    def __call__(self, examples: Sequence[Example]) -> dict[str, torch.Tensor]:
        """`input_ids` [rows, length] and `labels` [rows, 1 + predictions]: logits column i predicts label column i + 1.

        Column 0 of the labels is never trained, as in any causal model: nothing comes before it.
        """
        longest = max(len(example.input_ids) for example in examples)
        length = -(-longest // self.multiple) * self.multiple
        ids = torch.full((len(examples), length), self._pad_id, dtype=torch.long)
        labels = torch.full((len(examples), length), IGNORED, dtype=torch.long)
        for row, example in enumerate(examples):
            ids[row, : len(example.input_ids)] = torch.tensor(example.input_ids)
            labels[row, 1 : len(example.labels)] = torch.tensor(example.labels[1:])
        if not self._keeps_logits:
            return {"input_ids": ids, "labels": labels}
        kept = (labels[:, 1:] != IGNORED).any(dim=0).nonzero().flatten()
        labels = torch.cat([labels[:, :1], labels[:, kept + 1]], dim=1)
        return {"input_ids": ids, "labels": labels, "logits_to_keep": kept}


def token_losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The negative log-likelihood in nats of each label that the Collator made, 0 where nothing is trained.

    logits [rows, ≥ predictions, vocabulary], labels [rows, 1 + predictions] → [rows, predictions], in float32.
    """
    targets = labels[:, 1:]
    predictions = logits[:, : targets.shape[1]].float()
    flat = cross_entropy(predictions.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
    return flat.view(targets.shape)
