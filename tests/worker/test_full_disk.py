"""A disk that fills up in the middle of a training, for real: a small file system in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from qlora_ui.contract import checkpoints
from qlora_ui.contract.records import JobKind, JobStatus
from tests.fakes.disks import remount, small_disk
from tests.worker.conftest import TRAINING, events_of, finish, make_run, start


@pytest.fixture
def disk() -> Iterator[Path]:
    """12 MB: room for two checkpoints of the starter model, not for a third."""
    with small_disk(12) as disk:
        if disk is None:
            pytest.skip("No disk of a fixed size can be made here.")
        yield disk


def test_a_full_disk_ends_the_run_with_a_reason_and_it_goes_on_when_there_is_room(disk: Path) -> None:
    values = {**TRAINING, "max_steps": 12, "save_steps": 2, "checkpoints_kept": 50, "evaluations": 0}
    paths = make_run(disk, JobKind.TRAINING, values)
    ended = finish(paths, code=1)
    assert ended.status is JobStatus.FAILED
    assert "disk" in ended.error and "full" in ended.error
    assert "try again" in ended.hint, "it says what to do"
    assert events_of(paths)[-1].type == "failed"
    whole = checkpoints.newest(paths.checkpoints)
    assert whole is not None, "the checkpoints before are untouched"

    remount(disk, "size=100m")
    make_run(disk, JobKind.TRAINING, values, attempt=2)
    worker = start(paths)
    assert worker.wait(240) == 0, paths.console.read_text()[-2000:]
    resumed = [event.step for event in events_of(paths) if event.type == "resumed"]
    assert resumed == [checkpoints.step_of(whole)]
