"""Looks at the curves while they grow, and says in plain words what a person should know before the night is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker.training.curves import (
    RISE_POINTS,
    Curve,
    Evaluated,
    has_fallen,
    is_clipped,
    overfits,
    rises,
    spike,
)
from qlora_ui.worker.training.plan import Plan

LOW_RATE = 2e-5
"""A tenth of what LoRA is usually trained with: below it, that nothing is learned is first of all blamed on it."""

_SEEN_AGAIN = 4 * RISE_POINTS


@dataclass
class Watch:
    """Is told every point and evaluation of a run, in order, and answers with alerts, none twice for the same."""

    parameters: TrainingParameters
    plan: Plan

    def __post_init__(self) -> None:
        self.curve = Curve()
        self._evaluations: list[Evaluated] = []
        self._whole = True
        self._told: set[AlertCode] = set()
        self._fresh = 0
        """The points from this one on have not yet been the reason for an alert."""

    def resume(self, curve: Curve, evaluations: list[Evaluated], *, whole: bool) -> None:
        """Go on from the points so far; `whole` tells whether they reach back to the first step of the training.

        The last of them are looked at once more: what there was to say of them was said.
        """
        before = max(0, len(curve.losses) - _SEEN_AGAIN)
        self._evaluations, self._whole = evaluations, whole
        self.curve = Curve(curve.steps[:before], curve.losses[:before], curve.gradients)
        for step, loss in zip(curve.steps[before:], curve.losses[before:], strict=True):
            self.curve.add(step, loss, None)
            for _said in self._look_up(step):
                pass

    def point(self, step: int, loss: float, gradient: float | None) -> Iterator[Alert]:
        """A new point of the loss curve, a finite one."""
        self.curve.add(step, loss, gradient)
        if loss == 0 and self._first(AlertCode.ZERO_LOSS):
            yield _zero(step)
        yield from self._look_up(step)
        before = self.curve.steps[-2] if len(self.curve.steps) > 1 else 0
        if any(before < moment <= step for moment in self._moments()):
            yield from self._look_back(step)

    def evaluated(self, evaluated: Evaluated) -> Iterator[Alert]:
        """A new evaluation."""
        self._evaluations.append(evaluated)
        best = min(self._evaluations, key=lambda one: one.loss)
        if best is evaluated:
            self._told.discard(AlertCode.OVERFITTING)
        elif overfits(self._evaluations, self.curve) and self._first(AlertCode.OVERFITTING):
            yield _overfitting(evaluated, best)

    def _look_up(self, step: int) -> Iterator[Alert]:
        """Has the loss gone up? Points that were a reason once are not looked at again."""
        points, count = self.curve.losses, len(self.curve.losses)
        jump = spike(points[max(self._fresh, count - RISE_POINTS) :])
        if jump:
            self._fresh = count - jump.points
            self._told.add(AlertCode.SPIKE)
            yield _spike(self.curve.steps[-jump.points], jump.before, jump.after)
        elif step > self.plan.warmup_steps and (rise := rises(points[max(self._fresh, count - RISE_POINTS) :])):
            self._fresh = count
            self._told.add(AlertCode.RATE_TOO_HIGH)
            yield _rising(self.curve.steps[-RISE_POINTS], step, *rise, self.parameters.learning_rate)

    def _look_back(self, step: int) -> Iterator[Alert]:
        """Has anything been learned since the start?"""
        evaluations = self._evaluations
        learned = len(evaluations) > 1 and evaluations[-1].loss < 0.995 * evaluations[0].loss
        went_up = {AlertCode.SPIKE, AlertCode.RATE_TOO_HIGH} & self._told  # then that is what is to be said of it
        if not self._whole or learned or went_up or has_fallen(self.curve.losses):
            return
        if not self._first(AlertCode.NOTHING_LEARNED):
            return
        rate, limit = self.parameters.learning_rate, self.parameters.max_grad_norm
        if is_clipped(self.curve.gradients, limit):
            yield _cut_off(step, rate)
        elif rate < LOW_RATE:
            yield _too_low(step, rate)
        else:
            yield _nothing(step)

    def _moments(self) -> tuple[int, int]:
        """It looks back at the first points from these steps on: after a third of the run, and at its end."""
        total = self.plan.total_steps
        return -(-total // 3), total - self.parameters.logging_steps + 1

    def _first(self, code: AlertCode) -> bool:
        if code in self._told:
            return False
        self._told.add(code)
        return True


def _zero(step: int) -> Alert:
    return Alert(
        code=AlertCode.ZERO_LOSS,
        step=step,
        message=f"The loss was exactly 0 at step {step}: nothing was learned from that batch.",
        hint="Look at the trained tokens of the data; a row may be cut off before its answer begins.",
    )


def _spike(step: int, before: float, after: float) -> Alert:
    return Alert(
        code=AlertCode.SPIKE,
        step=step,
        message=f"The loss jumped from about {before:.3f} to {after:.3f} at step {step} and has not come back.",
        hint="If it stays there, go on from a checkpoint before that step with a lower learning rate.",
    )


def _rising(first: int, last: int, before: float, after: float, rate: float) -> Alert:
    return Alert(
        code=AlertCode.RATE_TOO_HIGH,
        step=last,
        message=f"The loss has been rising since step {first}, from about {before:.3f} to {after:.3f}.",
        hint=f"The learning rate of {rate:g} is probably too high: start anew with a third of it.",
    )


def _overfitting(evaluated: Evaluated, best: Evaluated) -> Alert:
    return Alert(
        code=AlertCode.OVERFITTING,
        step=evaluated.step,
        message=f"The evaluation loss has risen twice in a row, to {evaluated.loss:.3f}, while the training loss "
        "falls: the model begins to learn the rows by heart.",
        hint=f"It was lowest at step {best.step} ({best.loss:.3f}): use that checkpoint, or train fewer epochs.",
    )


def _cut_off(step: int, rate: float) -> Alert:
    return Alert(
        code=AlertCode.RATE_TOO_HIGH,
        step=step,
        message=f"The loss has not fallen by step {step}, and nearly every gradient was cut to the gradient limit.",
        hint=f"The learning rate of {rate:g} is probably too high: start anew with a third of it.",
    )


def _too_low(step: int, rate: float) -> Alert:
    return Alert(
        code=AlertCode.RATE_TOO_LOW,
        step=step,
        message=f"By step {step} the loss has not fallen by more than its noise, at a learning rate of {rate:g}.",
        hint="That is very low for LoRA: start anew with ten times as much.",
    )


def _nothing(step: int) -> Alert:
    return Alert(
        code=AlertCode.NOTHING_LEARNED,
        step=step,
        message=f"By step {step} the loss has not fallen by more than its noise: nothing was learned so far.",
        hint="Look at the trained tokens of the data, or try a higher learning rate.",
    )
