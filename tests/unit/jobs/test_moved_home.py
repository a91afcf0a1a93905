"""A home folder that is moved or renamed while nothing works in it: everything is found again, and goes on."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset, JobKind, JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.settings import prepare_home
from qlora_ui.store.store import Store
from tests.unit.jobs.conftest import FAKE_WORKER

Training = Callable[..., TrainingParameters]


@pytest.fixture
def old(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "old")
    prepare_home(workspace)
    folder = workspace.datasets / "d1"
    folder.mkdir()
    (folder / "rows.jsonl").write_text('{"prompt": "a", "answer": "b"}\n')
    return workspace


async def followed(workspace: Workspace) -> JobManager:
    manager = JobManager(workspace, LocalLauncher(FAKE_WORKER), poll_seconds=0.02)
    await manager.start()
    return manager


@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
async def test_runs_adapters_and_data_move_with_their_home(
    how: Callable[[Path, Path], object], old: Workspace, tmp_path: Path, training: Training
) -> None:
    before = await followed(old)
    store = Store(old)
    data = str(old.datasets / "d1" / "rows.jsonl")
    store.datasets.put(Dataset(id="d1", name="my rows", path=data, bytes=31, rows=1))
    done = await before.submit(JobKind.TRAINING, training("done", dataset_path=data))
    assert await before.ended(done) is JobStatus.COMPLETED
    adapter = store.adapters.add_run(done.paths)
    assert adapter is not None
    store.adapters.put(adapter.model_copy(update={"description": "the good one"}))
    crashed = await before.submit(JobKind.TRAINING, training("it crashes", dataset_path=data))
    await before.ended(crashed)
    await before.hold_queue()
    score = await before.follow_up(done.id, JobKind.EVALUATION, dataset_path="starter/heldout")
    await before.close()

    new = Workspace(tmp_path / "a new place" / "home")
    new.home.parent.mkdir()
    how(old.home, new.home)
    here = str(new.home)
    after = await followed(new)
    statuses = {job.id: job.status for job in after.jobs.values()}
    assert statuses == {done.id: "completed", crashed.id: "interrupted", score.id: "pending"}
    assert getattr(after.get(done.id).parameters, "dataset_path").startswith(here)  # noqa: B009
    assert getattr(after.get(score.id).parameters, "adapter_path") == str(new.run(done.id).adapter)  # noqa: B009

    there = Store(new)
    there.adapters.rebuild(new)
    there.datasets.rebuild(new)
    [found] = there.adapters.list()
    assert (found.path, found.description) == (str(new.run(done.id).adapter), "the good one")
    assert found.parameters["dataset_path"].startswith(here)
    [rows] = there.datasets.list()
    assert (rows.path, rows.name, rows.rows) == (str(new.datasets / "d1" / "rows.jsonl"), "my rows", 1)

    await after.continue_queue()
    assert await after.ended(after.get(score.id)) is JobStatus.COMPLETED
    await after.resume(crashed.id)
    async with asyncio.timeout(20):
        while after.get(crashed.id).record.attempt < 2:
            await after.jobs_changed.emitted()
    await after.ended(after.get(crashed.id))
    await after.close()
