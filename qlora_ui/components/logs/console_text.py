"""The end of what a run's process printed. Reads a file: call it in a thread."""

from __future__ import annotations

import re
from pathlib import Path

BYTES_READ = 256 << 10
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Colours and cursor movements of a terminal."""


def tail_of(path: Path, lines: int) -> list[str]:
    """The last lines as a terminal would show them, where a carriage return writes over its line; none for no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - BYTES_READ))
            tail = file.read(BYTES_READ)
    except OSError:
        return []
    text = tail.decode(errors="replace").replace("\r\n", "\n")
    shown = [_CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2]) for line in text.split("\n")]
    while shown and not shown[-1].strip():
        shown.pop()
    return shown[-lines:]
