"""A training that is killed, paused and resumed ends exactly where an undisturbed one does."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.events import Alert, AlertCode, CheckpointSaved, Event, Facts, Log, Metric, Resumed, Stopped
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import Command, ExitRecord, JobKind, JobStatus
from tests.worker.conftest import TRAINING, events_of, finish, make_run, start
from tests.worker.here import SMALL, first_rows

EVERYTHING = SMALL | {
    "packing": True,
    "max_length": 128,
    "batch_size": 2,
    "gradient_accumulation": 2,
    "lr_scheduler_type": "cosine",
    "warmup_share": 0.1,
    "learning_rate": 5e-3,
    "lora_dropout": 0.1,
    "num_train_epochs": 8,
    "validation_share": 0.1,
    "save_steps": 3,
    "evaluations": 10,
    "early_stopping_patience": 3,
    "early_stopping_threshold": 0.5,
    "load_best_at_end": True,
}
"""All that has a state of its own, on 40 rows; it ends early at step 29 of 40 and some, the best is step 14."""


@pytest.fixture(scope="module")
def everything(home: Path) -> dict[str, Any]:
    return EVERYTHING | {"dataset_path": str(first_rows(home, 40))}


@pytest.fixture(scope="module")
def undisturbed(home: Path, everything: dict[str, Any]) -> RunPaths:
    paths = make_run(home, JobKind.TRAINING, everything, run_id="undisturbed")
    assert finish(paths).status is JobStatus.COMPLETED
    return paths


@pytest.fixture(scope="module")
def disturbed(home: Path, everything: dict[str, Any]) -> RunPaths:
    """Killed after a checkpoint, paused while it waits for an improvement, finished in its third."""
    paths = make_run(home, JobKind.TRAINING, everything, run_id="disturbed")
    worker = start(paths)
    wait_for(paths, lambda event: isinstance(event, CheckpointSaved) and event.step >= 5)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert not paths.exit.exists()

    make_run(home, JobKind.TRAINING, everything, run_id="disturbed", attempt=2)
    worker = start(paths)
    wait_for(paths, lambda event: isinstance(event, Metric) and event.step > 15 and resumed(paths, 1))
    paths.command.write_text(Command(action="pause", attempt=2).model_dump_json(), encoding="utf-8")
    assert worker.wait(timeout=240) == 0
    assert '"paused"' in paths.exit.read_text(encoding="utf-8")

    make_run(home, JobKind.TRAINING, everything, run_id="disturbed", attempt=3)
    assert finish(paths).status is JobStatus.COMPLETED
    return paths


def test_every_loss_is_the_undisturbed_one(disturbed: RunPaths, undisturbed: RunPaths) -> None:
    expected, got = curves(undisturbed), curves(disturbed)
    assert set(got) == set(expected)
    for point, value in expected.items():
        assert got[point] == pytest.approx(value, abs=1e-4), point


def test_resumes_begin_at_checkpoints(disturbed: RunPaths) -> None:
    events = events_of(disturbed)
    steps = [event.step for event in events if isinstance(event, Resumed)]
    paused = next(event for event in events if isinstance(event, Stopped))
    assert len(steps) == 2
    assert steps[0] >= 5
    assert paused.paused and steps[1] == paused.step
    assert steps[0] < steps[1] < 29, "it had seen the best by then, and ended later"


def test_both_end_early_at_the_same_step_with_the_same_best(disturbed: RunPaths, undisturbed: RunPaths) -> None:
    got, expected = (
        ExitRecord.model_validate_json(paths.exit.read_bytes()).summary for paths in (disturbed, undisturbed)
    )
    assert expected["stopped_early"] and expected["steps"] == 29
    for name in ("steps", "tokens", "best_step", "adapter_step", "stopped_early"):
        assert got[name] == expected[name], name
    for name in ("best_value", "eval_loss", "eval_token_accuracy", "train_loss"):
        assert got[name] == pytest.approx(expected[name], abs=1e-4), name
    alerts = [[e for e in events_of(paths) if isinstance(e, Alert)] for paths in (disturbed, undisturbed)]
    assert [alert.code for alert in alerts[0]] == [alert.code for alert in alerts[1]] == [AlertCode.EARLY_STOP]
    assert alerts[0][0].message == alerts[1][0].message


def test_packing_says_what_it_did_to_the_steps(undisturbed: RunPaths) -> None:
    events = events_of(undisturbed)
    facts = {name: value for e in events if isinstance(e, Facts) for name, value in e.values.items()}
    assert facts["packed_rows"] < facts["examples"] and 0 <= facts["padding"] < 0.2
    said = [event.message for event in events if isinstance(event, Log)]
    assert any(f"{facts['packed_rows']} rows of up to 128 tokens" in message for message in said)
    assert any("an epoch has only" in message for message in said)


def test_sigterm_stops_with_a_checkpoint(home: Path) -> None:
    paths = make_run(home, JobKind.TRAINING, TRAINING | {"save_steps": 1000}, run_id="stopped")
    worker = start(paths)
    wait_for(paths, lambda event: isinstance(event, Metric))
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(timeout=240) == 0
    last = events_of(paths)[-2:]
    assert isinstance(last[0], CheckpointSaved) and isinstance(last[1], Stopped)
    assert last[0].step == last[1].step and not last[1].paused
    assert '"stopped"' in paths.exit.read_text(encoding="utf-8")
    assert not paths.adapter.exists()


def test_a_run_that_died_before_it_saved_its_adapter_saves_the_same(home: Path, trained: RunPaths) -> None:
    paths = RunPaths(trained.folder.parent / "late")
    shutil.copytree(trained.folder, paths.folder)
    shutil.rmtree(paths.adapter)
    paths.exit.unlink()
    make_run(home, JobKind.TRAINING, TRAINING, run_id="late", attempt=2)
    ending = finish(paths)
    assert ending.status is JobStatus.COMPLETED
    weights = [(run.adapter / "adapter_model.safetensors").read_bytes() for run in (paths, trained)]
    assert weights[0] == weights[1]
    before = ExitRecord.model_validate_json(trained.exit.read_bytes()).summary
    assert ending.summary["eval_loss"] == pytest.approx(before["eval_loss"], abs=1e-4)
    assert ending.summary["tokens"] == before["tokens"]


def wait_for(paths: RunPaths, condition: Callable[[Event], bool], seconds: float = 240) -> None:
    """Until an event is there; the file is the only thing that another process can watch."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if paths.events.exists() and any(condition(event) for event in events_of(paths)):
            return
        time.sleep(0.02)
    raise AssertionError(paths.console.read_text(encoding="utf-8")[-3000:])


def resumed(paths: RunPaths, steps: int) -> bool:
    """Whether at least so many points came after the last resume."""
    events = events_of(paths)
    starts = [index for index, event in enumerate(events) if isinstance(event, Resumed)]
    return bool(starts) and sum(isinstance(event, Metric) for event in events[starts[-1] :]) >= steps


def curves(paths: RunPaths) -> dict[tuple[str, int], float]:
    """Every point of all curves but of speed and memory, cut back at each resume as the app does."""
    points: dict[tuple[str, int], float] = {}
    for event in events_of(paths):
        if isinstance(event, Resumed):
            points = {key: value for key, value in points.items() if key[1] <= event.step}
        if isinstance(event, Metric):
            points |= {(n, event.step): v for n, v in event.values.items() if n not in {"tokens_per_second", "memory"}}
    return points
