"""The best checkpoint, the early end, and an adapter that is the best one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.checkpoints import all_of, read_marker, step_of
from qlora_ui.contract.events import Alert, AlertCode, CheckpointSaved, Metric, Phase, Progress, Sample
from qlora_ui.contract.records import StartPoint
from qlora_ui.worker.training.best import Best
from tests.worker.here import Run, branch, curve, of

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.usefixtures("environment"),
]


class TestBest:
    def test_lower_is_better_but_for_accuracy(self) -> None:
        loss, accuracy = Best("eval_loss"), Best("eval_token_accuracy")
        assert [loss.judge(step, value) for step, value in enumerate([2.0, 1.0, 1.5])] == [True, True, False]
        assert [accuracy.judge(step, value) for step, value in enumerate([0.2, 0.1, 0.5])] == [True, False, True]
        assert (loss.step, loss.value, accuracy.step, accuracy.value) == (1, 1.0, 2, 0.5)

    def test_it_is_over_after_so_many_without_improvement(self) -> None:
        best = Best("eval_loss", threshold=0.1, patience=2)
        over = []
        for step, value in enumerate([2.0, 1.95, 1.5, 1.45, 1.41]):
            best.judge(step, value)
            over.append(best.is_over)
        assert over == [False, False, False, False, True]
        assert (best.step, best.value) == (2, 1.5)

    def test_what_is_no_number_is_no_improvement(self) -> None:
        best = Best("eval_perplexity", patience=2)
        assert not best.judge(1, math.inf) and not best.judge(2, math.nan)
        assert best.is_over and best.step is None
        assert best.totals == {"best_without": 2}

    def test_its_state_survives(self) -> None:
        best, restored = Best("eval_loss", patience=3), Best("eval_loss", patience=3)
        for step, value in enumerate([2.0, 1.0, 1.5]):
            best.judge(step, value)
        restored.restore(best.totals)
        assert restored == best
        without_any = Best("eval_loss")
        without_any.restore({})
        assert without_any == Best("eval_loss")


EARLY: dict[str, Any] = {
    "evaluations": 6, "num_train_epochs": 6, "early_stopping_patience": 2, "early_stopping_threshold": 3.0,
    "checkpoints_kept": 1, "load_best_at_end": True, "learning_rate": 5e-3,
}  # fmt: skip
"""24 steps, evaluated at 4, 8 … 24; soon the loss cannot fall by another 3."""


def test_it_ends_early_with_the_best_adapter(tmp_path: Path) -> None:
    run = Run(tmp_path, **EARLY)
    events = run.attempt()
    losses, ending = curve(events, "eval_loss"), run.summary
    best, end = ending["best_step"], ending["steps"]
    assert ending["stopped_early"] and end < 24 and end == best + 8
    assert losses[best] - losses[end] < 3
    [alert] = of(Alert, events)
    assert (alert.code, alert.step) == (AlertCode.EARLY_STOP, end)
    assert "2 evaluations in a row" in alert.message and f"step {best}" in alert.hint

    saved = {event.step: event for event in of(CheckpointSaved, events)}
    assert saved[best].is_best and not saved[end].is_best
    assert saved[best].metrics["eval_loss"] == losses[best]
    assert [step_of(folder) for folder in all_of(run.paths.checkpoints)] == [best, end], "the last one and the best"
    assert ending["adapter_step"] == best and ending["eval_loss"] == losses[best]
    assert weights(run.paths.adapter) == weights(run.paths.checkpoints / f"checkpoint-{best}")

    run.paths.adapter.rename(run.paths.adapter.with_name("before"))
    again = run.attempt(2)
    assert not of(Metric, again), "an early end that was not written down is no reason to train on"
    assert run.summary == ending
    assert weights(run.paths.adapter) == weights(run.paths.adapter.with_name("before"))


def test_without_evaluations_the_training_loss_is_judged_at_checkpoints(tmp_path: Path) -> None:
    run = Run(tmp_path, evaluations=0, validation_share=0, best_metric="loss", save_steps=3, num_train_epochs=2)
    events = run.attempt()
    best = [event.step for event in of(CheckpointSaved, events) if event.is_best]
    assert best == [3, 6, 9], "it is the mean of the points before"
    assert run.summary["best_step"] == 9
    assert run.summary["best_value"] == pytest.approx(sum(list(curve(events).values())[:8]) / 8)


def test_a_damaged_best_checkpoint_is_told_of_and_not_taken(tmp_path: Path) -> None:
    run = Run(tmp_path, **EARLY)

    def spoil(event: object) -> bool:
        if isinstance(event, Alert) and event.code == AlertCode.EARLY_STOP:
            folder = next(f for f in all_of(run.paths.checkpoints) if (m := read_marker(f)) and m.is_best)
            with (folder / "adapter_model.safetensors").open("r+b") as file:
                file.seek(2000)
                file.write(b"spoilt")
        return False

    events = run.attempt(stop_at=spoil)
    assert [alert.code for alert in of(Alert, events)] == [AlertCode.EARLY_STOP, AlertCode.DAMAGED_CHECKPOINT]
    assert run.summary["adapter_step"] == run.summary["steps"]


def test_a_stop_within_an_evaluation_does_not_hide_that_its_checkpoint_is_the_best(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = run.attempt(stop_at=lambda event: isinstance(event, Phase) and "step 4" in event.message)
    [saved] = of(CheckpointSaved, first)
    assert saved.step == 4 and not saved.is_best
    again = run.attempt(2, stop_at=lambda event: isinstance(event, Progress))
    known = of(CheckpointSaved, again)[0]
    assert (known.step, known.is_best, known.metrics["eval_loss"]) == (4, True, curve(again, "eval_loss")[4])
    marker = read_marker(run.paths.checkpoints / "checkpoint-4")
    assert marker is not None and marker.is_best and marker.metrics == known.metrics


def test_a_run_from_a_checkpoint_of_another_begins_with_what_was_measured_there(tmp_path: Path) -> None:
    """Also where the other went by another figure, and its own first attempt died before it saved anything."""
    first = Run(tmp_path, "first", num_train_epochs=2, evaluations=2)
    before = curve(first.attempt(), "eval_token_accuracy")[8]
    changes: dict[str, Any] = {"num_train_epochs": 4, "evaluations": 4, "best_metric": "eval_token_accuracy"}
    second = branch(first, tmp_path, 8, **changes)
    events = second.attempt(2, starts_from=StartPoint(run="first", step=8))
    measured = {8: before, **curve(events, "eval_token_accuracy")}
    assert list(measured) == [8, 12, 16]
    assert second.summary["best_value"] == max(measured.values())
    assert measured[second.summary["best_step"]] == second.summary["best_value"]


def test_own_prompts_are_answered_in_their_order_each_time(tmp_path: Path) -> None:
    own = [f"This is Hanna. I would like {count} blue jars for Wednesday." for count in range(1, 6)]
    run = Run(tmp_path, sample_prompts=own, evaluations=1, num_train_epochs=1)
    samples = of(Sample, run.attempt())
    assert [(sample.step, sample.prompt) for sample in samples] == [(step, text) for step in (0, 4) for text in own]
    assert all(not sample.reference for sample in samples)


def weights(folder: Path) -> bytes:
    return (folder / "adapter_model.safetensors").read_bytes()
