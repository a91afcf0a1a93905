"""What the worker tells: events, appended to `events.jsonl` one whole line at a time."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Self

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Event, dump_event

_TAIL = 1 << 20
"""Bytes read from the end of the file to find the last sequence number; far longer than any event."""

Report = Callable[[Event], None]


class EventWriter:
    """Appends events, numbered on from the attempt before. Raises WorkspaceError when the disk takes no more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._seq, self._torn = _end_of(self._file)

    def __call__(self, event: Event) -> None:
        """Write one event with one system call, so that a reader never meets two mixed lines."""
        line = dump_event(event.model_copy(update={"seq": self._seq + 1}))
        if self._torn:
            line = b"\n" + line  # a power cut or a full disk left half a line: end it, so that this one is whole
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise _explain(error, self._path) from error
        self._torn = written < len(line)
        if self._torn:
            raise _explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self._path)
        self._seq += 1

    def close(self) -> None:
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _end_of(file: int) -> tuple[int, bool]:
    """The last sequence number in the file, and whether its last line lacks a line feed."""
    size = os.fstat(file).st_size
    tail = os.pread(file, _TAIL, max(0, size - _TAIL))
    for line in reversed(tail.splitlines()):
        try:
            return int(json.loads(line)["seq"]), not tail.endswith(b"\n")
        except (ValueError, KeyError, TypeError):
            continue
    return 0, bool(tail) and not tail.endswith(b"\n")


def _explain(error: OSError, path: Path) -> WorkspaceError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return WorkspaceError(f"The disk is full: {path} cannot grow.", "Make room on the disk, then resume the run.")
    return WorkspaceError(f"{path} cannot be written: {error.strerror}.")
