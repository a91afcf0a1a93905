"""Tells the run folder how the training goes, and asks the Trainer for checkpoints and for the end."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from qlora_ui.contract.checkpoints import name_of, read_marker, step_of
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, CheckpointSaved, Metric, Progress
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker import checkpoints
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import StopRequested

SAVE_SECONDS = 600
"""At least this often a checkpoint is saved, however rare `save_steps` are."""
PROGRESS_SECONDS = 0.2
"""Progress is said no more often than this, so that a million quick steps do not fill the disk."""


@dataclass(frozen=True)
class Plan:
    """How many steps there are and what happens at which. A step is one correction of the weights."""

    steps_per_epoch: int
    total_steps: int
    warmup_steps: int
    save_steps: int
    evaluation_steps: frozenset[int]

    @classmethod
    def of(cls, parameters: TrainingParameters, examples: int, has_validation: bool) -> Plan:
        batches = math.ceil(examples / parameters.batch_size)
        per_epoch = math.ceil(batches / parameters.gradient_accumulation)
        total = max(1, math.ceil(parameters.num_train_epochs * per_epoch))
        total = min(total, parameters.max_steps or total)
        times = min(parameters.evaluations, total) if has_validation else 0
        return cls(
            steps_per_epoch=per_epoch,
            total_steps=total,
            warmup_steps=math.ceil(total * parameters.warmup_share),
            save_steps=parameters.save_steps or math.ceil(total / 10),
            evaluation_steps=frozenset(round(total * (i + 1) / times) for i in range(times)),
        )


class Reporter(TrainerCallback):  # type: ignore[misc]
    """Metrics, progress and checkpoints as events; stop and pause as requests to the Trainer."""

    def __init__(
        self,
        context: Context,
        parameters: TrainingParameters,
        plan: Plan,
        tokens_of: Callable[[int], int],
        evaluate: Callable[[int], float],
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._plan = plan
        self._tokens_of = tokens_of
        """Step → the tokens, without padding, that it trained on."""
        self._evaluate = evaluate
        """Step → the evaluation loss; also shows samples. Raises StopRequested when asked to end."""
        self.stopped = False
        """The Trainer was asked to end before all was done."""
        self.totals = {"seconds": 0.0, "tokens": 0.0, "evaluated": -1.0}
        """Over all attempts: seconds of training without evaluations and checkpoints, tokens without padding, and the
        last step that was evaluated."""
        self.losses: deque[float] = deque(maxlen=10)
        """The last points of the loss curve."""
        self.eval_loss: float | None = None
        self._first_step = 0
        self._pauses: list[float] = []
        """Seconds that each evaluation took."""
        self._clock = self._saved_at = time.perf_counter()
        self._progress_at = -math.inf
        self._measured = self._measured_tokens = self._unreported_seconds = 0.0

    def resume(self, checkpoint: Path) -> None:
        """Count on from where the checkpoint stood."""
        self._first_step = step_of(checkpoint)
        marker = read_marker(checkpoint)
        self.totals |= marker.totals if marker is not None else {}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._clock = self._saved_at = time.perf_counter()
        self._measured = self._unreported_seconds = 0.0
        due = self._plan.evaluation_steps and {0, *self._plan.evaluation_steps}  # 0: what was learned is told from it
        if state.global_step in due and self.totals["evaluated"] < state.global_step:
            self.evaluate(state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A correction was made: count it, evaluate, and see whether to save or to stop."""
        step = state.global_step
        self._count(step)
        is_last = step >= self._plan.total_steps
        self.stopped = bool(self._context.control.requested) and not is_last
        if step in self._plan.evaluation_steps and not self.stopped:
            try:
                self.evaluate(step)
            except StopRequested:
                self.stopped = True  # the next attempt evaluates first
        control.should_training_stop |= self.stopped
        control.should_save |= self.stopped or time.perf_counter() - self._saved_at > SAVE_SECONDS
        if control.should_save:
            self._settle()
        self._tell_progress(step, state.epoch, always=is_last or control.should_save)  # a checkpoint's step is known

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """A point of the curves is due. The Trainer has just waited for the device, so the clock tells the truth."""
        state.log_history.clear()  # it would be written, ever longer, into each checkpoint
        if not logs or "loss" not in logs:
            return
        self._count_seconds()
        values: dict[str, float] = {name: logs[name] for name in ("loss", "learning_rate", "grad_norm") if name in logs}
        if self._measured_tokens and self._unreported_seconds:
            values["tokens_per_second"] = self._measured_tokens / self._unreported_seconds
        self._measured_tokens = self._unreported_seconds = 0.0
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._context.report(Metric(step=state.global_step, values=finite))
        self._judge(state.global_step, values["loss"])
        self.losses.append(values["loss"])

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The Trainer has written its files: check them, mark the checkpoint whole, then drop older ones."""
        if not _is_finite(kwargs["model"]):
            raise _not_a_number(state.global_step)
        folder = self._context.paths.checkpoints / name_of(state.global_step)
        size = checkpoints.seal(folder, state.global_step, self.totals)
        self._context.report(CheckpointSaved(step=state.global_step, folder=folder.name, bytes=size))
        checkpoints.prune(folder.parent, self._parameters.checkpoints_kept)
        self._clock = self._saved_at = time.perf_counter()

    def evaluate(self, step: int) -> None:
        """Measure the evaluation loss; the time it takes counts as no training."""
        self._settle()
        started = self._clock
        try:
            self.eval_loss = self._evaluate(step)
        finally:
            self._clock = time.perf_counter()
        self.totals["evaluated"] = step
        if math.isfinite(self.eval_loss):
            self._context.report(Metric(step=step, values={"eval_loss": self.eval_loss}))
        self._pauses.append(self._clock - started)

    def summary(self) -> dict[str, Any]:
        """Losses at the end (the training loss is the mean of the last ten points) and totals over all attempts."""
        values: dict[str, Any] = {"seconds": round(self.totals["seconds"], 3), "tokens": int(self.totals["tokens"])}
        if self.totals["seconds"]:
            values["tokens_per_second"] = self.totals["tokens"] / self.totals["seconds"]
        if self.losses:
            values["train_loss"] = sum(self.losses) / len(self.losses)
        if self.eval_loss is not None:
            values["eval_loss"] = self.eval_loss
        return values

    def _count(self, step: int) -> None:
        tokens = self._tokens_of(step)
        self.totals["tokens"] += tokens
        self._measured_tokens += tokens
        self._count_seconds()

    def _settle(self) -> None:
        """Count what the device still has to do as training, before something else begins."""
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        self._count_seconds()

    def _count_seconds(self) -> None:
        moment = time.perf_counter()
        passed = moment - self._clock
        self._clock = moment
        self._measured += passed
        self._unreported_seconds += passed
        self.totals["seconds"] += passed

    def _tell_progress(self, step: int, epoch: float | None, *, always: bool) -> None:
        if not always and self._clock - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = self._clock
        left = (self._plan.total_steps - step) * self._measured / (step - self._first_step)
        if self._pauses:
            coming = sum(1 for evaluation in self._plan.evaluation_steps if evaluation > step)
            left += coming * sum(self._pauses) / len(self._pauses)
        self._context.report(Progress(step=step, total_steps=self._plan.total_steps, epoch=epoch, seconds_left=left))

    def _judge(self, step: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise _not_a_number(step)
        if loss == 0:
            self._context.report(
                Alert(
                    message=f"The loss was exactly 0 at step {step}: nothing was learned from that batch.",
                    hint="Look at the trained tokens of the data; a row may be cut off before its answer begins.",
                )
            )


def _is_finite(model: torch.nn.Module) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)


def _not_a_number(step: int) -> JobError:
    return JobError(
        f"The loss became infinite or not a number by step {step}, so the adapter holds nothing usable any more.",
        "Lower the learning rate or raise the warm-up, and start anew.",
    )
