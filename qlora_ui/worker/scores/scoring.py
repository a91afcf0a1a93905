"""How likely a model finds the tokens of given rows: summed row by row, so that no logits of a whole set are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from qlora_ui.data.encoding.tokens import IGNORED, Example
from qlora_ui.worker.batches import Collator, token_losses
from qlora_ui.worker.devices import Device


@dataclass(frozen=True)
class RowScore:
    """Sums over the trained tokens of one row."""

    nll: float
    """Negative log-likelihood in nats."""
    tokens: int
    correct: int
    """Tokens that the model ranks first."""


def score_rows(
    model: torch.nn.Module,
    examples: Sequence[Example],
    collate: Collator,
    device: Device,
    batch_size: int,
    after_batch: Callable[[int], None] = lambda rows_done: None,
) -> list[RowScore]:
    """The scores of all rows, in their order; `after_batch` hears how many are done and may raise to end it."""
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].input_ids), reverse=True)
    scores: dict[int, RowScore] = {}
    with inference(model, device):
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = collate([examples[i] for i in rows])
            batch = {name: tensor.to(device.torch_name) for name, tensor in batch.items()}
            labels = batch.pop("labels")
            logits = model(**batch).logits
            for place, index in enumerate(rows):  # row by row: in float32 the logits of a batch take the most memory
                scores[index] = _score(logits[place : place + 1], labels[place : place + 1])
            del logits
            after_batch(len(scores))
    return [scores[i] for i in range(len(examples))]


def _score(logits: torch.Tensor, labels: torch.Tensor) -> RowScore:
    """The score of one row from its logits [1, ≥ predictions, vocabulary] and labels [1, 1 + predictions]."""
    nll, targets = token_losses(logits, labels).sum(dtype=torch.float64), labels[:, 1:]
    trained = targets != IGNORED
    right = (logits[:, : targets.shape[1]].argmax(-1) == targets) & trained
    return RowScore(nll.item(), int(trained.sum()), int(right.sum()))


def mean_loss(scores: Sequence[RowScore]) -> float:
    """The mean negative log-likelihood of a trained token, in nats: every token counts the same, whatever its row."""
    return sum(score.nll for score in scores) / max(1, sum(score.tokens for score in scores))


@contextmanager
def inference(model: torch.nn.Module, device: Device) -> Iterator[None]:
    """Eval mode without gradients, in the device's arithmetic; afterwards the model trains on as before."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad(), autocast(device):
            yield
    finally:
        model.train(training)


def autocast(device: Device) -> Any:
    kind = "cuda" if device.is_cuda else "cpu"
    return torch.autocast(kind, dtype=device.dtype, enabled=device.dtype != torch.float32)
