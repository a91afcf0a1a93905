"""The manager with scripted workers in real processes: the queue, stop, pause and resume."""

import asyncio

import pytest
from filelock import FileLock

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.parameters import EvaluationParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.workers.leases import is_held
from tests.unit.jobs.managing import Make, Training, reach, status_of


async def test_a_training_runs_to_its_end(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training())
    points: list[int] = []
    job.metric_added.subscribe(lambda metric: points.append(metric.step))
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert (job.progress, job.step, job.total_steps) == (1.0, 20, 20)
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, 21))
    assert job.summary["steps"] == 20
    assert job.paths.adapter.is_dir()
    assert job.ended_at is not None and job.started_at is not None and job.ended_at >= job.started_at
    assert points, "listeners heard of points while the run was at work"


async def test_one_job_at_a_time_per_device_in_order(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    jobs = [await manager.submit(JobKind.TRAINING, training(f"run {n}")) for n in range(3)]
    assert [job.queue_position for job in jobs] == [1, 2, 3]
    at_once: list[int] = []
    manager.jobs_changed.subscribe(
        lambda: at_once.append(sum(job.status is JobStatus.RUNNING for job in manager.jobs.values()))
    )
    await manager.start()
    for job in jobs:
        assert await manager.ended(job) is JobStatus.COMPLETED
    assert max(at_once) == 1
    starts = [job.started_at for job in jobs]
    assert starts == sorted(starts, key=str)
    ends = [job.ended_at for job in jobs]
    assert all(str(end) <= str(start) for end, start in zip(ends, starts[1:], strict=False))


async def test_a_device_that_another_process_holds_is_waited_for(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    with FileLock(workspace.device_lock("cpu")):
        job = await manager.submit(JobKind.TRAINING, training())
        await manager._launch_next()
        assert status_of(job) is JobStatus.PENDING
    await manager.start()
    assert await manager.ended(job) is JobStatus.COMPLETED


async def test_stop_saves_a_checkpoint_and_resume_goes_on_from_it(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("a slow run"))
    await reach(manager, lambda: job.step >= 3)
    await manager.stop(job.id)
    assert not job.can_stop, "asked once is enough"
    assert await manager.ended(job) is JobStatus.STOPPED
    stopped_at = job.step
    assert 3 <= stopped_at < 20
    assert job.checkpoints[-1].step == stopped_at
    assert job.message == "A person stopped it; resume goes on from its last checkpoint."
    await manager.resume(job.id)
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert job.record.attempt == 2
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, 21)), "no step is missing or doubled"


async def test_pause_keeps_the_place_in_the_queue(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    first = await manager.submit(JobKind.TRAINING, training("slow first"))
    second = await manager.submit(JobKind.TRAINING, training("slow second"))
    third = await manager.submit(JobKind.TRAINING, training("slow third"))
    await reach(manager, lambda: first.step >= 2)
    await manager.pause(first.id)
    assert await manager.ended(first) is JobStatus.PAUSED
    await reach(manager, lambda: second.status is JobStatus.RUNNING)
    await manager.resume(first.id)
    assert [job.name for job in manager.queue] == [first.name, third.name]
    for job in (second, third):
        await manager.stop(job.id)


async def test_a_failed_job_says_why_and_does_not_hold_up_the_rest(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    failing = await manager.submit(JobKind.TRAINING, training("a run that fails"))
    next_one = await manager.submit(JobKind.TRAINING, training("the next"))
    assert await manager.ended(failing) is JobStatus.FAILED
    assert (failing.error, failing.hint) == ("The device ran out of memory.", "Choose a smaller batch size.")
    assert await manager.ended(next_one) is JobStatus.COMPLETED


async def test_a_job_waits_for_the_one_before_it(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    first = await manager.submit(JobKind.TRAINING, training("a run that crashes"))
    adapter = str(first.paths.adapter)
    scoring = EvaluationParameters(name="score", model_name="starter", dataset_path="starter", adapter_path=adapter)
    second = await manager.submit(JobKind.EVALUATION, scoring, after=first.id)
    assert await manager.ended(first) is JobStatus.INTERRUPTED
    await reach(manager, lambda: "interrupted" in second.message)
    assert status_of(second) is JobStatus.PENDING
    with pytest.raises(JobError, match="waits for"):
        await manager.delete(first.id)
    await manager.stop(second.id)
    assert status_of(second) is JobStatus.STOPPED
    await manager.delete(first.id)
    await manager.resume(second.id)
    assert await manager.ended(second) is JobStatus.COMPLETED


async def test_a_deaf_worker_is_killed_after_the_grace_time(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    manager._stop_grace_seconds = 0.3
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("slow and deaf"))
    await reach(manager, lambda: job.step >= 1)
    await manager.stop(job.id)
    assert await manager.ended(job) is JobStatus.INTERRUPTED


async def test_a_waiting_job_can_be_paused_stopped_and_put_back(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    job = await manager.submit(JobKind.TRAINING, training())
    await manager.pause(job.id)
    assert status_of(job) is JobStatus.PAUSED
    await manager.resume(job.id)
    assert job.queue_position == 1
    await manager.stop(job.id)
    assert status_of(job) is JobStatus.STOPPED and job.queue_position is None
    await manager.delete(job.id)
    assert manager.jobs == {}


async def test_places_are_counted_among_all_that_wait_as_a_move_takes_them(
    make_manager: Make, training: Training
) -> None:
    manager = make_manager()
    first = await manager.submit(JobKind.TRAINING, training("first"))
    bound = await manager.submit(JobKind.TRAINING, training("bound"), after=first.id)
    free = await manager.submit(JobKind.TRAINING, training("free"))
    await manager.pause(first.id)
    assert [job.queue_position for job in (first, bound, free)] == [None, 1, 2]
    await manager.move(free.id, 1)
    assert [job.queue_position for job in (bound, free)] == [2, 1]
    await manager.move(bound.id, 1)
    assert "waits for first, which is paused" in bound.message
    assert manager.queue == [bound, free]


async def test_a_run_that_never_began_speaks_of_no_checkpoint(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    job = await manager.submit(JobKind.TRAINING, training())
    await manager.stop(job.id)
    assert "before it began" in job.message and "checkpoint" not in job.message


async def test_the_words_of_a_wish_are_not_overwritten_by_news(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("slow and deaf"))
    await reach(manager, lambda: job.step >= 1)
    await manager.stop(job.id)
    told: list[str] = []
    job.changed.subscribe(lambda: told.append(job.message))
    step = job.step
    await reach(manager, lambda: job.step >= step + 2)
    assert told and all("asked to stop" in message for message in told)
    assert not job.can_stop


async def test_a_pause_gives_the_device_to_the_next_one(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    manager = make_manager()
    await manager.start()
    first = await manager.submit(JobKind.TRAINING, training("slow first"))
    await reach(manager, lambda: first.step >= 1)
    await manager.pause(first.id)
    assert await manager.ended(first) is JobStatus.PAUSED
    second = await manager.submit(JobKind.TRAINING, training("slow second"))
    await reach(manager, lambda: second.step >= 1)
    assert status_of(first) is JobStatus.PAUSED and not is_held(first.paths.lock)
    await manager.resume(first.id)
    assert status_of(first) is JobStatus.PENDING and first.queue_position == 1
    assert not await asyncio.to_thread(manager._dispatcher.has_room, manager.startable, manager._busy)
    await manager.stop(second.id)
    await reach(manager, lambda: first.status is JobStatus.RUNNING)
    assert first.record.attempt == 2
    await manager.stop(first.id)


async def test_an_unknown_run_is_named(make_manager: Make) -> None:
    with pytest.raises(JobError, match="There is no run nobody"):
        await make_manager().stop("nobody")
