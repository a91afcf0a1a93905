"""A stop at any moment loses nothing: not the evaluation that it cuts short, nor the order of rows in a later epoch."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.events import CheckpointSaved, Event, Metric, Progress, Resumed, Sample
from tests.worker.here import Run

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.usefixtures("environment"),
]
Curves = dict[tuple[str, int], float]


def curves_of(events: list[Event]) -> Curves:
    """Losses and evaluation losses, cut back at each resume as the app does."""
    points: Curves = {}
    for event in events:
        if isinstance(event, Resumed):
            points = {key: value for key, value in points.items() if key[1] <= event.step}
        if isinstance(event, Metric):
            points |= {(name, event.step): event.values[name] for name in event.values if name.endswith("loss")}
    return points


def test_stops_in_an_evaluation_and_within_an_epoch(tmp_path: Path) -> None:
    expected = curves_of(Run(tmp_path / "whole").attempt())
    assert {step for name, step in expected if name == "eval_loss"} == {0, 4, 8, 12}

    run = Run(tmp_path / "stopped")
    run.attempt(stop_at=lambda event: isinstance(event, Sample) and event.step == 8)
    events = run.events
    assert ("eval_loss", 8) not in curves_of(events), "the evaluation was cut short"
    run.attempt(2, stop_at=lambda event: isinstance(event, Metric) and event.step == 10 and "loss" in event.values)
    said = [event.step for event in events if isinstance(event, Progress)]
    kept = [event.step for event in events if isinstance(event, CheckpointSaved)]
    assert said[-1] == kept[-1] == 11, "where it stopped and what was saved are told as the same step"
    assert curves_of(events).keys() == {key for key in expected if key[1] <= 11}
    run.attempt(3)
    assert [event.step for event in events if isinstance(event, Resumed)] == [8, 11]
    got = curves_of(events)
    assert got.keys() == expected.keys()
    for point, value in expected.items():
        assert got[point] == pytest.approx(value, abs=1e-4), point


def test_a_stop_before_the_first_step_leaves_no_checkpoint(tmp_path: Path) -> None:
    run = Run(tmp_path)
    events = run.attempt(stop_at=lambda event: isinstance(event, Sample))
    assert not any(isinstance(event, Metric) for event in events)
    assert not list(run.paths.checkpoints.glob("checkpoint-*"))


def test_a_stop_in_the_last_evaluation_keeps_the_training(tmp_path: Path) -> None:
    run = Run(tmp_path)
    events = run.attempt(stop_at=lambda event: isinstance(event, Sample) and event.step == 12)
    assert not run.paths.adapter.exists()
    assert ("eval_loss", 12) not in curves_of(events)
    again = run.attempt(2)
    assert curves_of(again).keys() == {("eval_loss", 12)}, "nothing was trained again"
    assert (run.paths.adapter / "adapter_model.safetensors").is_file()
