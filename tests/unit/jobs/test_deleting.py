"""Which runs may not be deleted."""

import pytest

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.records import JobKind, JobStatus
from tests.unit.jobs.managing import Make, Training, reach


async def test_a_run_at_work_is_not_deleted(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("a slow run"))
    await reach(manager, lambda: job.status is JobStatus.RUNNING)
    with pytest.raises(JobError, match="is at work"):
        await manager.delete(job.id)
    assert job.paths.folder.is_dir()


async def test_a_run_that_another_one_needs_is_not_deleted(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training())
    await manager.ended(job)
    await manager.hold_queue()
    score = await manager.follow_up(job.id, JobKind.EVALUATION)
    assert score.record.after is None, "the training is completed already"
    with pytest.raises(JobError, match="a run score needs something of a run"):
        await manager.delete(job.id)
    await manager.pause(score.id)
    with pytest.raises(JobError, match="needs something of a run"):
        await manager.delete(job.id)
    await manager.stop(score.id)
    await manager.delete(job.id)
    assert list(manager.jobs) == [score.id]
