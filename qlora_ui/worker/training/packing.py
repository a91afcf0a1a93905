"""Several examples in one row, which do not see each other: what is left of padding is the end of each row."""

from __future__ import annotations

import inspect
from bisect import bisect_left, insort
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qlora_ui.contract.errors import ModelError
from qlora_ui.data.encoding.tokens import IGNORED, Example
from qlora_ui.worker.batches import Collator, lengths_of
from qlora_ui.worker.devices import Device
from qlora_ui.worker.scores.scoring import inference

_WINDOW = 4096
"""Examples that are packed together: enough to fill the rows, few enough to leave chance a say in who shares one."""
_PROBE_TOKENS = 48
_PROBE_PREDICTIONS = 16
_LEAK = 1e-3
"""How far the scores of an example may move when its neighbour in the row is another, relative to their own spread."""
_ROUNDING = 0.1
"""How far they may be from its scores alone in a row: in 16 bits the order of sums shows."""


class PackedRows(Sequence[list[Example]]):
    """Rows of examples that fill `capacity` tokens as well as they can. Which share a row follows from the seed alone.

    Each example is in one row. The rows stay the same in all epochs, so that every epoch has as many steps; their order
    does not.
    """

    def __init__(self, examples: Sequence[Example], capacity: int, seed: int) -> None:
        self._examples = examples
        lengths = lengths_of(examples)
        self._rows = pack(lengths, capacity, seed)
        self.lengths: NDArray[np.int64] = np.array([lengths[row].sum() for row in self._rows], dtype=np.int64)
        """Tokens of each row, without padding."""

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        """The examples of a row, at least one."""
        return [self._examples[int(index)] for index in self._rows[place]]


def pack(lengths: NDArray[np.int64], capacity: int, seed: int) -> list[NDArray[np.int64]]:
    """The indices of the examples of each row, none longer together than `capacity`.

    Within windows of a shuffled order, the longest first, each goes where it leaves the least room (best fit).
    """
    order = np.random.default_rng(seed).permutation(len(lengths))
    rows: list[list[int]] = []
    for start in range(0, len(order), _WINDOW):
        window = order[start : start + _WINDOW]
        room: list[tuple[int, int]] = []  # (tokens that still fit, row), the fullest row first
        for index in window[np.argsort(-lengths[window], kind="stable")].tolist():
            length = int(lengths[index])
            place = bisect_left(room, (length, -1))
            if place == len(room):
                left, row = capacity, len(rows)
                rows.append([])
            else:
                left, row = room.pop(place)
            rows[row].append(index)
            insort(room, (left - length, row))
    return [np.array(row, dtype=np.int64) for row in rows]


class PackedCollator:
    """The tensors of a batch of packed rows: as the Collator makes them, with positions that restart in each example.

    Without an attention mask, the library takes restarting positions for examples that are to be kept apart, as long as
    no cache of keys and values is made. `check_packing` makes sure that it does so for a given model.
    """

    def __init__(self, collate: Collator) -> None:
        self._collate = collate

    def __call__(self, rows: Sequence[Sequence[Example]]) -> dict[str, Any]:
        """What the Collator gives, and `position_ids` [rows, length]; padding counts as an example of its own."""
        batch: dict[str, Any] = self._collate([_joined(row) for row in rows])
        width = batch["input_ids"].shape[1]
        return batch | {"position_ids": torch.stack([_positions(row, width) for row in rows]), "use_cache": False}


def _joined(row: Sequence[Example]) -> Example:
    ids = list(chain.from_iterable(example.input_ids for example in row))
    return Example(ids, list(chain.from_iterable([IGNORED, *example.labels[1:]] for example in row)))


def _positions(row: Sequence[Example], width: int) -> torch.Tensor:
    lengths = [len(example.input_ids) for example in row]
    return torch.cat([torch.arange(length) for length in [*lengths, width - sum(lengths)]])


def check_packing(model: Any, model_name: str, collate: Collator, device: Device, examples: Sequence[Example]) -> None:
    """Raise ModelError unless packed examples are scored as they are alone: seen by trying, not by the model's name."""
    neighbour, other, probe = (_probe(examples[0]), _probe(examples[0], turned=True), _probe(examples[-1], scored=True))
    apart = "position_ids" in inspect.signature(model.get_base_model().forward).parameters
    if apart:
        packed = PackedCollator(collate)
        alone = _scores(model, collate([probe]), device)
        beside = [_scores(model, packed([[first, probe]]), device) for first in (neighbour, other)]
        apart = _distance(beside[0], beside[1], alone) <= _LEAK and _distance(beside[0], alone, alone) <= _ROUNDING
    if not apart:
        raise ModelError(
            f"Examples cannot be packed for {model_name}: in a model of its kind they would see each other.",
            "Switch packing off; batches are then made of examples of similar length.",
        )


def _probe(example: Example, *, turned: bool = False, scored: bool = False) -> Example:
    """The first tokens of an example, in reverse order when `turned`; of a scored one the last are predicted."""
    ids = example.input_ids[:_PROBE_TOKENS]
    known = max(1, len(ids) - _PROBE_PREDICTIONS) if scored else len(ids)
    return Example(ids[::-1] if turned else ids, [IGNORED] * known + ids[known:])


def _distance(first: torch.Tensor, second: torch.Tensor, scale: torch.Tensor) -> float:
    """The root mean square of the difference, in standard deviations of `scale`."""
    return float((first - second).square().mean().sqrt() / scale.std().clamp_min(1e-6))


def _scores(model: Any, batch: dict[str, Any], device: Device) -> torch.Tensor:
    """The logits of what is predicted [predictions, vocabulary], in float32."""
    labels = batch.pop("labels")[0, 1:]
    batch = {name: v.to(device.torch_name) if isinstance(v, torch.Tensor) else v for name, v in batch.items()}
    with inference(model, device):
        logits = model(**batch).logits[0, : len(labels)].float().cpu()
    return torch.as_tensor(logits[labels != IGNORED])
