"""What a person does on a page, waited for to its end."""

from __future__ import annotations

import asyncio

from nicegui import background_tasks, ui
from nicegui.elements.mixins.disableable_element import DisableableElement
from nicegui.testing import User

from qlora_ui.components.fold import Fold
from qlora_ui.components.menu import MenuButton
from qlora_ui.components.steps import Steps
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager


async def press(user: User, name: str) -> None:
    """Press the first button whose words or accessible name begin like this, and wait until its work is done."""
    before = set(background_tasks.running_tasks)
    button = buttons(user, name)[0]
    assert not isinstance(button, DisableableElement) or button.enabled, f"{name} is disabled"
    [listener] = [listener for listener in button._event_listeners.values() if listener.type == "click"]
    button._handle_event({"listener_id": listener.id, "args": None})
    if begun := set(background_tasks.running_tasks) - before:
        await asyncio.wait(begun)


def begin(user: User, name: str) -> None:
    """Press the last button with exactly this name, and do not wait for what it starts."""
    fire([button for button in buttons(user, name) if _name(button) == name][-1], "click")


async def open_step(user: User, word: str) -> None:
    """Press the step of this name above a form."""
    assert user.client is not None
    steps = [element for element in user.client.elements.values() if isinstance(element, Steps)]
    found = [button for step in steps for button in step.descendants() if button.tag == "button"]
    [button] = [button for button in found if any(getattr(e, "text", "") == word for e in button.descendants())]
    [listener] = [listener for listener in button._event_listeners.values() if listener.type == "click"]
    button._handle_event({"listener_id": listener.id, "args": None})


def training(name: str, **values: object) -> TrainingParameters:
    """The parameters of a training of this name, which scripts what becomes of it."""
    given = {"name": name, "model_name": "starter", "dataset_path": "starter", "device": "cpu", **values}
    return TrainingParameters.model_validate(given)


async def run(jobs: JobManager, name: str, **values: object) -> Job:
    """A training that was seen through to its end."""
    job = await jobs.submit(JobKind.TRAINING, training(name, **values))
    await jobs.ended(job)
    return job


def fire(element: ui.element, name: str, args: object = None) -> None:
    """Let an element have an event of the browser, and do not wait for what it starts."""
    for listener in list(element._event_listeners.values()):
        if listener.type == name:
            element._handle_event({"listener_id": listener.id, "args": args})


def open_fold(user: User, words: str) -> None:
    """Unfold the part whose title begins like this."""
    assert user.client is not None
    folds = [element for element in user.client.elements.values() if isinstance(element, Fold)]
    [fold] = [fold for fold in folds if fold.title.text.startswith(words)]
    fire(fold, "toggle", True)


def menu_items(user: User, label: str) -> dict[str, dict[str, str]]:
    """What the menu of this name offers now, by its words."""
    menu = menu_of(user, label)
    fire(menu, "ask")
    return {str(item["text"]): item for item in menu._props["items"]}


async def choose(user: User, label: str, words: str) -> None:
    """Choose from a menu, and wait until that is done."""
    before = set(background_tasks.running_tasks)
    item = menu_items(user, label)[words]
    assert not item["reason"], item["reason"]
    fire(menu_of(user, label), "choose", item["name"])
    if begun := set(background_tasks.running_tasks) - before:
        await asyncio.wait(begun, timeout=1)  # one that asks a person something waits for the answer


def menu_of(user: User, label: str) -> MenuButton:
    assert user.client is not None
    menus = [element for element in user.client.elements.values() if isinstance(element, MenuButton)]
    return next(menu for menu in menus if menu._props["label"] == label)


def buttons(user: User, name: str) -> list[ui.element]:
    """The buttons of the page with this name, from top to bottom of the document."""
    assert user.client is not None
    found = [element for element in user.client.elements.values() if element.tag == "button"]
    return [element for element in found if element.visible and _name(element).startswith(name)]


def _name(element: ui.element) -> str:
    return str(element._props.get("aria-label") or getattr(element, "text", ""))
