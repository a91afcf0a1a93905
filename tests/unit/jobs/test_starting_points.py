"""Retry, duplicate, extend, branch and follow-up, with scripted workers in real processes."""

import os
import shutil
from pathlib import Path

import pytest

from qlora_ui.contract.checkpoints import name_of
from qlora_ui.contract.errors import JobError, ParameterError, WorkspaceError
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.records import JobKind, JobStatus, StartPoint
from qlora_ui.jobs import intake, starting_points
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.starting_points import numbered
from tests.unit.jobs.managing import Make, Training, reach, status_of


async def trained(manager: JobManager, parameters: TrainingParameters) -> Job:
    """A training that has ended as its name scripts it."""
    job = await manager.submit(JobKind.TRAINING, parameters)
    await manager.ended(job)
    return job


@pytest.fixture
async def manager(make_manager: Make) -> JobManager:
    """At work."""
    manager = make_manager()
    await manager.start()
    return manager


async def test_retry_goes_on_from_the_last_checkpoint(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training("a run that fails", save_steps=3))
    assert status_of(job) is JobStatus.FAILED and job.can_retry
    await manager.retry(job.id)
    await reach(manager, lambda: job.record.attempt == 2 and job.status.is_final)
    assert "Goes on from the checkpoint at step 9." in [entry.message for entry in job.logs]


async def test_retry_is_for_runs_that_ended_without_a_result(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training())
    with pytest.raises(JobError, match="a run has finished: there is nothing to try again"):
        await manager.retry(job.id)
    await manager.hold_queue()
    waiting = await manager.submit(JobKind.TRAINING, training("waiting"))
    with pytest.raises(JobError, match="waits for its turn"):
        await manager.retry(waiting.id)
    await manager.pause(waiting.id)
    with pytest.raises(JobError, match="Resume it"):
        await manager.retry(waiting.id)


async def test_a_duplicate_begins_anew_under_a_name_of_its_own(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training("tone", learning_rate=1e-3))
    again = await manager.duplicate(job.id)
    third = await manager.duplicate(again.id, {"learning_rate": 5e-4})
    assert [run.name for run in (again, third)] == ["tone 2", "tone 3"]
    assert again.parameters == job.parameters.model_copy(update={"name": "tone 2"})
    assert isinstance(third.parameters, TrainingParameters) and third.parameters.learning_rate == 5e-4
    assert await manager.ended(third) is JobStatus.COMPLETED
    assert third.record.starts_from is None
    assert [step for step, _ in third.curves.points("loss")] == list(range(1, 21))


async def test_a_duplicate_of_a_run_whose_data_are_gone_is_refused_with_the_place(
    manager: JobManager, training: Training, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}\n")
    job = await trained(manager, training(dataset_path=str(file)))
    file.unlink()
    with pytest.raises(ParameterError, match=f"there is no file {file}"):
        await manager.duplicate(job.id)
    assert list(manager.jobs) == [job.id]


async def test_a_duplicate_of_a_run_whose_model_is_gone_is_refused_with_the_place(
    make_manager: Make, training: Training, tmp_path: Path
) -> None:
    manager, model = make_manager(), tmp_path / "model"
    model.mkdir()
    job = await manager.submit(JobKind.TRAINING, training(model_name=str(model)))
    model.rmdir()
    with pytest.raises(ParameterError, match=f"there is no folder {model}") as caught:
        await manager.duplicate(job.id)
    assert set(caught.value.fields) == {"model_name"}


async def test_a_duplicate_waits_for_what_its_original_still_waits_for(make_manager: Make, training: Training) -> None:
    manager = make_manager()
    first = await manager.submit(JobKind.TRAINING, training("first"))
    score = await manager.follow_up(first.id, JobKind.EVALUATION)
    again = await manager.duplicate(score.id)
    assert again.record.after == first.id
    await manager.start()
    assert await manager.ended(again) is JobStatus.COMPLETED
    later = await manager.duplicate(score.id)
    assert later.record.after is None, "the training is completed: nothing is left to wait for"


async def test_an_extension_goes_on_from_its_own_copy_of_the_last_checkpoint(
    manager: JobManager, training: Training
) -> None:
    job = await trained(manager, training("tone", num_train_epochs=2, save_steps=8))
    job.paths.origin.write_text('{"base": "b", "data": "d"}')
    more = await manager.extend(job.id, 1.5)
    assert (more.name, more.record.starts_from) == ("tone 2", StartPoint(run=job.id, step=20))
    assert isinstance(more.parameters, TrainingParameters) and more.parameters.num_train_epochs == 3.5
    copied, original = (run.paths.checkpoints / name_of(20) / "weights.bin" for run in (more, job))
    assert copied.samefile(original), "it takes no room on the disk"
    await manager.delete(job.id)
    assert copied.read_bytes() == bytes([20]) * 64
    assert more.paths.origin.read_text() == '{"base": "b", "data": "d"}'
    assert await manager.ended(more) is JobStatus.COMPLETED


async def test_an_extension_of_a_run_with_a_step_limit_counts_in_steps(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training(num_train_epochs=2, max_steps=10))
    assert job.epoch == 2 and job.step == 10
    more = await manager.extend(job.id, 1)
    assert isinstance(more.parameters, TrainingParameters)
    assert (more.parameters.max_steps, more.parameters.num_train_epochs) == (15, 3)
    assert await manager.ended(more) is JobStatus.COMPLETED
    assert [step for step, _ in more.curves.points("loss")] == list(range(11, 16))


async def test_a_stopped_run_can_be_extended_and_those_that_wait_for_it_go_on_waiting(
    manager: JobManager, training: Training
) -> None:
    job = await manager.submit(JobKind.TRAINING, training("slow tone"))
    score = await manager.follow_up(job.id, JobKind.EVALUATION)
    with pytest.raises(JobError, match="has not ended yet"):
        await manager.extend(job.id, 1)
    await reach(manager, lambda: job.step >= 3)
    await manager.stop(job.id)
    await manager.ended(job)
    more = await manager.extend(job.id, 1)
    assert more.record.starts_from == StartPoint(run=job.id, step=job.step)
    await manager.stop(more.id)
    assert status_of(score) is JobStatus.PENDING
    await manager.retry(job.id)
    assert await manager.ended(score) is JobStatus.COMPLETED, "the chain goes on once its first run is completed"


@pytest.mark.parametrize("epochs", [0, -1, float("nan"), float("inf"), 2000])
async def test_epochs_that_are_none_are_refused(manager: JobManager, training: Training, epochs: float) -> None:
    job = await trained(manager, training())
    with pytest.raises(ParameterError):
        await manager.extend(job.id, epochs)
    assert list(manager.jobs) == [job.id]


async def test_without_a_whole_checkpoint_there_is_nothing_to_extend(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training(save_steps=10))
    for step in (10, 20):
        (job.paths.checkpoints / name_of(step) / "weights.bin").write_bytes(b"\1" * 64)
    with pytest.raises(JobError, match="no whole checkpoint"):
        await manager.extend(job.id, 1)
    (job.paths.checkpoints / name_of(10) / "weights.bin").write_bytes(bytes([10]) * 64)
    more = await manager.extend(job.id, 1)
    assert more.record.starts_from == StartPoint(run=job.id, step=10), "the damaged one was passed over"


async def test_a_branch_goes_on_from_the_chosen_checkpoint_with_changes(
    manager: JobManager, training: Training
) -> None:
    job = await trained(manager, training("tone", save_steps=5))
    other = await manager.branch(job.id, 10, {"learning_rate": 1e-3, "name": "another way"})
    assert (other.name, other.record.starts_from) == ("another way", StartPoint(run=job.id, step=10))
    assert [view.step for view in await manager.checkpoints(other)] == [10]
    assert await manager.ended(other) is JobStatus.COMPLETED
    assert [step for step, _ in other.curves.points("loss")] == list(range(11, 21))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"max_steps": 10}, "max_steps"), ({"max_steps": None, "num_train_epochs": 0.1}, "num_train_epochs")],
)
async def test_a_branch_that_would_train_nothing_is_refused(
    manager: JobManager, training: Training, changes: dict[str, object], field: str
) -> None:
    job = await trained(manager, training("tone", save_steps=5))
    await manager.load_history(job)
    job.history.facts["steps_per_epoch"] = 100
    with pytest.raises(ParameterError, match="ends at step 10, but the checkpoint is at step 10") as caught:
        await manager.branch(job.id, 10, changes)
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"lora_rank": 8}, "lora_rank"),
        ({"target_modules": "q_proj"}, "target_modules"),
        ({"model_name": "another"}, "model_name"),
        ({"dataset_path": "starter/heldout"}, "dataset_path"),
        ({"max_length": 64}, "max_length"),
        ({"batch_size": 1}, "batch_size"),
        ({"seed": 7}, "seed"),
        ({"evaluations": 0}, "evaluations"),
    ],
)
async def test_a_branch_keeps_what_its_checkpoint_was_made_with(
    manager: JobManager, training: Training, changes: dict[str, object], field: str
) -> None:
    job = await trained(manager, training(max_steps=4))
    with pytest.raises(ParameterError, match="must stay as in") as caught:
        await manager.branch(job.id, 4, changes)
    assert field in caught.value.fields
    assert list(manager.jobs) == [job.id]


async def test_a_checkpoint_that_is_not_there_or_damaged_is_named(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training(max_steps=4))
    with pytest.raises(JobError, match="no checkpoint at step 7"):
        await manager.branch(job.id, 7)
    (job.paths.checkpoints / name_of(4) / "weights.bin").write_bytes(b"\1" * 64)
    with pytest.raises(JobError, match=r"weights\.bin of checkpoint-4 is damaged"):
        await manager.branch(job.id, 4, {"max_steps": 8})


async def test_a_checkpoint_that_goes_while_it_is_copied_leaves_no_run(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await trained(manager, training(max_steps=4))
    found = starting_points.files_at(job, 4)
    (job.paths.checkpoints / name_of(4) / "weights.bin").unlink()
    answers = iter([found])
    monkeypatch.setattr(intake, "files_at", lambda *_: next(answers, None) or starting_points.files_at(job, 4))
    with pytest.raises(JobError, match=r"weights\.bin of checkpoint-4 cannot be read"):
        await manager.branch(job.id, 4, {"max_steps": 8})
    assert [folder.name for folder in manager.workspace.runs.iterdir()] == [job.id]


async def test_where_links_cannot_be_made_the_checkpoint_is_copied(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    job = await trained(manager, training(max_steps=4))
    monkeypatch.setattr(os, "link", refuse)
    more = await manager.extend(job.id, 1)
    copied, original = (run.paths.checkpoints / name_of(4) / "weights.bin" for run in (more, job))
    assert copied.read_bytes() == original.read_bytes() and not copied.samefile(original)


async def test_a_full_disk_leaves_no_half_a_run(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    job = await trained(manager, training(max_steps=4))
    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(WorkspaceError, match="No space left on device"):
        await manager.extend(job.id, 1)
    assert [folder.name for folder in manager.workspace.runs.iterdir()] == [job.id]


async def test_only_a_training_goes_on_from_a_checkpoint(manager: JobManager, training: Training) -> None:
    job = await trained(manager, training(max_steps=4))
    score = await manager.follow_up(job.id, JobKind.EVALUATION)
    await manager.ended(score)
    for asked in (manager.extend(score.id, 1), manager.branch(score.id, 4)):
        with pytest.raises(JobError, match="is no training"):
            await asked


async def test_an_evaluation_and_a_merge_wait_for_the_training(manager: JobManager, training: Training) -> None:
    await manager.hold_queue()
    job = await manager.submit(JobKind.TRAINING, training("tone"))
    score = await manager.follow_up(job.id, JobKind.EVALUATION)
    merge = await manager.follow_up(job.id, JobKind.MERGE)
    assert [run.name for run in (score, merge)] == ["tone score", "tone merge"]
    assert score.record.after == merge.record.after == job.id
    assert isinstance(score.parameters, EvaluationParameters) and isinstance(merge.parameters, MergeParameters)
    assert score.parameters.adapter_path == merge.parameters.adapter_path == str(job.paths.adapter)
    assert score.parameters.dataset_path == merge.parameters.dataset_path == "starter/heldout"
    await manager.continue_queue()
    assert await manager.ended(merge) is JobStatus.COMPLETED
    assert status_of(score) is JobStatus.COMPLETED


async def test_without_unseen_rows_there_is_nothing_to_score_on(
    make_manager: Make, training: Training, tmp_path: Path
) -> None:
    manager = make_manager()
    for name in ("rows.jsonl", "test.jsonl"):
        (tmp_path / name).write_text("{}\n")
    own, unseen = str(tmp_path / "rows.jsonl"), str(tmp_path / "test.jsonl")
    job = await manager.submit(JobKind.TRAINING, training(dataset_path=own))
    with pytest.raises(ParameterError, match="rows are needed that are not trained") as caught:
        await manager.follow_up(job.id, JobKind.EVALUATION)
    assert set(caught.value.fields) == {"dataset_path"}
    score = await manager.follow_up(job.id, JobKind.EVALUATION, dataset_path=unseen)
    assert isinstance(score.parameters, EvaluationParameters) and score.parameters.dataset_path == unseen
    with_file = await manager.submit(JobKind.TRAINING, training(dataset_path=own, validation_path=unseen))
    score = await manager.follow_up(with_file.id, JobKind.EVALUATION)
    assert isinstance(score.parameters, EvaluationParameters) and score.parameters.dataset_path == unseen
    with pytest.raises(JobError, match="comes an evaluation or a merge"):
        await manager.follow_up(job.id, JobKind.TRAINING)
    with pytest.raises(JobError, match="makes no adapter"):
        await manager.follow_up(score.id, JobKind.MERGE)


@pytest.mark.parametrize(
    ("name", "taken", "new"),
    [
        ("tone", {"tone"}, "tone 2"),
        ("tone 2", {"tone", "tone 2"}, "tone 3"),
        ("tone", {"tone", "tone 2", "tone 4"}, "tone 3"),
        ("llama 3", {"llama 3"}, "llama 3 2"),
        ("x" * 80, set(), "x" * 78 + " 2"),
    ],
)
def test_names_are_numbered(name: str, taken: set[str], new: str) -> None:
    assert numbered(name, taken) == new
