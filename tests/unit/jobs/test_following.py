"""Which run folders are looked at: all of them now and then, one that was changed at once."""

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping

import pytest

from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs import following
from qlora_ui.jobs.history.history_cache import WholeHistory, read_history
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.run_folder import read_record, write_record
from qlora_ui.jobs.watch import Look, RunWatch, look_at
from tests.fakes.runs import FakeRun, write_run

Make = Callable[[], JobManager]


async def test_what_is_done_with_one_run_looks_at_no_other(
    make_manager: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [write_run(workspace, FakeRun(f"run {number}", minutes_ago=number)) for number in range(4)]
    (workspace.runs / "broken").mkdir()
    manager = make_manager()
    await manager.refresh()
    order = list(manager.jobs)
    looked_at: list[Collection[str] | None] = []

    def note(workspace: Workspace, known: Mapping[str, RunWatch], names: Collection[str] | None = None) -> Look:
        looked_at.append(names)
        return look_at(workspace, known, names)

    monkeypatch.setattr(following, "look_at", note)
    changes: list[list[str]] = []
    manager.jobs_changed.subscribe(lambda: changes.append(list(manager.jobs)))
    await manager.delete(paths[1].id)
    await manager.delete(paths[3].id)
    assert looked_at == [{paths[1].id}, {paths[3].id}]
    left = [job_id for job_id in order if job_id not in {paths[1].id, paths[3].id}]
    assert len(left) == 2 and changes[-1] == left
    assert list(manager.unreadable) == ["broken"]


async def test_a_run_that_is_mended_is_unreadable_no_more_as_soon_as_it_is_looked_at(
    make_manager: Make, workspace: Workspace
) -> None:
    paths = write_run(workspace, FakeRun("mine"))
    whole = paths.parameters.read_bytes()
    paths.parameters.write_bytes(b"[")
    manager = make_manager()
    await manager.refresh()
    assert list(manager.unreadable) == [paths.id]
    paths.parameters.write_bytes(whole)
    await manager._look({paths.id})
    assert not manager.unreadable and manager.get(paths.id).name == "mine"


def test_a_record_that_changes_before_the_first_look_is_read_anew(workspace: Workspace) -> None:
    paths = write_run(workspace, FakeRun("waits", JobStatus.PENDING))
    watch = RunWatch(paths)
    write_record(paths, read_record(paths).model_copy(update={"state": "held"}))
    found = watch.observe()
    assert found is not None and found.status is JobStatus.PAUSED


async def test_no_other_run_waits_for_a_history_that_takes_long_to_read(
    make_manager: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, other = (write_run(workspace, FakeRun(name, minutes_ago=5)) for name in ("long", "other"))
    manager = make_manager()
    await manager.refresh()
    may_go_on = threading.Event()
    read: list[str] = []

    def read_slowly(paths: RunPaths) -> WholeHistory:
        read.append(paths.id)
        if paths.id == long.id:
            assert may_go_on.wait(30)
        return read_history(paths)

    monkeypatch.setattr(following, "read_history", read_slowly)
    readings = [asyncio.create_task(manager.load_history(manager.get(long.id))) for _ in range(2)]
    try:
        await manager.refresh()
        await manager.load_history(manager.get(other.id))
        assert manager.get(other.id).history_loaded and not manager.get(long.id).history_loaded
    finally:
        may_go_on.set()
    await asyncio.gather(*readings)
    assert manager.get(long.id).history_loaded
    assert read.count(long.id) == 1, "once for all who want it"
