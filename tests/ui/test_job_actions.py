"""What can be done with one run from its page: hold it, start it again, take it further, delete it."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button
from qlora_ui.contract.checkpoints import all_of
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobStatus, StartPoint
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.pages.runs.job import header
from qlora_ui.services import Services
from tests.fakes.rich_run import write_rich_run
from tests.ui.acting import begin, buttons, choose, menu_items, press, run, training

MORE = "More to do with this run"


async def rich(services: Services, status: JobStatus = JobStatus.COMPLETED, *, steps: int = 930) -> Job:
    """A training of the past with checkpoints on the disk."""
    paths = write_rich_run(services.workspace, "tone", status, steps=steps)
    await services.jobs.refresh()
    return services.jobs.get(paths.id)


async def open_rich(user: User, services: Services, shown: str) -> Job:
    """Such a training of 930 steps, and its page, on which one waits until this is there."""
    job = await rich(services)
    await user.open(f"/activity/{job.id}")
    await user.should_see(shown, retries=50)
    return job


def new_one(services: Services, old: Job) -> Job:
    [job] = [job for job in services.jobs.jobs.values() if job is not old]
    return job


async def test_stop_pause_and_resume_are_offered_only_when_they_can_work(user: User, jobs: JobManager) -> None:
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=60))
    while job.step < 2:
        await job.metric_added.emitted(timeout=20)
    await user.open(f"/activity/{job.id}")
    assert not buttons(user, "Resume")
    await press(user, "Pause")
    await jobs.ended(job)
    await user.should_see(kind=Button, content="Resume", retries=50)
    step = job.step
    await press(user, "Resume")
    await user.should_see(kind=StatusBadge, content="Training", retries=50)
    while job.step <= step:
        await job.metric_added.emitted(timeout=20)
    await user.should_see(kind=Button, content="Stop", retries=50)
    await press(user, "Stop")
    await jobs.ended(job)
    await user.should_see(kind=Button, content="Resume", retries=50)
    assert not buttons(user, "Pause")


async def test_nothing_that_deletes_comes_to_where_stop_was(user: User, services: Services) -> None:
    job = await services.jobs.submit(JobKind.TRAINING, training("tone"))
    await user.open(f"/activity/{job.id}")
    await press(user, "Stop")
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)
    assert not buttons(user, "Delete")
    assert menu_items(user, MORE)["Delete"]["reason"] == ""


async def test_what_cannot_be_done_says_why(user: User, busy_services: Services) -> None:
    [job] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.RUNNING]
    await user.open(f"/activity/{job.id}")
    items = menu_items(user, MORE)
    assert items["Delete"]["reason"] == "It is at work. Stop it first."
    assert items["Train longer"]["reason"] == "It has not ended yet. Stop it first, or wait for its end."
    assert items["Change and start again"]["target"] == f"/train?from={job.id}"


async def test_a_failure_stands_on_top_with_its_hint_and_ways_on(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone fails")
    await user.open(f"/activity/{job.id}")
    await user.should_see("The device ran out of memory.", retries=50)
    await user.should_see("Choose a smaller batch size.", retries=50)
    assert not buttons(user, "Resume")
    await user.should_see(kind=ui.link, content="Change and start again")
    await press(user, "Try again")
    assert job.record.attempt == 1
    await user.should_see(kind=StatusBadge, content="Training", retries=50)
    await jobs.ended(job)
    assert job.record.attempt == 2


async def test_an_interrupted_run_can_go_on(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone crashes")
    assert job.status is JobStatus.INTERRUPTED
    await user.open(f"/activity/{job.id}")
    await user.should_see(kind=Button, content="Resume", retries=50)
    await user.should_see("Show the last lines of the console")


async def test_a_run_is_started_once_more(user: User, services: Services) -> None:
    job = await rich(services)
    await user.open(f"/activity/{job.id}")
    await choose(user, MORE, "Start once more, from the beginning")
    again = new_one(services, job)
    assert again.name == "tone 2"
    assert again.parameters.model_copy(update={"name": "tone"}) == job.parameters
    await user.should_see("tone 2", retries=50)


async def test_a_finished_training_is_trained_longer(user: User, services: Services) -> None:
    job = await rich(services, steps=1500)
    await user.open(f"/activity/{job.id}")
    begin(user, "Train longer")
    await user.should_see("Epochs more", retries=50)
    await user.should_see("it begins higher than where it ended")
    [field] = [one for one in user.find(ui.input).elements if isinstance(one, ui.input) and one.value == "1"]
    field.value = "a few"
    await press(user, "Queue it")
    await user.should_see("it must be a number above 0", retries=50)
    field.value = "1,5"
    begin(user, "Queue it")
    await user.should_see("tone 2", retries=50)
    longer = new_one(services, job)
    assert isinstance(longer.parameters, TrainingParameters)
    assert isinstance(job.parameters, TrainingParameters)
    assert longer.parameters.num_train_epochs == job.parameters.num_train_epochs + 1.5
    assert longer.record.starts_from == StartPoint(run=job.id, step=1500)


async def test_another_way_on_from_a_checkpoint(user: User, services: Services) -> None:
    job = await open_rich(user, services, "Step 600")
    await choose(user, "More to do with the checkpoint at step 600", "Go on from here")
    await user.should_see("Go on from step 600", retries=50)
    [rate] = [one for one in user.find(ui.input).elements if isinstance(one, ui.input) and one.value == "0.0002"]
    rate.value = "-1"
    await press(user, "Queue it")
    await user.should_see("it must be a number, more than 0", retries=50)
    rate.value = "5e-5"
    begin(user, "Queue it")
    await user.should_see("tone 2", retries=50)
    branch = new_one(services, job)
    assert isinstance(branch.parameters, TrainingParameters)
    assert branch.parameters.learning_rate == 5e-5
    assert branch.record.starts_from == StartPoint(run=job.id, step=600)


async def test_a_checkpoint_is_scored(user: User, services: Services) -> None:
    job = await open_rich(user, services, "Step 300")
    await choose(user, "More to do with the checkpoint at step 300", "Score its adapter")
    await user.should_see("Test file", retries=50)
    user.find(marker="score-path").clear().type("starter/heldout")
    begin(user, "Score")
    await user.should_see("tone step 300 score", retries=50)
    score = new_one(services, job)
    assert isinstance(score.parameters, EvaluationParameters)
    assert score.parameters.adapter_path == str(job.paths.checkpoints / "checkpoint-300")


async def test_a_checkpoint_is_deleted_after_a_question(user: User, services: Services) -> None:
    job = await open_rich(user, services, "Step 300")
    await choose(user, "More to do with the checkpoint at step 300", "Delete")
    await user.should_see("Delete the checkpoint at step 300?", retries=50)
    begin(user, "Delete")
    await user.should_not_see("Step 300", retries=50)
    assert [folder.name for folder in all_of(job.paths.checkpoints)] == ["checkpoint-600", "checkpoint-900"]


async def test_a_damaged_checkpoint_is_said_to_be_so_and_nothing_goes_on_from_it(
    user: User, services: Services
) -> None:
    job = await rich(services, steps=930)
    _damage(job.paths, 900)
    await user.open(f"/activity/{job.id}")
    await user.should_see("Damaged", retries=50)
    items = menu_items(user, "More to do with the checkpoint at step 900")
    assert items["Go on from here"]["reason"] == "It is damaged. Choose another one."
    assert items["Score its adapter"]["reason"] == "It is damaged. Choose another one."
    assert items["Delete"]["reason"] == ""


def _damage(paths: RunPaths, step: int) -> None:
    with (paths.checkpoints / f"checkpoint-{step}" / "adapter_model.safetensors").open("ab") as file:
        file.write(b"more")


async def test_deleting_asks_first_and_leads_back(user: User, services: Services) -> None:
    job = await rich(services)
    await user.open(f"/activity/{job.id}")
    await choose(user, MORE, "Delete")
    await user.should_see("This cannot be undone.", retries=50)
    begin(user, "Delete")
    await user.should_see("No run yet", retries=50)
    assert job.id not in services.jobs.jobs
    assert not job.paths.folder.exists()


async def test_a_deleted_run_is_said_to_be_so_once(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await rich(services)
    await user.open(f"/activity/{job.id}")
    await user.should_see("At the end", retries=50)
    said: list[str] = []
    monkeypatch.setattr(header, "toast", lambda message, _kind: said.append(message))
    monkeypatch.setattr(ui.navigate, "to", lambda _path: None)  # the browser takes its time
    await services.jobs.delete(job.id)
    services.jobs.jobs_changed.emit()
    assert said == ["tone was deleted."]


async def test_a_finished_training_leads_on_to_a_score(user: User, jobs: JobManager) -> None:
    first = await run(jobs, "tone", max_length=64)
    await user.open(f"/activity/{first.id}")
    begin(user, "Score on a file")
    await user.should_see("Test file", retries=50)
    user.find(marker="score-path").clear().type("starter")
    begin(user, "Score")
    await user.should_see("This is the file it was trained on", retries=50)
    user.find(marker="score-path").clear().type("starter/heldout")
    begin(user, "Score")
    await user.should_see("Before and after", retries=100)
    [job] = [job for job in jobs.jobs.values() if job.kind is JobKind.EVALUATION]
    assert isinstance(job.parameters, EvaluationParameters)
    assert job.parameters.adapter_path == str(first.paths.adapter)
    assert job.parameters.dataset_path == "starter/heldout"
    assert job.parameters.max_length == 64
    assert job.name == "tone score"


async def test_what_comes_after_a_training_is_queued_while_it_still_waits(user: User, services: Services) -> None:
    first = await services.jobs.submit(JobKind.TRAINING, training("tone"))
    await user.open(f"/activity/{first.id}")
    await user.should_see("After this one", retries=50)
    await press(user, "Merge")
    await user.should_see("tone merge begins when this training is completed.", retries=50)
    merge = new_one(services, first)
    assert isinstance(merge.parameters, MergeParameters)
    assert merge.record.after == first.id
    await user.should_see("Related runs", retries=50)


async def test_a_merge_goes_into_the_folder_that_a_person_chose(
    user: User, services: Services, jobs: JobManager, tmp_path: Path
) -> None:
    (tmp_path / "Mail-tone-merged").mkdir()
    await services.people.change(merged_folder=str(tmp_path))
    first = await run(jobs, "Mail tone")
    await user.open(f"/activity/{first.id}")
    await press(user, "Merge")
    [job] = [job for job in jobs.jobs.values() if job is not first]
    assert isinstance(job.parameters, MergeParameters)
    assert job.parameters.output_dir == str(tmp_path / "Mail-tone-merged-2")
    await jobs.ended(job)
