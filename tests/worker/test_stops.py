"""A stop at any moment loses nothing: not the evaluation that it cuts short, nor the order of rows in a later epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from qlora_ui.contract.events import CheckpointSaved, Event, Metric, Progress, Resumed, Sample
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace, dataset_location
from qlora_ui.contract.records import JobKind, JobRecord, now
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control, StopRequested

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.usefixtures("environment"),
]
Curves = dict[tuple[str, int], float]


def attempt(home: Path, number: int = 1, stop_at: Callable[[Event], bool] = lambda event: False) -> list[Event]:
    """12 steps in 3 epochs of 16 rows, evaluated at 4, 8 and 12; asked to stop at the first event that `stop_at` likes.

    Returns the events.
    """
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.train import train

    paths = Workspace(home).run("run")
    paths.folder.mkdir(parents=True, exist_ok=True)
    data = home / "rows.jsonl"
    data.write_text("".join(dataset_location("starter").read_text().splitlines(keepends=True)[:20]), encoding="utf-8")
    parameters = TrainingParameters(
        model_name="starter", dataset_path=str(data), validation_share=0.2, evaluations=3, num_train_epochs=3,
        batch_size=4, gradient_accumulation=1, learning_rate=2e-3, lora_dropout=0.1, save_steps=100,
        compute_type="float32", device="cpu",
    )  # fmt: skip
    record = JobRecord(id="run", kind=JobKind.TRAINING, name="run", created_at=now(), queued_at=now(), attempt=number)
    control, events = Control(paths.command, number), list[Event]()

    def report(event: Event) -> None:
        events.append(event)
        if stop_at(event):
            control._requested = "stop"

    context = Context(paths, Workspace(home), record, parameters, report, control, offline=True)
    try:
        train(context, choose("cpu", "float32"))
    except StopRequested:
        assert control.requested
    return events


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
    expected = curves_of(attempt(tmp_path / "whole"))
    assert {step for name, step in expected if name == "eval_loss"} == {0, 4, 8, 12}

    home = tmp_path / "stopped"
    events = attempt(home, 1, lambda event: isinstance(event, Sample) and event.step == 8)
    assert ("eval_loss", 8) not in curves_of(events), "the evaluation was cut short"
    events += attempt(home, 2, lambda event: isinstance(event, Metric) and event.step == 10 and "loss" in event.values)
    said = [event.step for event in events if isinstance(event, Progress)]
    kept = [event.step for event in events if isinstance(event, CheckpointSaved)]
    assert said[-1] == kept[-1] == 11, "where it stopped and what was saved are told as the same step"
    assert curves_of(events).keys() == {key for key in expected if key[1] <= 11}
    events += attempt(home, 3)
    assert [event.step for event in events if isinstance(event, Resumed)] == [8, 11]
    got = curves_of(events)
    assert got.keys() == expected.keys()
    for point, value in expected.items():
        assert got[point] == pytest.approx(value, abs=1e-4), point


def test_a_stop_before_the_first_step_leaves_no_checkpoint(tmp_path: Path) -> None:
    events = attempt(tmp_path, 1, lambda event: isinstance(event, Sample))
    assert not any(isinstance(event, Metric) for event in events)
    assert not list(Workspace(tmp_path).run("run").checkpoints.glob("checkpoint-*"))


def test_a_stop_in_the_last_evaluation_keeps_the_training(tmp_path: Path) -> None:
    events = attempt(tmp_path, 1, lambda event: isinstance(event, Sample) and event.step == 12)
    paths = Workspace(tmp_path).run("run")
    assert not paths.adapter.exists()
    assert ("eval_loss", 12) not in curves_of(events)
    again = attempt(tmp_path, 2)
    assert curves_of(again).keys() == {("eval_loss", 12)}, "nothing was trained again"
    assert (paths.adapter / "adapter_model.safetensors").is_file()
