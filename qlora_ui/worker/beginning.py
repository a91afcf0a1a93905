"""What a worker notes before its work, so that its end can be explained should it write none itself."""

from __future__ import annotations

import contextlib
import faulthandler
import sys

from qlora_ui.contract.events import Started
from qlora_ui.contract.evidence import memory_kills
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.process import ProcessIdentity


def first_words(paths: RunPaths, attempt: int) -> Started:
    """The first event of an attempt. From now on, a crash inside a library leaves its stack in the console log."""
    with contextlib.suppress(OSError, ValueError):  # a standard error that is no file
        faulthandler.enable(sys.stderr)
    try:
        printed = paths.console.stat().st_size
    except OSError:  # started by hand, on a terminal
        printed = 0
    return Started(process=ProcessIdentity.of(), attempt=attempt, memory_kills=memory_kills(), console_bytes=printed)
