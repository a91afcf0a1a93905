"""A run that goes on from a checkpoint of another, or of itself when the newest one is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, AlertCode, CheckpointSaved, Log, Progress, Resumed
from qlora_ui.contract.records import StartPoint
from tests.worker.here import Run, branch, curve, of

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.usefixtures("environment"),
]


def test_more_epochs_go_on_where_the_run_had_ended(tmp_path: Path) -> None:
    whole, first = (
        Run(tmp_path, "whole", lr_scheduler_type="constant"),
        Run(tmp_path, "first", lr_scheduler_type="constant", num_train_epochs=2),
    )
    expected = curve(whole.attempt())
    before = curve(first.attempt())
    assert [event.step for event in of(CheckpointSaved, first.events)][-1] == 8, "a checkpoint at the very end"
    second = branch(first, tmp_path, 8, num_train_epochs=3)
    events = second.attempt(starts_from=StartPoint(run="first", step=8))

    assert [event.step for event in of(Resumed, events)] == [8]
    assert sorted(curve(events)) == [9, 10, 11, 12]
    assert {**before, **curve(events)} == pytest.approx(expected, abs=1e-4)
    assert of(Progress, events)[-1].total_steps == 12
    said = " ".join(event.message for event in of(Log, events))
    assert "made by first" in said and "on to step 12" in said and "schedule (constant)" in said
    assert second.summary["steps"] == 12 and second.summary["tokens"] == whole.summary["tokens"]
    assert not of(Alert, events)


def test_the_schedule_is_laid_over_the_new_total_and_a_new_rate_holds(tmp_path: Path) -> None:
    first = Run(tmp_path, "first", num_train_epochs=2, lr_scheduler_type="linear", warmup_share=0)
    first.attempt()
    second = branch(first, tmp_path, 8, num_train_epochs=4, learning_rate=1e-3)
    rates = curve(second.attempt(starts_from=StartPoint(run="first", step=8)), "learning_rate")
    assert rates == pytest.approx({step: 1e-3 * (16 - (step - 1)) / 16 for step in range(9, 17)}, rel=1e-6)


def test_without_its_checkpoint_it_does_not_begin_at_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path)
    with pytest.raises(JobError, match="checkpoint at step 8 of first"):
        run.attempt(starts_from=StartPoint(run="first", step=8))


@pytest.fixture
def kept(tmp_path: Path) -> Run:
    """Stopped after step 10, with checkpoints at 4, 8 and 10 or 11."""
    run = Run(tmp_path, save_steps=4, evaluations=0, validation_share=0.2, num_train_epochs=3, checkpoints_kept=3)
    run.attempt(stop_at=lambda event: isinstance(event, Progress) and event.step >= 9)
    return run


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: flip(folder / "adapter_model.safetensors"), "adapter_model.safetensors"),
        (lambda folder: flip(folder / "optimizer.pt"), "optimizer.pt"),
        (lambda folder: (folder / "scheduler.pt").unlink(), "cannot be read"),
        (lambda folder: (folder / "complete.json").write_bytes(b""), "never finished"),
    ],
)
def test_a_damaged_checkpoint_is_told_of_and_the_one_before_is_used(kept: Run, damage: Any, words: str) -> None:
    newest = max((f for f in kept.paths.checkpoints.iterdir()), key=lambda f: int(f.name.rpartition("-")[2]))
    expected = kept.events
    damage(newest)
    events = kept.attempt(2)
    [alert] = [alert for alert in of(Alert, events) if alert.code == AlertCode.DAMAGED_CHECKPOINT]
    assert words in alert.message and "one before" in alert.hint
    assert [event.step for event in of(Resumed, events)] == [8]
    again, before = curve(events), curve(expected)
    assert {step: again[step] for step in before if step > 8} == pytest.approx(
        {step: loss for step, loss in before.items() if step > 8}, abs=1e-4
    )


def test_one_that_was_cut_off_in_the_writing_is_no_damage(kept: Run) -> None:
    newest = max((f for f in kept.paths.checkpoints.iterdir()), key=lambda f: int(f.name.rpartition("-")[2]))
    (newest / "complete.json").unlink()
    events = kept.attempt(2)
    assert not of(Alert, events)
    assert any("not finished" in event.message for event in of(Log, events))
    assert [event.step for event in of(Resumed, events)] == [8]


def flip(file: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
