"""Searches of logs take turns."""

from __future__ import annotations

import asyncio
import threading

import pytest

from qlora_ui.jobs.logs.search_thread import in_turn


async def test_searches_take_turns() -> None:
    alone = threading.Lock()

    def search() -> bool:
        is_alone = alone.acquire(blocking=False)
        threading.Event().wait(0.01)  # a second one would have time to begin
        if is_alone:
            alone.release()
        return is_alone

    found = await asyncio.gather(*(in_turn(search) for _number in range(8)))
    assert all(found)


async def test_what_waits_for_its_turn_can_be_given_up() -> None:
    begun, over, done = threading.Event(), threading.Event(), []

    def long() -> None:
        begun.set()
        over.wait(30)

    first = asyncio.create_task(in_turn(long))
    await asyncio.to_thread(begun.wait, 30)
    second = asyncio.create_task(in_turn(lambda: done.append("the second")))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    over.set()
    await first
    await in_turn(lambda: done.append("the third"))
    assert done == ["the third"]
