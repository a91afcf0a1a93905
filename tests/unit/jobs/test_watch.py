"""What is read of a run folder, and when; how the end of a worker and the devices are seen."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import ExitRecord, JobKind, JobStatus
from qlora_ui.jobs import watch
from qlora_ui.jobs.history.event_file import EventTail, read_outline
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.run_folder import read_record, remove_remains, write_record
from qlora_ui.jobs.workers import leases
from qlora_ui.jobs.workers.launcher import LocalLauncher
from tests.fakes.runs import FakeRun, write_run
from tests.unit.jobs.managing import status_of

Make = Callable[[], JobManager]
Training = Callable[..., TrainingParameters]


async def test_a_past_run_shows_how_far_it_came_without_all_its_events(
    make_manager: Make, workspace: Workspace
) -> None:
    stopped = write_run(workspace, FakeRun("stopped", JobStatus.STOPPED, steps=90, total_steps=120))
    done = write_run(workspace, FakeRun("done", steps=120, total_steps=120))
    manager = make_manager()
    await manager.refresh()
    job = manager.jobs[stopped.id]
    assert (job.step, job.total_steps, job.progress, job.history_loaded) == (90, 120, 0.75, False)
    assert job.started_at is not None and job.updated_at - job.started_at >= timedelta(minutes=4)
    assert job.curves.names == [] and not job.logs
    assert (manager.jobs[done.id].step, manager.jobs[done.id].progress) == (120, 1.0)
    await manager.load_history(job)
    assert len(job.curves.points("loss")) == 90


async def test_the_last_point_of_a_run_whose_events_were_not_read_is_no_curve(
    make_manager: Make, workspace: Workspace
) -> None:
    paths = write_run(workspace, FakeRun("cut", JobStatus.STOPPED, steps=9))
    with paths.events.open("ab") as file:
        file.write(events.dump_event(events.Metric(seq=999, step=10, values={"loss": 0.5})))
    manager = make_manager()
    await manager.refresh()
    job = manager.jobs[paths.id]
    assert (job.history_loaded, job.curves.names) == (False, [])
    await manager.load_history(job)
    assert job.curves.count("loss") == 10


async def test_a_flood_of_events_arrives_as_one_new_curve(
    make_manager: Make, workspace: Workspace, at_work: ProcessIdentity
) -> None:
    paths = write_run(workspace, FakeRun("mine", JobStatus.RUNNING, steps=3, process=at_work))
    manager = make_manager()
    await manager.refresh()
    job = manager.get(paths.id)
    one_by_one: list[int] = []
    redrawn: list[int] = []
    job.metric_added.subscribe(lambda metric: one_by_one.append(metric.step))
    job.curves_reset.subscribe(lambda: redrawn.append(len(job.curves.points("loss"))))
    many = watch.MANY_EVENTS + 1
    with paths.events.open("ab") as file:
        for step in range(4, 4 + many):
            file.write(events.dump_event(events.Metric(seq=99, step=step, values={"loss": 0.5})))
    await manager.refresh()
    assert (one_by_one, redrawn) == ([], [3 + many])


async def test_the_last_words_of_a_paused_run_are_read(
    workspace: Workspace, at_work: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may come between the reading of the events and the reading of the end."""
    paths = write_run(workspace, FakeRun("mine", JobStatus.RUNNING, steps=3, process=at_work))
    follower = watch.RunWatch(paths)
    follower.observe()
    read = follower._tail.read
    ended = ExitRecord(status=JobStatus.PAUSED, attempt=1)

    def read_and_then_pause(*arguments: int) -> list[events.Event]:
        found = read(*arguments)
        if not paths.exit.exists():
            with paths.events.open("ab") as file:
                file.write(events.dump_event(events.Stopped(seq=99, paused=True)))
            paths.exit.write_text(ended.model_dump_json())
        return found

    monkeypatch.setattr(follower._tail, "read", read_and_then_pause)
    seen = follower.observe()
    assert seen is not None and seen.status is JobStatus.PAUSED
    assert [event.type for event in seen.new_events] == ["stopped"]


async def test_a_worker_that_speaks_late_is_at_work_all_the_same(
    make_manager: Make, workspace: Workspace, at_work: ProcessIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manager that started it died before it wrote down its process, and the machine is slow."""
    paths = write_run(workspace, FakeRun("mine", JobStatus.INTERRUPTED))
    write_record(paths, read_record(paths).model_copy(update={"process": None}))
    paths.events.unlink()
    monkeypatch.setattr(watch, "LAUNCH_GRACE_SECONDS", 0.0)
    manager = make_manager()
    await manager.refresh()
    job = manager.get(paths.id)
    assert status_of(job) is JobStatus.INTERRUPTED
    paths.events.write_bytes(events.dump_event(events.Started(seq=1, process=at_work, attempt=1)))
    await manager.refresh()
    assert status_of(job) is JobStatus.RUNNING


def launched_by_nobody_known(workspace: Workspace, seconds_ago: float) -> RunPaths:
    """A run whose record says that it was launched, but not what process works on it."""
    paths = write_run(workspace, FakeRun("mine", JobStatus.INTERRUPTED))
    write_record(paths, read_record(paths).model_copy(update={"process": None}))
    paths.events.unlink()
    then = time.time() - seconds_ago
    os.utime(paths.job, (then, then))
    return paths


@pytest.mark.parametrize(
    ("seconds_ago", "status"),
    [(1, JobStatus.RUNNING), (3600, JobStatus.INTERRUPTED), (-3600, JobStatus.RUNNING)],
)
def test_a_worker_has_a_while_to_say_who_it_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, seconds_ago: float, status: JobStatus
) -> None:
    follower = watch.RunWatch(launched_by_nobody_known(workspace, seconds_ago))
    seen = follower.observe()
    assert seen is not None and seen.status is status
    passed = time.monotonic() + watch.LAUNCH_GRACE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: passed)
    late = follower.observe()
    assert late is not None and late.status is JobStatus.INTERRUPTED, "even where the clock was turned back"


def test_a_launch_that_is_watched_is_new_whatever_the_clock_says(workspace: Workspace) -> None:
    paths = launched_by_nobody_known(workspace, 3600)
    follower = watch.RunWatch(paths)
    follower.observe()
    write_record(paths, read_record(paths).model_copy(update={"attempt": 2}))
    os.utime(paths.job, (0, 0))
    seen = follower.observe()
    assert seen is not None and seen.status is JobStatus.RUNNING


async def test_a_listener_that_breaks_loses_nobody_elses_news(
    make_manager: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = write_run(workspace, FakeRun("broken", JobStatus.PENDING, minutes_ago=2))
    fine = write_run(workspace, FakeRun("fine", JobStatus.PENDING, minutes_ago=1))
    manager = make_manager()
    await manager.refresh()

    def break_(*_: Any) -> bool:
        raise RuntimeError("what is bound to it broke")

    monkeypatch.setattr(manager.jobs[broken.id], "settle", break_)
    for paths in (broken, fine):
        write_record(paths, read_record(paths).model_copy(update={"state": "held"}))
    await manager.refresh()
    assert status_of(manager.jobs[fine.id]) is JobStatus.PAUSED
    await manager.refresh()
    assert status_of(manager.jobs[broken.id]) is JobStatus.PAUSED


async def test_every_change_of_a_scalar_is_announced(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    first = await manager.submit(JobKind.TRAINING, training("first"))
    second = await manager.submit(JobKind.TRAINING, training("second"))
    told: list[int | None] = []
    second.changed.subscribe(lambda: told.append(second.queue_position))
    await manager.stop(first.id)
    assert told == [1]


def test_the_tail_reads_lines_longer_than_a_block_and_past_unreadable_ones(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    last = events.dump_event(events.Log(seq=2, message="after"))
    path.write_bytes(b"x\n" * 100 + events.dump_event(events.Log(seq=1, message="long " * 100)) + last)
    tail = EventTail(path)
    assert [event.seq for event in tail.read(64) + tail.read(64)] == [1, 2]
    assert tail.unreadable_lines == 100


def test_the_outline_of_a_run_that_said_nothing_is_empty(tmp_path: Path) -> None:
    assert read_outline(tmp_path / "events.jsonl") == []
    (tmp_path / "events.jsonl").write_bytes(b"torn")
    assert read_outline(tmp_path / "events.jsonl") == []


def test_what_a_crash_left_behind_is_cleared_away(workspace: Workspace) -> None:
    for name in (".deleted-a", ".new-old", ".new-young", "a-run"):
        (workspace.runs / name).mkdir()
    os.utime(workspace.runs / ".new-old", (0, 0))
    remove_remains(workspace)
    assert {folder.name for folder in workspace.runs.iterdir()} == {".new-young", "a-run"}


def test_a_worker_started_by_hand_dies_without_its_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[str, int]] = []
    monkeypatch.setattr(os, "killpg", lambda pid, _: killed.append(("group", pid)))
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(("process", pid)))
    mine = ProcessIdentity.of()
    monkeypatch.setattr(os, "getpgid", lambda pid: pid + 1)
    LocalLauncher().kill(mine)
    monkeypatch.setattr(os, "getpgid", lambda pid: pid)
    LocalLauncher().kill(mine)
    LocalLauncher().kill(ProcessIdentity(pid=mine.pid, started="another"))
    assert killed == [("process", mine.pid), ("group", mine.pid)]


@pytest.mark.parametrize(
    ("visible", "devices"),
    [
        (None, ("cuda:0", "cuda:1")),
        ("1", ("cuda:0",)),
        ("", ("cpu",)),
        ("-1", ("cpu",)),
        ("0, 1,2", ("cuda:0", "cuda:1")),
    ],
)
def test_hidden_gpus_are_not_given_away(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, devices: tuple[str, ...]
) -> None:
    for name in ("nvmlInit", "nvmlShutdown"):
        monkeypatch.setattr(f"pynvml.{name}", lambda: None)
    monkeypatch.setattr("pynvml.nvmlDeviceGetCount", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert leases.local_devices.__wrapped__() == devices
