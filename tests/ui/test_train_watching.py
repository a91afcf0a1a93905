"""The settings by which a training is watched: prompts, trackers, and combinations that make no sense."""

from __future__ import annotations

import pytest
from nicegui import ui
from nicegui.testing import User, UserInteraction

from qlora_ui.components.forms.check_list import CheckList
from qlora_ui.components.forms.prompt_list import PromptList
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobKind
from qlora_ui.contract.trackers import TOOLS, Tool
from qlora_ui.services import Services
from tests.fakes.inspector import FakeInspector
from tests.ui.acting import press
from tests.ui.test_train import enter, to_settings


@pytest.fixture
def inspector(services: Services) -> FakeInspector:
    services.inspector = FakeInspector()
    return services.inspector


def only(user: User, kind: type[PromptList] | type[CheckList]) -> PromptList | CheckList:
    [found] = user.find(kind=kind).elements
    return found


def boxes(prompts: PromptList | CheckList) -> list[ui.textarea]:
    return [element for element in prompts.descendants() if isinstance(element, ui.textarea)]


def type_into(user: User, box: ui.textarea, text: str) -> None:
    UserInteraction(user, {box}, None).type(text).trigger("blur")


async def started(user: User, services: Services) -> TrainingParameters:
    """What a training is told that is started with the settings as they are now."""
    await press(user, "Continue to check")
    await press(user, "Continue to start")
    await enter(user, "name", "watched")
    await press(user, "Start training")
    await user.should_see("watched", retries=50)
    [training] = [job for job in services.jobs.jobs.values() if job.kind is JobKind.TRAINING]
    assert isinstance(training.parameters, TrainingParameters)
    return training.parameters


async def test_prompts_are_added_and_removed_one_by_one(
    user: User, services: Services, inspector: FakeInspector
) -> None:
    await to_settings(user)
    prompts = only(user, PromptList)
    for text in ("Hello", "How much\nis it?", "   "):
        await press(user, "Add a prompt")
        type_into(user, boxes(prompts)[-1], text)
    assert prompts.value == ["Hello", "How much\nis it?"]
    assert [box.props["aria-label"] for box in boxes(prompts)] == ["Prompt 1", "Prompt 2", "Prompt 3"]
    await press(user, "Remove prompt 1")
    assert prompts.value == ["How much\nis it?"]
    assert (await started(user, services)).sample_prompts == ["How much\nis it?"]


async def test_there_are_no_more_prompts_than_allowed(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    for _prompt in range(20):
        await press(user, "Add a prompt")
    await user.should_see("There may be no more than 20.", retries=50)


async def test_a_tracker_is_chosen_and_says_whether_it_is_installed(
    user: User, services: Services, inspector: FakeInspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tool, "is_installed", property(lambda tool: tool.module != "mlflow"))
    await to_settings(user)
    for tool in TOOLS.values():
        await user.should_see(tool.title)
    await user.should_see("Not installed: pip install 'qlora-ui[mlflow]'")
    await user.should_not_see("Not installed: pip install 'qlora-ui[wandb]'")
    for marker in ("check-trackio", "check-wandb"):
        UserInteraction(user, user.find(marker=marker).elements, None).trigger("change", True)
    assert only(user, CheckList).value == ["wandb", "trackio"]
    UserInteraction(user, user.find(marker="check-trackio").elements, None).trigger("change", False)
    assert (await started(user, services)).trackers == ["wandb"]


async def test_stopping_early_without_enough_evaluations_is_named(user: User, inspector: FakeInspector) -> None:
    await to_settings(user)
    await enter(user, "early_stopping_patience", "4")
    await user.should_see("early_stopping_patience is 4, but there are no more than 4 evaluations", retries=50)
    await enter(user, "evaluations", "8")
    await user.should_not_see("early_stopping_patience is 4", retries=50)
