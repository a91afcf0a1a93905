"""Ctrl+C and a gentle kill while a command waits for runs."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def heard(hear: Callable[[], None]) -> Iterator[None]:
    """Within the block, `hear` is called on the event loop each time, in place of ending the program."""
    loop = asyncio.get_running_loop()
    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in signals:
            loop.add_signal_handler(number, hear)
    except NotImplementedError:  # Windows: Ctrl+C ends this command, and the runs go on
        signals = ()
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
