"""The order of the queue and its hold: durable, and shared by all managers of a home folder."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from qlora_ui.contract.errors import JobError, ParameterError, WorkspaceError
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus
from qlora_ui.jobs import decisions, intake, queue, queue_file, run_folder
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.run_folder import read_record
from tests.unit.jobs.managing import Make, Training, reach, status_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def names(manager: JobManager) -> list[str]:
    return [job.name for job in manager.queue]


async def queued(manager: JobManager, training: Training, *named: str) -> list[Job]:
    return [await manager.submit(JobKind.TRAINING, training(name)) for name in named]


# ---- order ----


@pytest.mark.parametrize(
    ("place", "order"),
    [(1, "cabd"), (2, "acbd"), (3, "abcd"), (4, "abdc"), (99, "abdc")],
)
async def test_a_job_is_moved_to_a_place(make_manager: Make, training: Training, place: int, order: str) -> None:
    manager, other = make_manager(), make_manager()
    jobs = await queued(manager, training, *"abcd")
    heard: list[None] = []
    manager.jobs_changed.subscribe(lambda: heard.append(None))
    await manager.move(jobs[2].id, place)
    assert "".join(names(manager)) == order
    assert [job.queue_position for job in manager.queue] == [1, 2, 3, 4]
    assert heard or order == "abcd"
    await other.refresh()
    assert names(other) == names(manager), "it is written down"


async def test_what_is_moved_to_the_front_starts_next(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    _, _, third = await queued(manager, training, "one", "two", "three")
    await manager.move(third.id, 1)
    await manager.start()
    for job in list(manager.jobs.values()):
        assert await manager.ended(job) is JobStatus.COMPLETED
    started = sorted(manager.jobs.values(), key=lambda job: str(job.started_at))
    assert [job.name for job in started] == ["three", "one", "two"]


async def test_what_enters_later_stands_behind_what_was_moved_to_the_end(
    make_manager: Make, training: Training
) -> None:
    manager = make_manager()
    first, _ = await queued(manager, training, "one", "two")
    await manager.move(first.id, 2)
    await queued(manager, training, "three")
    assert names(manager) == ["two", "one", "three"]


async def test_a_paused_job_keeps_the_place_it_was_moved_to(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    one, two, three = await queued(manager, training, "one", "two", "three")
    await manager.move(three.id, 2)
    await manager.pause(three.id)
    assert names(manager) == ["one", "two"]
    await manager.move(two.id, 1)
    await manager.resume(three.id)
    assert names(manager) == ["two", "one", "three"]
    await manager.stop(one.id)
    await manager.resume(one.id)
    assert names(manager) == ["two", "three", "one"], "a stopped one has given its place up"


async def test_a_run_that_is_paused_at_work_is_next_at_its_old_place(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    first, second, third = await queued(manager, training, "slow one", "slow two", "three")
    await reach(manager, lambda: first.step >= 1)
    await manager.move(third.id, 1)
    await manager.pause(first.id)
    await manager.ended(first)
    await reach(manager, lambda: third.status is JobStatus.COMPLETED and second.status is JobStatus.RUNNING)
    await queued(manager, training, "four")
    await manager.resume(first.id)
    assert names(manager) == ["slow one", "four"], "who was moved in front of it while it ran did not take its place"
    await manager.stop(second.id)


async def test_only_what_waits_is_moved(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    [job] = await queued(manager, training, "one")
    for place in (0, -1):
        with pytest.raises(ParameterError, match="1 is the first one"):
            await manager.move(job.id, place)
    await manager.pause(job.id)
    with pytest.raises(JobError, match="does not wait in the queue"):
        await manager.move(job.id, 1)


async def test_two_managers_lose_no_order(make_manager: Make, training: Training) -> None:
    """Each moves at once with the other, knowing nothing of what that one does; what both do is what comes out."""
    one, two = make_manager(), make_manager()
    jobs = await queued(one, training, *"abcdef")
    await two.refresh()
    chance = random.Random(5)
    for _ in range(12):
        first, second = chance.sample(jobs, 2)
        await asyncio.gather(one.move(first.id, 1), two.move(second.id, 6))
        await asyncio.gather(one.refresh(), two.refresh())
        assert names(one) == names(two)
        assert sorted(names(one)) == list("abcdef")
        assert names(one)[0] == first.name and names(one)[-1] == second.name


async def test_each_device_has_a_job_and_those_for_another_one_pass(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    devices = {"slow one": "cuda:0", "slow two": "cuda:0", "slow three": "cuda:1"}
    one, two, three = [
        await manager.submit(JobKind.TRAINING, training(name, device=device)) for name, device in devices.items()
    ]
    await reach(manager, lambda: one.step >= 1 and three.step >= 1)
    assert (status_of(two), one.record.device, three.record.device) == (JobStatus.PENDING, "cuda:0", "cuda:1")
    await manager.stop(three.id)
    await manager.ended(three)
    assert status_of(two) is JobStatus.PENDING, "a device that it did not ask for is of no use to it"
    await manager.stop(one.id)
    await reach(manager, lambda: two.step >= 1)
    await manager.stop(two.id)


async def test_what_left_the_queue_meanwhile_is_not_moved(make_manager: Make, training: Training) -> None:
    one, two = make_manager(), make_manager()
    stopped, paused, _ = await queued(one, training, *"abc")
    await two.refresh()
    await two.stop(stopped.id)
    await two.pause(paused.id)
    for job in (stopped, paused):
        with pytest.raises(JobError, match="does not wait in the queue"):
            await one.move(job.id, 3)
        assert read_record(job.paths).place is None


def records(*places: float) -> list[JobRecord]:
    moments = [NOON + timedelta(seconds=place) for place in places]
    return [
        JobRecord(id=f"run-{n}", kind=JobKind.TRAINING, name=f"run {n}", created_at=moment, queued_at=moment)
        for n, moment in enumerate(moments)
    ]


def sorted_ids(order: list[JobRecord]) -> list[str]:
    return [record.id for record in sorted(order, key=lambda record: (queue.place_of(record), record.id))]


@pytest.mark.parametrize("gap", [1000.0, 1e-3, 0.0])
def test_thousands_of_moves_keep_every_order_at_every_moment(gap: float) -> None:
    """Also where all entered the queue at once, so that there is no room between them: the others' order stays."""
    chance = random.Random(7)
    order = records(*(gap * n for n in range(6)))
    for _ in range(2000):
        waiting = [record.id for record in order if record.id != "run-0"]  # which is at work
        job_id, place = chance.choice(waiting), chance.randint(1, 6)
        before = [record.id for record in order]
        for changed in queue.moved(order, job_id, place, waiting):
            order = [changed if record.id == changed.id else record for record in order]
            others = [record_id for record_id in sorted_ids(order) if record_id != job_id]
            assert others == [record_id for record_id in before if record_id != job_id]
        ids = sorted_ids(order)
        order = [next(record for record in order if record.id == record_id) for record_id in ids]
        assert [record_id for record_id in ids if record_id != "run-0"].index(job_id) == min(place, 5) - 1


async def test_the_order_does_not_depend_on_the_clock(
    make_manager: Make, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = make_manager()
    clock = NOON
    monkeypatch.setattr(intake, "now", lambda: clock)
    monkeypatch.setattr(decisions, "now", lambda: clock)
    for name, jump in (("one", 0), ("two", 365 * 24), ("three", -2 * 365 * 24), ("four", 1)):
        clock += timedelta(hours=jump)
        [job] = await queued(manager, training, name)
    assert names(manager) == ["one", "two", "three", "four"]
    await manager.stop(job.id)
    clock -= timedelta(hours=100)
    await manager.resume(job.id)
    assert names(manager) == ["one", "two", "three", "four"]


# ---- held ----


async def test_a_held_queue_starts_nothing_until_it_is_continued(make_manager: Make, training: Training) -> None:
    manager, other = make_manager(), make_manager()
    await manager.start()
    running, waiting = await queued(manager, training, "slow one", "two")
    await reach(manager, lambda: running.step >= 1)
    await other.start()
    await other.hold_queue()
    await reach(manager, lambda: manager.queue_held)
    assert waiting.message == queue.HELD and waiting.queue_position == 1
    await manager.stop(running.id)
    await manager.ended(running)
    await manager._launch_next()
    await other._launch_next()
    assert status_of(waiting) is JobStatus.PENDING and manager.trouble == other.trouble == ""
    await manager.continue_queue()
    await reach(other, lambda: not other.queue_held)
    assert await manager.ended(waiting) is JobStatus.COMPLETED


async def test_a_hold_outlives_its_server(make_manager: Make, training: Training) -> None:
    first = make_manager()
    await first.hold_queue()
    await first.close()
    second = make_manager()
    await second.start()
    assert second.queue_held
    [job] = await queued(second, training, "one")
    assert job.message == queue.HELD
    await second.continue_queue()
    assert await second.ended(job) is JobStatus.COMPLETED


async def test_a_manager_that_has_not_heard_of_the_hold_starts_nothing_either(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    [job] = await queued(manager, training, "one")
    queue_file.hold(workspace, held=True)
    assert not manager.queue_held
    await manager._launch_next()
    assert status_of(job) is JobStatus.PENDING and manager.queue_held


@pytest.mark.parametrize("content", [b"", b"\0" * 20, b"{", b'{"held": "perhaps"}'])
def test_a_damaged_file_holds_nothing_up(workspace: Workspace, content: bytes) -> None:
    workspace.queue_state.write_bytes(content)
    assert not queue_file.is_held(workspace)


def test_a_file_that_nobody_can_read_now_is_told(workspace: Workspace) -> None:
    workspace.queue_state.mkdir()  # as root, too, it is no file that can be read
    with pytest.raises(WorkspaceError, match=r"queue\.json cannot be read"):
        queue_file.is_held(workspace)


async def test_a_disk_that_takes_nothing_is_told(
    make_manager: Make, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(queue_file, "write_atomically", full)
    manager = make_manager()
    with pytest.raises(WorkspaceError, match="No space left on device"):
        await manager.hold_queue()
    assert not manager.queue_held


async def test_a_move_that_is_cut_off_leaves_an_order(
    make_manager: Make, training: Training, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is made from the back: wherever that ends, the others stand as they stood."""
    manager = make_manager()
    monkeypatch.setattr(intake, "now", lambda: NOON)
    await queued(manager, training, *"abc")
    moments = {job.name: job.record.queued_at for job in manager.queue}
    for job in manager.queue:
        record = read_record(job.paths)
        run_folder.write_record(job.paths, record.model_copy(update={"place": None, "queued_at": moments["a"]}))
    await manager.refresh()
    before = names(manager)
    written: list[str] = []

    def once(paths: RunPaths, record: JobRecord) -> None:
        if written:
            raise WorkspaceError("The disk is full.")
        written.append(record.id)
        run_folder.write_record(paths, record)

    monkeypatch.setattr(queue_file, "write_record", once)
    with pytest.raises(WorkspaceError, match="full"):
        await manager.move(manager.queue[0].id, 2)
    await manager.refresh()
    assert written and names(manager) == before
