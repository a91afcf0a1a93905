"""What a person does on a page, waited for to its end."""

from __future__ import annotations

import asyncio

from nicegui import background_tasks, ui
from nicegui.elements.mixins.disableable_element import DisableableElement
from nicegui.testing import User

from qlora_ui.components.steps import Steps


async def press(user: User, name: str) -> None:
    """Press the first button whose words or accessible name begin like this, and wait until its work is done."""
    before = set(background_tasks.running_tasks)
    button = buttons(user, name)[0]
    assert not isinstance(button, DisableableElement) or button.enabled, f"{name} is disabled"
    [listener] = [listener for listener in button._event_listeners.values() if listener.type == "click"]
    button._handle_event({"listener_id": listener.id, "args": None})
    if begun := set(background_tasks.running_tasks) - before:
        await asyncio.wait(begun)


async def open_step(user: User, word: str) -> None:
    """Press the step of this name above a form."""
    assert user.client is not None
    steps = [element for element in user.client.elements.values() if isinstance(element, Steps)]
    found = [button for step in steps for button in step.descendants() if button.tag == "button"]
    [button] = [button for button in found if any(getattr(e, "text", "") == word for e in button.descendants())]
    [listener] = [listener for listener in button._event_listeners.values() if listener.type == "click"]
    button._handle_event({"listener_id": listener.id, "args": None})


def buttons(user: User, name: str) -> list[ui.element]:
    """The buttons of the page with this name, from top to bottom of the document."""
    assert user.client is not None
    found = [element for element in user.client.elements.values() if element.tag == "button"]
    return [element for element in found if element.visible and _name(element).startswith(name)]


def _name(element: ui.element) -> str:
    return str(element._props.get("aria-label") or getattr(element, "text", ""))
