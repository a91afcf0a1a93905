"""Runs that are found again: after a kill, by another manager, with their history, beside a damaged folder."""

import os
import signal

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import EndCause, JobKind, JobStatus
from tests.unit.jobs.managing import Make, Training, reach, status_of


async def test_a_killed_worker_reads_interrupted_and_can_go_on(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("a slow run", save_steps=2))
    await reach(manager, lambda: job.step >= 5)
    os.kill(manager._processes[job.id].pid, signal.SIGKILL)
    assert await manager.ended(job) is JobStatus.INTERRUPTED
    assert "SIGKILL" in job.message and job.cause in {EndCause.SIGNAL, EndCause.MEMORY} and "resume" in job.hint.lower()
    assert job.ended_at == job.history.last_time, "it ended, as far as is known, when it last spoke"
    found_later = make_manager()
    await found_later.refresh()
    assert found_later.jobs[job.id].ended_at == job.ended_at
    assert job.can_resume and not job.can_stop
    await manager.resume(job.id)
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, 21))


async def test_a_new_manager_takes_back_a_live_run_with_its_whole_curve(make_manager: Make, training: Training) -> None:
    before = make_manager()
    await before.start()
    job = await before.submit(JobKind.TRAINING, training("a slow run"))
    await reach(before, lambda: job.step >= 3)
    await before.close()
    after = make_manager()
    await after.start()
    again = after.jobs[job.id]
    assert status_of(again) is JobStatus.RUNNING
    assert again.curves.points("loss")[:3] == job.curves.points("loss")[:3]
    assert await after.ended(again) is JobStatus.COMPLETED
    assert [step for step, _ in again.curves.points("loss")] == list(range(1, 21))


async def test_two_managers_on_one_home_start_each_run_once(make_manager: Make, training: Training) -> None:
    one, two = make_manager(), make_manager()
    await one.start()
    await two.start()
    ids = [(await one.submit(JobKind.TRAINING, training(f"run {n}"))).id for n in range(4)]
    await two.refresh()
    for job_id in ids:
        assert await two.ended(two.jobs[job_id]) is JobStatus.COMPLETED
        assert two.jobs[job_id].record.attempt == 1


async def test_the_history_of_a_completed_run_is_read_when_it_is_asked_for(
    make_manager: Make, training: Training
) -> None:
    first = make_manager()
    await first.start()
    job = await first.submit(JobKind.TRAINING, training())
    await first.ended(job)
    second = make_manager()
    await second.refresh()
    again = second.jobs[job.id]
    assert status_of(again) is JobStatus.COMPLETED and not again.history_loaded
    assert again.curves.names == []
    await second.load_history(again)
    assert again.curves.points("loss") == job.curves.points("loss")
    assert list(again.logs) == list(job.logs)


async def test_a_damaged_run_folder_is_named_and_the_others_go_on(
    make_manager: Make, training: Training, workspace: Workspace
) -> None:
    (workspace.runs / "broken").mkdir(parents=True)
    (workspace.runs / "broken" / "job.json").write_text("{")
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert list(manager.unreadable) == ["broken"]
    assert (workspace.runs / "broken" / "job.json").read_text() == "{"
