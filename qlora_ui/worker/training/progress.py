"""Tells the run folder how the training goes, and asks the Trainer for checkpoints and for the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from qlora_ui.contract.checkpoints import name_of, read_marker, step_of
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, AlertCode, CheckpointSaved, Metric, Phase, Progress
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker.batches import Size
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import StopRequested
from qlora_ui.worker.training import checkpoints
from qlora_ui.worker.training.best import Best
from qlora_ui.worker.training.curves import Evaluated
from qlora_ui.worker.training.held_out import Evaluation
from qlora_ui.worker.training.machine import Machine
from qlora_ui.worker.training.plan import Plan
from qlora_ui.worker.training.resuming import curves_until
from qlora_ui.worker.training.speed import Speed
from qlora_ui.worker.training.watch import Watch

SAVE_SECONDS = 600
"""At least this often a checkpoint is saved, however rare `save_steps` are."""
PROGRESS_SECONDS = 0.2
"""Progress is said no more often than this, so that a million quick steps do not fill the disk."""
LAST_POINTS = 10
"""Of the loss curve: their mean is the training loss of a moment."""


class Reporter(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Metrics, progress and checkpoints as events; stop, pause and an early end as requests to the Trainer."""

    def __init__(
        self,
        context: Context,
        parameters: TrainingParameters,
        plan: Plan,
        size_of: Callable[[int], Size],
        evaluate: Callable[[int], Evaluation],
        track: Callable[[int, dict[str, float]], None],
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._plan = plan
        self._evaluate = evaluate
        """Step → what is measured on held-out rows; also shows samples. Raises StopRequested when asked to end."""
        self._track = track
        """Hears every metric as well."""
        self.stopped = False
        """The Trainer was asked to end before all was done."""
        self.best = Best(
            parameters.best_metric, parameters.early_stopping_threshold, parameters.early_stopping_patience
        )
        self.speed = Speed(size_of)
        self.metrics: dict[str, float] = {}
        """What the newest evaluation measured."""
        self._evaluated = -1
        """The last step that was evaluated."""
        self._watch = Watch(parameters, plan)
        self._machine = Machine()
        self._saved_at = time.perf_counter()
        self._progress_at = -math.inf

    @property
    def stopped_early(self) -> bool:
        """There was nothing to wait for any more before all steps were made."""
        return self.best.is_over and self.speed.step < self._plan.total_steps

    def resume(self, checkpoint: Path, *, is_borrowed: bool) -> None:
        """Count on from where the checkpoint stood; `is_borrowed` tells that another run made it."""
        step, marker = step_of(checkpoint), read_marker(checkpoint)
        if marker is not None:
            self.speed.restore(marker.totals, step)
            self._evaluated = int(marker.totals.get("evaluated", -1))
            self.metrics = marker.metrics
            self.best.restore(marker.totals)
        curve, evaluations = curves_until(self._context.paths.events, step)
        whole = bool(curve.steps) and curve.steps[0] <= self._parameters.logging_steps
        self._watch.resume(curve, evaluations, whole=whole)
        if is_borrowed:  # the other run may have gone by another figure, and a person wants this one to go on
            self.best.forget()
            if self._evaluated == step and self.best.metric in self.metrics:
                self.best.judge(step, self.metrics[self.best.metric])
        elif self.best.step is not None and not (checkpoint.parent / name_of(self.best.step)).is_dir():
            self.best.forget()

    def catch_up(self, step: int) -> None:
        """Evaluate what is due before the step after this one: at the start, to tell later what was learned."""
        due = self._plan.evaluation_steps and {0, *self._plan.evaluation_steps}
        if step in due and (self._evaluated < step or not self.metrics):
            self.speed.begin_step()
            self.evaluate(step)
            if step:
                self._seal(step)  # its checkpoint was saved before anything was known of it

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._say_training()
        self.speed.begin()
        self._saved_at = time.perf_counter()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A correction was made: count it, evaluate, and see whether to save or to stop."""
        step = state.global_step
        self.speed.count(step)
        is_last = step >= self._plan.total_steps
        self.stopped = bool(self._context.control.requested) and not is_last
        if not self.stopped:
            control.should_save |= self._measure(step)
        if self.stopped_early and not self.stopped:
            control.should_training_stop = control.should_save = True
        control.should_training_stop |= self.stopped
        control.should_save |= self.stopped or time.perf_counter() - self._saved_at > SAVE_SECONDS
        if control.should_save:
            self.speed.settle()
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
        step, loss = state.global_step, logs["loss"]
        point = {name: logs[name] for name in ("loss", "learning_rate", "grad_norm") if name in logs}
        self._report(step, point | self.speed.figures())
        if not math.isfinite(loss):
            self._context.report(_lost(step))
            raise _not_a_number(step)
        for alert in self._watch.point(step, loss, logs.get("grad_norm")):
            self._context.report(alert)
        self._report(step, self._machine.figures())

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """The Trainer has written its files: check them, mark the checkpoint whole, then drop older ones."""
        if not _is_finite(kwargs["model"]):
            raise _not_a_number(state.global_step)
        self._seal(state.global_step)
        self._saved_at = time.perf_counter()
        self.speed.begin_step()

    def evaluate(self, step: int) -> bool:
        """Measure on held-out rows, which counts as no training; whether this is a new best."""
        self._context.report(Phase(name="evaluating", message=f"It evaluates at step {step:,}."))
        with self.speed.pause():
            evaluation = self._evaluate(step)
        self._evaluated = step
        self.metrics = {name: value for name, value in evaluation.values.items() if math.isfinite(value)}
        self._report(step, self.metrics)
        if math.isfinite(evaluation.loss):
            for alert in self._watch.evaluated(Evaluated(step, evaluation.loss, evaluation.error)):
                self._context.report(alert)
        return step > 0 and self._judge(step)

    def summary(self) -> dict[str, Any]:
        """Losses at the end (the training loss is the mean of the last ten points) and totals over all attempts."""
        values: dict[str, Any] = {"steps": self.speed.step} | self.speed.summary()
        if (loss := self._train_loss()) is not None:
            values["train_loss"] = loss
        values |= self.metrics
        if self.best.step is not None:
            values |= {"best_metric": self.best.metric, "best_value": self.best.value, "best_step": self.best.step}
        return values | ({"stopped_early": True} if self.stopped_early else {})

    def _measure(self, step: int) -> bool:
        """Evaluate where it is due; whether there is a new best, which is worth a checkpoint."""
        if step not in self._plan.evaluation_steps:
            return self._plan.is_judged_at(step) and self._judge(step)
        try:
            is_best = self.evaluate(step)
        except StopRequested:
            self.stopped = True  # the next attempt evaluates first
            return False
        if step < self._plan.total_steps and not self.stopped_early:
            self._say_training()
        return is_best

    def _judge(self, step: int) -> bool:
        """Whether the run's metric is better than ever; says so when there is no more to wait for."""
        if self.best.metric == "loss":
            value = self._train_loss()
        else:  # what was measured and is no number is no improvement either
            value = self.metrics.get(self.best.metric, math.nan) if self._evaluated == step else None
        if value is None:
            return False
        is_best = self.best.judge(step, value)
        if self.stopped_early:
            self._context.report(_early_stop(step, self.best))
        return is_best

    def _seal(self, step: int) -> None:
        """Mark the checkpoint of this step whole, with all that is known by now; then drop older ones."""
        folder, is_best = self._context.paths.checkpoints / name_of(step), self.best.step == step
        totals = self.speed.totals | {"evaluated": self._evaluated} | self.best.totals
        size = checkpoints.seal(folder, step, totals, self.metrics, is_best=is_best)
        self._context.report(
            CheckpointSaved(step=step, folder=folder.name, bytes=size, metrics=self.metrics, is_best=is_best)
        )
        always = () if self.best.step is None else (self.best.step,)
        checkpoints.prune(folder.parent, self._parameters.checkpoints_kept, always)

    def _train_loss(self) -> float | None:
        last = self._watch.curve.losses[-LAST_POINTS:]
        return sum(last) / len(last) if last else None

    def _report(self, step: int, values: dict[str, float]) -> None:
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        if finite:
            self._context.report(Metric(step=step, values=finite))
            self._track(step, finite)

    def _say_training(self) -> None:
        self._context.report(Phase(name="training", message=f"It trains: {self._plan.total_steps:,} steps."))

    def _tell_progress(self, step: int, epoch: float | None, *, always: bool) -> None:
        moment = time.perf_counter()
        if not always and moment - self._progress_at < PROGRESS_SECONDS:
            return
        self._progress_at = moment
        coming = sum(1 for evaluation in self._plan.evaluation_steps if evaluation > step)
        left = self.speed.seconds_for(self._plan.total_steps - step, coming)
        self._context.report(Progress(step=step, total_steps=self._plan.total_steps, epoch=epoch, seconds_left=left))


def _is_finite(model: torch.nn.Module) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)


def _not_a_number(step: int) -> JobError:
    return JobError(
        f"The loss became infinite or not a number by step {step}, so the adapter holds nothing usable any more.",
        "Lower the learning rate or raise the warm-up, and start anew.",
    )


def _lost(step: int) -> Alert:
    return Alert(
        code=AlertCode.NOT_A_NUMBER,
        level="error",
        step=step,
        message=f"The loss of step {step} is infinite or not a number.",
        hint="The training ends here; checkpoints from before that step are still good.",
    )


def _early_stop(step: int, best: Best) -> Alert:
    many = f"The training ends early, at step {step}: {best.without} evaluations in a row brought no improvement."
    return Alert(
        code=AlertCode.EARLY_STOP,
        step=step,
        message=many
        if best.without > 1
        else f"The training ends early, at step {step}: its last evaluation brought no improvement.",
        hint="It never got better at all: look at the data and the learning rate."
        if best.step is None
        else f"That is what was asked for. The best checkpoint is the one at step {best.step}.",
    )
