"""Histories of past runs leave the memory again, and long ones are made ready before anybody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import ExitRecord, JobStatus
from qlora_ui.jobs.history import histories, history_cache
from qlora_ui.jobs.history.histories import make_ready
from qlora_ui.jobs.history.history_cache import is_ready
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from tests.fakes.runs import FakeRun, write_run

Make = Callable[[], JobManager]


@pytest.fixture
def runs(workspace: Workspace) -> list[str]:
    return [write_run(workspace, FakeRun(f"run {n}", steps=30, minutes_ago=n)).id for n in range(6)]


async def opened(manager: JobManager, job_ids: list[str]) -> list[Job]:
    jobs = [manager.get(job_id) for job_id in job_ids]
    for job in jobs:
        await manager.load_history(job)
    return jobs


async def test_the_histories_that_were_opened_last_stay(
    make_manager: Make, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "HISTORIES_KEPT", 2)
    manager = make_manager()
    await manager.refresh()
    first, second, third = await opened(manager, runs[:3])
    assert [job.history_loaded for job in (first, second, third)] == [False, True, True]
    assert (first.curves.names, first.step, first.total_steps, first.progress) == ([], 30, 120, 1.0)
    await opened(manager, [runs[1], runs[3]])
    assert [job.history_loaded for job in (second, third)] == [True, False], "opened once more, it counts as new"
    await opened(manager, [runs[0]])
    assert len(first.curves.points("loss")) == 30, "what was let go is read again"


async def test_a_history_that_somebody_looks_at_or_that_grows_stays(
    make_manager: Make, runs: list[str], workspace: Workspace, at_work: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "HISTORIES_KEPT", 1)
    running = write_run(workspace, FakeRun("at work", JobStatus.RUNNING, steps=9, process=at_work))
    manager = make_manager()
    await manager.refresh()
    [watched] = await opened(manager, runs[:1])
    watched.curves_reset.subscribe(lambda: None)
    others = await opened(manager, runs[1:])
    assert watched.history_loaded and manager.get(running.id).history_loaded
    assert [job.history_loaded for job in others] == [False] * 4 + [True]


async def test_a_run_goes_on_after_its_history_was_let_go(
    make_manager: Make, runs: list[str], workspace: Workspace, at_work: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "HISTORIES_KEPT", 1)
    paths = write_run(workspace, FakeRun("at work", JobStatus.RUNNING, steps=9, process=at_work))
    manager = make_manager()
    await manager.refresh()
    job = manager.get(paths.id)
    paths.exit.write_text(ExitRecord(status=JobStatus.COMPLETED, attempt=1).model_dump_json())
    await manager.refresh()
    await opened(manager, runs[:2])
    assert not job.history_loaded
    paths.exit.unlink()
    record = job.record.model_copy(update={"attempt": 2})
    with paths.events.open("ab") as file:
        file.write(events.dump_event(events.Started(seq=90, process=at_work, attempt=2)))
        file.write(events.dump_event(events.Metric(seq=91, step=10, values={"loss": 0.25})))
    paths.job.write_text(record.model_dump_json())
    await manager.refresh()
    assert job.status is JobStatus.RUNNING
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, 11))


async def test_a_deleted_run_leaves_nothing_in_the_cache(
    make_manager: Make, runs: list[str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_cache, "WORTH_KEEPING_BYTES", 1)
    manager = make_manager()
    await manager.refresh()
    [job] = await opened(manager, runs[:1])
    assert workspace.kept_history(job.id).exists()
    await manager.delete(job.id)
    assert [file for file in workspace.cache.rglob("*") if file.is_file()] == []


async def test_long_histories_are_made_ready_while_nobody_asks(
    make_manager: Make, runs: list[str], workspace: Workspace, at_work: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_cache, "WORTH_KEEPING_BYTES", 1)
    loop, read = asyncio.get_running_loop(), asyncio.Queue[str]()

    def make_ready_and_tell(paths: RunPaths) -> None:
        make_ready(paths)
        loop.call_soon_threadsafe(read.put_nowait, paths.id)

    monkeypatch.setattr(histories, "make_ready", make_ready_and_tell)
    running = write_run(workspace, FakeRun("at work", JobStatus.RUNNING, steps=9, process=at_work))
    manager = make_manager()
    await manager.start()
    assert {await read.get() for _ in runs} == set(runs)
    assert all(is_ready(workspace.run(job_id)) and workspace.kept_log(job_id).exists() for job_id in runs)
    assert not any(manager.get(job_id).history_loaded for job_id in runs), "they are ready on the disk only"
    with running.events.open("ab") as file:
        file.write(events.dump_event(events.Finished(seq=90)))
    running.exit.write_text(ExitRecord(status=JobStatus.COMPLETED, attempt=1).model_dump_json())
    assert await read.get() == running.id, "its turn comes when it is over"
