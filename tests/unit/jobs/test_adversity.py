"""Adversity, one kind at a time: one bad folder stops everything, two managers trip over each other, news get lost."""

import asyncio
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from qlora_ui.contract import events
from qlora_ui.contract.errors import JobError, ParameterError, WorkspaceError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Command, JobKind, JobStatus
from qlora_ui.jobs import following, run_folder, watch
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.run_folder import read_command, read_record, write_record
from qlora_ui.jobs.workers import dispatcher
from tests.fakes.runs import FakeRun, write_run
from tests.unit.jobs.managing import reach, status_of

Make = Callable[[], JobManager]
Training = Callable[..., TrainingParameters]


async def test_a_folder_that_may_not_be_read_does_not_stop_the_others(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    bad = write_run(workspace, FakeRun("bad", JobStatus.INTERRUPTED, steps=3))
    bad.events.unlink()
    bad.events.mkdir()  # reading it raises OSError, for root too
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert list(manager.unreadable) == [bad.id]
    with pytest.raises(JobError, match="Is a directory"):
        manager.get(bad.id)


async def test_a_waiting_job_that_cannot_be_read_does_not_hold_up_the_queue(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    with FileLock(workspace.device_lock("cpu")):
        await manager.start()
        first = await manager.submit(JobKind.TRAINING, training("first"))
        second = await manager.submit(JobKind.TRAINING, training("second"))
        first.paths.job.write_text("{")
    assert await manager.ended(second) is JobStatus.COMPLETED


async def test_a_copied_run_folder_speaks_for_nobody(
    make_manager: Make, workspace: Workspace, at_work: ProcessIdentity
) -> None:
    paths = write_run(workspace, FakeRun("mine", JobStatus.RUNNING, steps=3, process=at_work))
    shutil.copytree(paths.folder, workspace.runs / "a-copy")
    manager = make_manager()
    await manager.refresh()
    job = manager.get(paths.id)
    await manager.refresh()
    assert manager.get(paths.id) is job
    assert "It was copied or renamed" in manager.unreadable["a-copy"]


async def test_a_deleted_run_is_not_waited_for(
    make_manager: Make, workspace: Workspace, at_work: ProcessIdentity
) -> None:
    paths = write_run(workspace, FakeRun("mine", JobStatus.RUNNING, steps=3, process=at_work))
    manager = make_manager()
    await manager.start()
    waiting = asyncio.create_task(manager.ended(manager.get(paths.id)))
    shutil.rmtree(paths.folder)
    with pytest.raises(JobError, match="was deleted"):
        async with asyncio.timeout(10):
            await waiting
    assert manager._processes == {}


async def test_news_are_taken_over_even_when_who_asked_for_them_has_gone(
    make_manager: Make, workspace: Workspace, at_work: ProcessIdentity
) -> None:
    paths = write_run(workspace, FakeRun("mine", JobStatus.RUNNING, steps=3, process=at_work))
    manager = make_manager()
    await manager.refresh()
    job = manager.get(paths.id)
    with paths.events.open("ab") as file:
        file.write(events.dump_event(events.Metric(seq=99, step=4, values={"loss": 0.5})))
    heard = asyncio.Event()
    job.metric_added.subscribe(heard.set)
    asking = asyncio.create_task(manager.refresh())
    await asyncio.sleep(0)  # it has begun
    await asyncio.sleep(0)
    asking.cancel()
    async with asyncio.timeout(10):
        await heard.wait()
    assert job.curves.points("loss")[-1] == (4, 0.5)


async def test_whatever_a_look_runs_into_the_following_goes_on(
    make_manager: Make, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    await manager.start()
    look = watch.look_at
    failures = [RuntimeError("odd"), OSError(errno.EIO, "Input/output error")]

    def look_or_fail(*arguments: Any, **options: Any) -> watch.Look:
        if failures:
            raise failures.pop()
        return look(*arguments, **options)

    monkeypatch.setattr(following, "look_at", look_or_fail)
    while failures:
        manager._wake.set()
        await asyncio.sleep(0)
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert manager.trouble == ""


async def test_a_stop_reaches_a_job_that_another_manager_has_just_started(
    make_manager: Make, training: Training
) -> None:
    late, quick = make_manager(), make_manager()
    job = await late.submit(JobKind.TRAINING, training("a slow run"))
    await quick.start()
    await reach(quick, lambda: quick.jobs[job.id].status is JobStatus.RUNNING)
    assert status_of(job) is JobStatus.PENDING, "the late one has not looked since"
    await late.stop(job.id)
    assert read_command(job.paths) == Command(action="stop", attempt=1)
    assert await quick.ended(quick.jobs[job.id]) is JobStatus.STOPPED


async def test_a_run_that_is_at_work_again_is_not_queued_a_second_time(make_manager: Make, training: Training) -> None:
    late, quick = make_manager(), make_manager()
    await quick.start()
    job_id = (await quick.submit(JobKind.TRAINING, training("a slow run that crashes"))).id
    await quick.ended(quick.jobs[job_id])
    await late.refresh()
    await quick.resume(job_id)
    await reach(quick, lambda: quick.jobs[job_id].status is JobStatus.RUNNING)
    with pytest.raises(JobError, match="there is nothing to resume"):
        await late.resume(job_id)
    with pytest.raises(JobError, match="is at work"):
        await late.delete(job_id)
    assert read_record(late.jobs[job_id].paths).attempt == 2


async def test_a_manager_with_an_old_view_starts_nothing_on_a_busy_device(
    make_manager: Make, training: Training
) -> None:
    late, quick = make_manager(), make_manager()
    first = await late.submit(JobKind.TRAINING, training("slow first"))
    second = await late.submit(JobKind.TRAINING, training("second"))
    await quick.refresh()
    await quick._launch_next()
    assert status_of(quick.jobs[first.id]) is JobStatus.RUNNING
    await late._launch_next()
    assert (status_of(first), status_of(second)) == (JobStatus.RUNNING, JobStatus.PENDING)


async def test_a_worker_at_work_is_not_called_failed_because_the_disk_is_full(
    make_manager: Make, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    job = await manager.submit(JobKind.TRAINING, training("a slow run"))

    def full_after_the_start(paths: Any, record: Any) -> None:
        if record.process is not None:
            raise WorkspaceError("The disk is full.")
        write_record(paths, record)

    monkeypatch.setattr(dispatcher, "write_record", full_after_the_start)
    await manager._launch_next()
    assert status_of(job) is JobStatus.RUNNING
    assert not job.paths.exit.exists()
    await manager.start()
    await reach(manager, lambda: job.step >= 1)
    assert manager._processes[job.id].is_alive, "it told itself who it is"


async def test_a_full_disk_is_told_in_a_sentence(
    make_manager: Make, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    job = await manager.submit(JobKind.TRAINING, training())

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(run_folder, "write_atomically", full)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        await manager.stop(job.id)
    with pytest.raises(WorkspaceError, match="Nothing was started"):
        await manager.submit(JobKind.TRAINING, training())
    assert status_of(job) is JobStatus.PENDING
    assert [folder.name for folder in manager.workspace.runs.iterdir()] == [job.id]


async def test_no_job_waits_for_one_that_never_was(make_manager: Make, training: Training) -> None:
    with pytest.raises(JobError, match="There is no run nobody"):
        await make_manager().submit(JobKind.TRAINING, training(), after="nobody")


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "~nobody-at-all/x.jsonl"])
async def test_what_is_no_path_is_refused_like_a_missing_file(
    make_manager: Make, training: Training, path: str
) -> None:
    manager = make_manager()
    with pytest.raises(ParameterError) as caught:
        await manager.submit(JobKind.TRAINING, training().model_copy(update={"dataset_path": path}))
    assert set(caught.value.fields) == {"dataset_path"}
    assert list(manager.workspace.runs.iterdir()) == []


async def test_a_file_whose_name_is_no_unicode_is_refused(
    make_manager: Make, training: Training, tmp_path: Path
) -> None:
    file = tmp_path / "caf\udce9.jsonl"  # as Latin-1 leaves it
    file.write_text("{}")
    with pytest.raises(ParameterError, match="no path that this system can use"):
        await make_manager().submit(JobKind.TRAINING, training("x").model_copy(update={"dataset_path": str(file)}))


async def test_runs_of_one_second_stand_in_the_order_of_their_making(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    ids = [(await manager.submit(JobKind.TRAINING, training(name))).id for name in ("zebra", "middle", "ape")]
    assert list(manager.jobs) == ids
