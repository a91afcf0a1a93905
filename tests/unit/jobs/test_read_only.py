"""A home on a disk that may only be read from now on, as a system leaves it after a fault of the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.settings import prepare_home
from tests.fakes.disks import remount, small_disk
from tests.unit.jobs.managing import status_of

Make = Callable[[], JobManager]
Training = Callable[..., TrainingParameters]


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    """A home that is a disk of its own."""
    with small_disk() as disk:
        if disk is None:
            pytest.skip("No disk of its own can be made here.")
        workspace = Workspace(disk)
        prepare_home(workspace)
        yield workspace


async def test_a_home_that_becomes_read_only_refuses_in_words_and_loses_nothing(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    await manager.start()
    done = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(done) is JobStatus.COMPLETED
    while manager._processes[done.id].is_alive:  # for as long as it has a file open, the disk stays as it is
        await asyncio.sleep(0.01)
    remount(workspace.home, "ro")
    with pytest.raises(WorkspaceError, match="Read-only file system"):
        await manager.submit(JobKind.TRAINING, training("second"))
    with pytest.raises(WorkspaceError, match="Read-only file system"):
        await manager.delete(done.id)
    with pytest.raises(WorkspaceError, match=r"cannot be written: Read-only file system"):
        prepare_home(workspace)
    await manager.refresh()
    assert status_of(done) is JobStatus.COMPLETED
    remount(workspace.home, "rw")
    second = await manager.submit(JobKind.TRAINING, training("second"))
    assert await manager.ended(second) is JobStatus.COMPLETED
    assert list(manager.jobs) == [done.id, second.id]
