"""What the home folder takes: every byte counted once, nothing behind a link."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from qlora_ui import storage_use
from qlora_ui.contract.paths import Workspace
from qlora_ui.settings import prepare_home
from qlora_ui.storage_use import GivenUpError, freed_by, measure, size_of
from tests.fakes.runs import FakeRun, write_run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace((tmp_path / "home").resolve())
    prepare_home(workspace)
    return workspace


def fill(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


async def test_each_byte_has_one_kind(workspace: Workspace) -> None:
    run = write_run(workspace, FakeRun("big"))
    fill(run.checkpoints / "checkpoint-5" / "weights.bin", 5_000)
    fill(run.adapter / "weights.bin", 300)
    fill(run.console, 70)
    fill(run.log, 30)
    fill(workspace.kept_history(run.id), 800)
    fill(workspace.datasets / "one" / "rows.jsonl", 2_000)
    fill(workspace.models / "base" / "model.bin", 40_000)
    fill(workspace.home / "db.json", 9)
    use = await measure(workspace)
    logs = 100 + run.events.stat().st_size
    runs = size_of(run.folder) - 5_000 - logs
    assert dict(use.kinds) == {
        "runs": runs,
        "checkpoints": 5_000,
        "logs": logs,
        "datasets": 2_000,
        "models": 40_000,
        "cache": 800,
        "other": 9,
    }
    assert use.total == size_of(workspace.home)


async def test_the_largest_runs_come_first(workspace: Workspace) -> None:
    names = []
    for size in (10, 3_000_000, 2_000_000, 1_000_000, 500_000, 400_000, 300_000):
        run = write_run(workspace, FakeRun(f"takes {size}"))
        fill(run.adapter / "weights.bin", size)
        names.append(run.id)
    fill(workspace.runs / ".deleted-old" / "weights.bin", 9_000_000)
    use = await measure(workspace)
    assert [name for name, _ in use.largest] == names[1:6]
    assert use.largest[0][1] == size_of(workspace.runs / names[1])


async def test_nothing_behind_a_link_is_counted(workspace: Workspace, tmp_path: Path) -> None:
    outside = fill(tmp_path / "elsewhere" / "huge.bin", 1_000_000)
    (workspace.datasets / "linked").symlink_to(outside.parent)
    (workspace.datasets / "linked.jsonl").symlink_to(outside)
    (workspace.datasets / "loop").symlink_to(workspace.datasets)
    workspace.models.rmdir()
    workspace.models.symlink_to(outside.parent)
    use = await measure(workspace)
    assert use.total < 1_000
    assert use.links == [workspace.models]


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    file = fill(tmp_path / "model" / "weights.bin", 1_000)
    os.link(file, tmp_path / "model" / "again.bin")
    assert size_of(tmp_path / "model") == 1_000


def test_what_cannot_be_read_or_is_gone_counts_nothing(tmp_path: Path) -> None:
    assert size_of(tmp_path / "nowhere") == 0
    fill(tmp_path / "here.bin", 5)
    assert size_of(tmp_path) == 5


def test_a_measurement_that_nobody_wants_ends_soon(tmp_path: Path) -> None:
    for number in range(3 * storage_use.ENTRIES_PER_LOOK):
        (tmp_path / str(number)).touch()
    asked: list[bool] = []

    def is_over() -> bool:
        asked.append(True)
        return len(asked) == 2

    with pytest.raises(GivenUpError):
        size_of(tmp_path, is_over)
    assert len(asked) == 2


async def test_cancelling_ends_the_thread() -> None:
    begun, ended = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def work(is_over: object) -> None:
        assert callable(is_over)
        loop.call_soon_threadsafe(begun.set)
        while not is_over():
            ended.wait(0.001)
        ended.set()

    task = asyncio.create_task(storage_use.in_thread(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(ended.wait, 10)


def test_what_has_another_name_elsewhere_does_not_come_free(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    (mine / "own").write_bytes(bytes(100))
    (mine / "shared").write_bytes(bytes(1000))
    (other / "shared").hardlink_to(mine / "shared")
    assert freed_by([mine]) == 100
    assert freed_by([mine, other]) == 1100
