"""What a power cut, or a person, leaves of a run's files: the run is shown with what is known, and goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qlora_ui.contract import checkpoints
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.manager import JobManager
from tests.fakes.runs import FakeRun, write_run
from tests.unit.jobs.managing import reach

Make = Callable[[], JobManager]


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def zeroed(file: Path) -> None:
    file.write_bytes(bytes(max(file.stat().st_size, 100)) if file.exists() else bytes(100))


def halved(file: Path) -> None:
    content = file.read_bytes() if file.exists() else b'{"half": '
    file.write_bytes(content[: len(content) // 2])


def lost(file: Path) -> None:
    file.unlink(missing_ok=True)


SPOILT = (emptied, zeroed, halved, lost)


async def interrupted(manager: JobManager, make_training: Callable[..., object]) -> RunPaths:
    """A run whose worker was gone after half of the steps, for the reason that its name gives."""
    job = await manager.submit(JobKind.TRAINING, make_training("it crashes", max_steps=20))  # type: ignore[arg-type]
    assert await manager.ended(job) is JobStatus.INTERRUPTED
    return job.paths


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("name", ["job.json", "exit.json", "command.json", "ending.json", "origin.json"])
async def test_a_spoilt_file_takes_no_run_away(
    name: str, spoil: Callable[[Path], None], make_manager: Make, training: Callable[..., object]
) -> None:
    first = make_manager()
    await first.start()
    paths = await interrupted(first, training)
    await first.close()
    spoil(paths.folder / name)
    manager = make_manager()
    await manager.start()
    assert manager.unreadable == {}
    job = manager.get(paths.id)
    assert (job.name, job.kind, job.status, job.record.attempt) == ("it crashes", JobKind.TRAINING, "interrupted", 1)
    assert job.cause is not None and job.message
    await manager.resume(job.id)
    await reach(manager, lambda: job.record.attempt == 2 and job.status is JobStatus.INTERRUPTED)
    assert job.step > 10, "it went on from its checkpoint"


@pytest.mark.parametrize("spoil", SPOILT)
async def test_a_run_at_work_whose_record_is_spoilt_is_still_known_as_such(
    spoil: Callable[[Path], None], make_manager: Make, training: Callable[..., object]
) -> None:
    first = make_manager()
    await first.start()
    job = await first.submit(JobKind.TRAINING, training("a slow run"))  # type: ignore[arg-type]
    await reach(first, lambda: job.step >= 1)
    await first.close()
    spoil(job.paths.job)
    manager = make_manager()
    await manager.start()
    assert manager.get(job.id).status is JobStatus.RUNNING
    await manager.stop(job.id)
    assert await manager.ended(manager.get(job.id)) is JobStatus.STOPPED


async def test_a_run_that_had_not_begun_waits_for_a_person(make_manager: Make, workspace: Workspace) -> None:
    paths = write_run(workspace, FakeRun("not begun", JobStatus.PENDING))
    paths.job.write_bytes(bytes(200))
    manager = make_manager()
    await manager.start()
    assert manager.get(paths.id).status is JobStatus.PAUSED
    await manager.resume(paths.id)
    assert await manager.ended(manager.get(paths.id)) is JobStatus.COMPLETED


async def test_what_is_lost_with_its_parameters_is_named(make_manager: Make, workspace: Workspace) -> None:
    paths = write_run(workspace, FakeRun("gone", JobStatus.INTERRUPTED, steps=3))
    paths.parameters.write_bytes(bytes(100))
    manager = make_manager()
    await manager.start()
    assert paths.id in manager.unreadable
    assert paths.folder.is_dir()


async def test_zeros_at_the_end_of_the_events_are_left_out(make_manager: Make, training: Callable[..., object]) -> None:
    """A file system may have made the file longer and not yet have written what is in it."""
    first = make_manager()
    await first.start()
    paths = await interrupted(first, training)
    await first.close()
    with paths.events.open("ab") as file:
        file.write(bytes(5000))
    manager = make_manager()
    await manager.start()
    job = manager.get(paths.id)
    assert job.status is JobStatus.INTERRUPTED
    await manager.resume(job.id)
    await reach(manager, lambda: job.record.attempt == 2 and job.status is JobStatus.INTERRUPTED)
    await manager.load_history(job)
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, job.step + 1))


@pytest.mark.parametrize("spoil", SPOILT)
async def test_a_checkpoint_without_its_marker_does_not_count(
    spoil: Callable[[Path], None], make_manager: Make, training: Callable[..., object]
) -> None:
    manager = make_manager()
    await manager.start()
    paths = await interrupted(manager, training)
    newest = checkpoints.newest(paths.checkpoints)
    assert newest is not None
    spoil(newest / CHECKPOINT_MARKER)
    before = checkpoints.newest(paths.checkpoints)
    assert before is not None and checkpoints.step_of(before) == checkpoints.step_of(newest) - 5
    job = manager.get(paths.id)
    await manager.resume(job.id)
    await reach(manager, lambda: job.record.attempt == 2 and job.status is JobStatus.INTERRUPTED)
    assert any(event.code == "damaged_checkpoint" for event in job.alerts)
