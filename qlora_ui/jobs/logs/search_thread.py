"""Searches of long logs, one after the other: many at once would take turns with the event loop and hold it up.

A search is work for Python alone, so that several of them would be done no sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Found = TypeVar("Found")

_SEARCHER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="search logs")


async def in_turn(search: Callable[[], Found]) -> Found:
    """Run it in the one thread that searches, when those that came before are done; raises what it raises."""
    return await asyncio.get_running_loop().run_in_executor(_SEARCHER, search)
