"""Walking through the whole app leaves nothing behind on the server, however long a tab stays open."""

from __future__ import annotations

import asyncio
import gc
import inspect
from types import CoroutineType
from typing import Any

from nicegui import background_tasks, binding, ui
from nicegui.element import Element
from nicegui.testing import User

from qlora_ui.jobs.reactive import Event
from qlora_ui.pages.shell.frame import PATHS
from qlora_ui.services import Services

VISITS = 50
BACK = "/settings"
"""Where it is counted, always on the same page."""
TIMER = "Timer._run_in_loop"
ENDLESS = {TIMER, "Outbox.loop", "refresh_loop"}
"""What NiceGUI keeps at work for a page, or for all of them."""


async def test_fifty_visits_to_every_page_leave_nothing_behind(user: User, busy_services: Services) -> None:
    finished = next(iter(busy_services.jobs.jobs))
    paths = [path.replace("{job_id}", finished) for path in PATHS]
    await user.open(BACK)
    await _walk(user, paths)
    before = await _held(user)
    for _ in range(VISITS):
        await _walk(user, paths)
    assert await _held(user) == before


async def _walk(user: User, paths: list[str]) -> None:
    """Open every page and let what it starts come to its end, and go back."""
    for path in (*paths, BACK):
        user.navigate.to(path)
        await _quiet()


async def _quiet() -> None:
    """Until what was begun is done: nothing is at work but what goes on for as long as a page or the server."""
    while tasks := [task for task in background_tasks.running_tasks if _method(task) not in ENDLESS]:
        await asyncio.wait(tasks)


async def _wake_cancelled_timers() -> None:
    """A timer that is cancelled notices it at its next tick, which may be a minute away; have that minute pass."""
    tasks = [task for task in background_tasks.running_tasks if _method(task) == TIMER]
    cancelled = [task for task in tasks if inspect.getcoroutinelocals(_coroutine(task))["self"]._is_canceled]
    for task in cancelled:
        task.cancel()
    if cancelled:
        await asyncio.wait(cancelled)


def _method(task: asyncio.Task[Any]) -> str:
    return _coroutine(task).__qualname__


def _coroutine(task: asyncio.Task[Any]) -> CoroutineType[Any, Any, Any]:
    coroutine = task.get_coro()
    assert isinstance(coroutine, CoroutineType)
    return coroutine


async def _held(user: User) -> dict[str, int]:
    """What the server holds for the open page and for all pages, by kind."""
    assert user.client is not None
    await _wake_cancelled_timers()
    gc.collect()
    elements = user.client.elements.values()
    alive = gc.get_objects()
    events = [thing for thing in alive if issubclass(type(thing), Event)]  # isinstance would ask lazy objects of others
    return {
        "elements": len(elements),
        "event listeners of elements": sum(len(element._event_listeners) for element in elements),
        "timers": sum(isinstance(element, ui.timer) for element in elements),
        "callbacks of events": sum(len(event.callbacks) for event in events),
        "bindings": sum(len(targets) for targets in binding.bindings.values()),
        "active links": len(binding.active_links),
        "bindable properties": len(binding.bindable_properties),
        "background tasks": len(background_tasks.running_tasks),
        "tasks": len(asyncio.all_tasks()),
        "deleted elements": sum(issubclass(type(thing), Element) and thing.is_deleted for thing in alive),
    }
