"""Listening to long-lived objects from a page, for exactly as long as the page is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.jobs.reactive import Event


def listen(event: Event[Any], callback: Callable[..., Any]) -> None:
    """Call `callback` with the event's arguments until the element that is being built around this call is gone.

    `Event.subscribe` alone would end with the client, but a client outlives the pages that it shows one after the
    other: its callbacks would go on writing to deleted elements.
    """
    _Subscription(event, callback)


class _Subscription(ui.element):
    """An element without a look, whose deletion ends a subscription."""

    def __init__(self, event: Event[Any], callback: Callable[..., Any]) -> None:
        super().__init__("template")
        self._event = event
        self._relay: Callable[..., Any] = self._pass_on
        self._callback = callback
        event.subscribe(self._relay, expect_args=True, unsubscribe_on_delete=False)

    def _pass_on(self, *arguments: Any) -> Any:
        """Unless another callback of the same event has just deleted this part of the page."""
        return None if self.is_deleted else self._callback(*arguments)

    def _handle_delete(self) -> None:
        self._event.unsubscribe(self._relay)
        super()._handle_delete()


def throttled(owner: ui.element, action: Callable[[], Any], *, seconds: float = 0.2) -> Callable[[], None]:
    """A function that runs `action` within `owner`, at most once in `seconds`.

    The first call runs at once; calls that come too soon are answered by a single run at the end of the wait, so that
    the last state is always shown. Nothing runs after `owner` was deleted.
    """
    pending: asyncio.TimerHandle | None = None
    last_run = float("-inf")

    def run() -> None:
        nonlocal pending, last_run
        pending, last_run = None, asyncio.get_running_loop().time()
        if not owner.is_deleted:
            with owner:
                action()

    def call() -> None:
        nonlocal pending
        if pending is not None:
            return
        loop = asyncio.get_running_loop()
        wait = last_run + seconds - loop.time()
        if wait <= 0:
            run()
        else:
            pending = loop.call_later(wait, run)

    return call
