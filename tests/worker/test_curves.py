"""Made curves: what an alert must notice, and above all what it must leave alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.worker.training.curves import Curve, Evaluated
from qlora_ui.worker.training.plan import Plan
from qlora_ui.worker.training.watch import Watch

SEEDS = range(20)


def watch(steps: int, **values: Any) -> Watch:
    parameters = TrainingParameters(model_name="m", dataset_path="d", **values)
    plan = Plan(
        steps_per_epoch=steps, total_steps=steps, warmup_steps=steps * 3 // 100, save_steps=steps,
        evaluation_steps=frozenset(),
    )  # fmt: skip
    return Watch(parameters, plan)


def alerts(
    losses: Any, gradients: Any = None, evaluations: dict[int, float] | None = None, watching: Watch | None = None
) -> list[Alert]:
    """Everything that is said while the points come in one by one."""
    watching = watching or watch(len(losses))
    norms = [0.7] * len(losses) if gradients is None else gradients
    said: list[Alert] = []
    for step, (loss, norm) in enumerate(zip(losses, norms, strict=True), start=1):
        said += watching.point(step, float(loss), float(norm))
        if evaluations and step in evaluations:
            said += watching.evaluated(Evaluated(step, evaluations[step], 0.001))
    return said


def codes(said: list[Alert]) -> list[str]:
    return [alert.code for alert in said]


def normal(seed: int, steps: int = 400, noise: float = 0.15, start: float = 3.0, end: float = 1.0) -> Any:
    """A loss that falls quickly, then slowly, with the multiplicative noise of small batches."""
    chance, time = np.random.default_rng(seed), np.arange(steps) / steps
    level = end + (start - end) * np.exp(-6 * time)
    return level * np.exp(noise * chance.standard_normal(steps))


@pytest.mark.parametrize("seed", SEEDS)
class TestNothingIsSaidOf:
    def test_a_normal_run(self, seed: int) -> None:
        assert alerts(normal(seed)) == []
        assert alerts(normal(seed, noise=0.02)) == []

    def test_very_noisy_batches(self, seed: int) -> None:
        assert alerts(normal(seed, noise=0.6)) == []

    def test_a_heavy_tail(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        assert alerts(normal(seed) + 0.2 * np.abs(chance.standard_t(2, 400))) == []

    def test_a_short_run(self, seed: int) -> None:
        assert alerts(normal(seed, steps=12, noise=0.5)) == []
        flat = np.random.default_rng(seed).normal(2, 0.3, 25)
        assert alerts(flat) == [], "too few points to say that nothing was learned"

    def test_a_long_level_after_a_quick_fall(self, seed: int) -> None:
        losses = np.concatenate([normal(seed, steps=60), normal(seed + 100, steps=940, start=1.0)])
        assert alerts(losses) == []

    def test_a_curve_that_falls_at_each_epoch(self, seed: int) -> None:
        levels = np.repeat([2.0, 1.4, 0.7], 100) + 2 * np.exp(-np.arange(300) / 5)
        assert alerts(levels * np.exp(0.15 * np.random.default_rng(seed).standard_normal(300))) == []

    def test_gradients_that_are_always_cut_while_it_learns(self, seed: int) -> None:
        assert alerts(normal(seed), gradients=np.full(400, 30.0)) == []

    def test_a_level_run_that_went_on_from_somewhere(self, seed: int) -> None:
        watching = watch(400)
        watching.resume(Curve(), [], whole=False)
        level = np.random.default_rng(seed).normal(1.0, 0.15, 400)
        assert alerts(level, watching=watching) == [], "what it learned, it learned before"

    def test_single_outliers(self, seed: int) -> None:
        losses = normal(seed)
        losses[[100, 101, 102, 250, 320]] *= 8
        assert alerts(losses) == []

    def test_a_resumed_run(self, seed: int) -> None:
        losses, before, watching = normal(seed), Curve(), watch(400)
        for step, loss in enumerate(losses[:200], start=1):
            before.add(step, float(loss), 0.7)
        watching.resume(before, [], whole=True)
        said = [alert for step in range(201, 401) for alert in watching.point(step, float(losses[step - 1]), 0.7)]
        assert said == []


@pytest.mark.parametrize("seed", SEEDS)
class TestItNotices:
    def test_a_jump_that_stays(self, seed: int) -> None:
        losses = normal(seed)
        losses[250:] *= 4
        said = alerts(losses)
        assert codes(said) == [AlertCode.SPIKE], "once"
        assert said[0].step == 251

    def test_a_second_jump_later(self, seed: int) -> None:
        losses = normal(seed)
        losses[150:] *= 4
        losses[300:] *= 4
        assert codes(alerts(losses)) == [AlertCode.SPIKE, AlertCode.SPIKE]

    def test_a_steady_rise(self, seed: int) -> None:
        losses = normal(seed)
        losses[200:300] *= np.linspace(1, 3, 100)
        losses[300:] *= 3
        said = alerts(losses)
        assert set(codes(said)) == {AlertCode.RATE_TOO_HIGH} and len(said) <= 3
        assert said[0].step is not None and said[0].step < 300

    def test_that_nothing_was_learned(self, seed: int) -> None:
        level = np.random.default_rng(seed).normal(2, 0.3, 400)
        said = alerts(level)
        assert codes(said) == [AlertCode.NOTHING_LEARNED]
        assert said[0].step in {134, 400}, "told after a third, by a chance of one in hundreds only at the end"

    def test_a_rate_that_is_too_low(self, seed: int) -> None:
        level = np.random.default_rng(seed).normal(2, 0.3, 400)
        assert codes(alerts(level, watching=watch(400, learning_rate=1e-6))) == [AlertCode.RATE_TOO_LOW]

    def test_gradients_that_are_always_cut_for_nothing(self, seed: int) -> None:
        level = np.random.default_rng(seed).normal(8, 0.3, 400)
        assert codes(alerts(level, gradients=np.full(400, 30.0))) == [AlertCode.RATE_TOO_HIGH]


class TestOverfitting:
    RISING = {100: 1.0, 200: 0.8, 300: 0.84, 400: 0.9}

    def test_is_noticed_at_the_second_rise_and_names_the_best(self) -> None:
        said = alerts(normal(1), evaluations=self.RISING)
        assert codes(said) == [AlertCode.OVERFITTING]
        assert said[0].step == 400 and "step 200" in said[0].hint

    @pytest.mark.parametrize("after", [(0.8, 0.84, 0.79), (0.8, 0.8005, 0.801), (0.8, 0.7, 0.75)])
    def test_is_not_seen_in_one_rise_or_in_noise(self, after: tuple[float, float, float]) -> None:
        evaluations = dict(zip((100, 200, 300, 400), (1.0, *after), strict=True))
        assert alerts(normal(1), evaluations=evaluations) == []

    def test_is_something_else_while_the_training_loss_rises_too(self) -> None:
        losses = normal(1, end=3.0, noise=0.01)
        losses[200:] += np.linspace(0, 0.1, 200)
        assert AlertCode.OVERFITTING not in codes(alerts(losses, evaluations=self.RISING))

    def test_is_told_again_only_after_a_new_best(self) -> None:
        rising_on = {100: 0.8, 150: 0.9, 200: 1.0, 250: 1.1}
        assert codes(alerts(normal(1), evaluations=rising_on)) == [AlertCode.OVERFITTING]
        twice = rising_on | {300: 0.7, 350: 0.8, 390: 0.9}
        assert codes(alerts(normal(1, noise=0.0), evaluations=twice)) == [AlertCode.OVERFITTING] * 2


def test_what_was_told_before_a_resume_is_not_told_again() -> None:
    losses = normal(1)
    losses[190:] *= 4
    watching, before = watch(400), Curve()
    for step, loss in enumerate(losses[:200], start=1):
        before.add(step, float(loss), 0.7)
    watching.resume(before, [], whole=True)
    assert [a for step in range(201, 401) for a in watching.point(step, float(losses[step - 1]), 0.7)] == []


def test_a_jump_right_after_a_resume_is_seen() -> None:
    losses = normal(1)
    losses[203:] *= 4
    watching, before = watch(400), Curve()
    for step, loss in enumerate(losses[:200], start=1):
        before.add(step, float(loss), 0.7)
    watching.resume(before, [], whole=True)
    said = [a for step in range(201, 401) for a in watching.point(step, float(losses[step - 1]), 0.7)]
    assert codes(said) == [AlertCode.SPIKE] and said[0].step == 204


def test_a_loss_of_exactly_nothing_is_told_once() -> None:
    losses = normal(1)
    losses[[50, 60, 70]] = 0
    said = alerts(losses)
    assert codes(said) == [AlertCode.ZERO_LOSS] and said[0].step == 51


def test_points_that_are_means_of_several_steps() -> None:
    watching = watch(4000, logging_steps=10)
    level = np.random.default_rng(0).normal(2, 0.3, 400)
    said = [alert for i, loss in enumerate(level) for alert in watching.point((i + 1) * 10, float(loss), 0.7)]
    assert codes(said) == [AlertCode.NOTHING_LEARNED] and said[0].step == 1340
