"""/train?from=<run id>: a form that begins with the settings of an earlier run."""

from __future__ import annotations

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.contract.parameters import MergeParameters, TrainingParameters
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.services import Services
from tests.fakes.inspector import FakeInspector
from tests.fakes.runs import FakeRun, write_run
from tests.ui.acting import open_step, press

STARTER = {"model_name": "starter", "dataset_path": "starter", "device": "cpu"}


@pytest.fixture(autouse=True)
def inspector(services: Services) -> FakeInspector:
    services.inspector = FakeInspector()
    return services.inspector


async def submit(services: Services, name: str, **values: object) -> Job:
    parameters = TrainingParameters.model_validate({**STARTER, "name": name, **values})
    return await services.jobs.submit(JobKind.TRAINING, parameters)


def value_of(user: User, marker: str) -> object:
    [field] = user.find(marker=marker).elements
    assert isinstance(field, ui.input)
    return field.value


def address(user: User) -> str:
    assert user.client is not None
    return user.client.sub_pages_router.current_path


def open_step_of(user: User) -> str:
    """The word of the step above the form that is marked as the present one."""
    assert user.client is not None
    [step] = [one for one in user.client.elements.values() if one._props.get("aria-current") == "step"]
    return [str(text) for one in step.descendants() if (text := getattr(one, "text", ""))][-1]


async def test_the_form_holds_every_setting_of_the_run(user: User, services: Services) -> None:
    job = await submit(services, "tone", learning_rate=3e-4, lora_rank=24, max_steps=7, seed=5, evaluations=0)
    await user.open(f"/train?from={job.id}")
    await user.should_see("These are the settings of tone, for a new run of its own.", retries=50)
    assert value_of(user, "learning_rate") == "0.0003"
    await open_step(user, "Start")
    assert value_of(user, "name") == "tone 2"
    user.find(marker="score-after").click()
    await press(user, "Start training")
    await user.should_see("tone 2", retries=50)
    [again] = [other for other in services.jobs.jobs.values() if other is not job]
    assert again.parameters == job.parameters.model_copy(update={"name": "tone 2"})


async def test_the_form_opens_at_the_step_that_the_address_names(user: User, services: Services) -> None:
    """As the page of a run leads there that failed on its data."""
    job = await submit(services, "tone", learning_rate=3e-4)
    await user.open(f"/train?from={job.id}&step=data")
    await user.should_see("These are the settings of tone, for a new run of its own.", retries=50)
    assert open_step_of(user) == "Data"
    assert address(user) == "/train"
    await open_step(user, "Settings")
    assert value_of(user, "learning_rate") == "0.0003"


@pytest.mark.parametrize("step", ["nothing", "", "9", "../data"])
async def test_a_step_that_is_none_opens_the_settings(user: User, services: Services, step: str) -> None:
    job = await submit(services, "tone")
    await user.open(f"/train?from={job.id}&step={step}")
    await user.should_see("These are the settings of tone", retries=50)
    assert open_step_of(user) == "Settings"


async def test_the_check_names_only_what_really_starts_before_it(user: User, services: Services) -> None:
    failed = write_run(services.workspace, FakeRun("tone", JobStatus.FAILED, steps=2)).id
    await services.jobs.refresh()
    parameters = TrainingParameters.model_validate({**STARTER, "name": "waits"})
    await services.jobs.submit(JobKind.TRAINING, parameters, after=failed)
    await user.open(f"/train?from={failed}&step=check")
    await user.should_see("Nothing else runs: it starts at once.", retries=50)
    await services.jobs.hold_queue()
    await user.should_see("The queue is held: nothing new is started until it is continued.", retries=50)
    await services.jobs.continue_queue()
    await submit(services, "lakes")
    await user.should_see("lakes is before it: it waits where both need the same device.", retries=50)


async def test_defaults_of_the_run_are_not_replaced_by_what_suits_the_starter(user: User, services: Services) -> None:
    job = await submit(services, "tone")
    await user.open(f"/train?from={job.id}")
    await user.should_see("These are the settings of tone", retries=50)
    assert value_of(user, "learning_rate") == str(TrainingParameters.model_fields["learning_rate"].default)
    await user.should_not_see("Settings that suit the starter are filled in.")


async def test_what_was_changed_since_survives_another_look(user: User, services: Services) -> None:
    job = await submit(services, "tone", learning_rate=3e-4)
    await user.open(f"/train?from={job.id}")
    await user.should_see("These are the settings of tone", retries=50)
    assert address(user) == "/train"
    user.find(marker="learning_rate").clear().type("0.002").trigger("blur")
    for path in ("/activity", f"/train?from={job.id}"):
        with user:
            ui.navigate.to(path)
        await user.should_see({"/activity": "Find a run"}.get(path, "These are the settings of tone"), retries=50)
    assert value_of(user, "learning_rate") == "0.002"


async def test_what_was_there_before_can_be_taken_back(user: User, services: Services) -> None:
    await user.open("/train")
    await user.should_see("This run", retries=50)
    user.find(marker="choice-starter").trigger("change")
    await open_step(user, "Settings")
    user.find(marker="learning_rate").clear().type("0.007").trigger("blur")
    job = await submit(services, "tone", learning_rate=3e-4)
    with user:
        ui.navigate.to("/activity")
    await user.should_see("Find a run", retries=50)
    with user:
        ui.navigate.to(f"/train?from={job.id}")
    await user.should_see("These are the settings of tone", retries=50)
    assert value_of(user, "learning_rate") == "0.0003"
    await press(user, "Back to what was here before")
    await user.should_not_see("These are the settings of tone", retries=50)
    assert value_of(user, "learning_rate") == "0.007"


async def test_a_run_that_is_not_there_leaves_the_form_as_it_is(user: User) -> None:
    await user.open("/train?from=../../etc/passwd")
    await user.should_see("There is no run ../../etc/passwd.", retries=50)
    await user.should_see("The form is as you left it.")


async def test_a_merge_is_no_beginning_for_a_training(user: User, services: Services) -> None:
    parameters = MergeParameters(name="one model", model_name="starter", adapter_path=str(services.workspace.home))
    job = await services.jobs.submit(JobKind.MERGE, parameters)
    await user.open(f"/train?from={job.id}")
    await user.should_see("one model is no training", retries=50)
