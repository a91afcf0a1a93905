"""The evaluation during a training: loss and token accuracy on held-out rows, and answers to the watched prompts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from peft import PeftModel

from qlora_ui.data.prepare import Examples
from qlora_ui.worker.batches import Collator
from qlora_ui.worker.devices import Device
from qlora_ui.worker.scores.scoring import RowScore, mean_loss, score_rows
from qlora_ui.worker.scores.statistics import ratio_difference


@dataclass(frozen=True)
class Evaluation:
    loss: float
    """The mean negative log-likelihood of a trained token, in nats."""
    token_accuracy: float
    """The share of trained tokens that the model ranks first."""
    error: float | None = None
    """The standard error of the loss's change since the evaluation before, paired row by row; None for the first."""

    @property
    def values(self) -> dict[str, float]:
        """By the names of `Metric`."""
        perplexity = math.exp(self.loss) if self.loss < 700 else math.inf  # beyond it a float ends
        return {"eval_loss": self.loss, "eval_perplexity": perplexity, "eval_token_accuracy": self.token_accuracy}


class HeldOut:
    """Evaluates one model on the same rows again and again."""

    def __init__(
        self,
        model: PeftModel,
        rows: Examples,
        collate: Collator,
        device: Device,
        batch_size: int,
        check: Callable[[], None],
    ) -> None:
        self._model = model
        self._rows = rows
        self._collate = collate
        self._device = device
        self._batch_size = batch_size
        self._check = check
        """Called between batches; may raise to end it."""
        self._before: list[RowScore] | None = None

    def evaluate(self) -> Evaluation:
        """The model as it is now."""
        scores = score_rows(
            self._model, self._rows, self._collate, self._device, self._batch_size, lambda _done: self._check()
        )
        before, self._before = self._before, scores
        tokens = [float(score.tokens) for score in scores]
        error = None
        if before is not None:
            change = ratio_difference([score.nll for score in scores], [score.nll for score in before], tokens)
            error = change.standard_error
        correct = sum(score.correct for score in scores)
        return Evaluation(mean_loss(scores), correct / max(1.0, sum(tokens)), error)
