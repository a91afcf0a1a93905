"""What the worker tells: events, appended to `events.jsonl` one whole line at a time, and in words to `run.log`."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Event, dump_event, parse_event
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.log_lines import dump_entry, entry_of
from qlora_ui.contract.paths import RunPaths

_TAIL = 1 << 20
"""Bytes read from the end of the file to find the last sequence number; far longer than any event."""

Report = Callable[[Event], None]


class EventWriter:
    """Appends events, numbered on from the attempt before. Raises WorkspaceError when the disk takes no more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._seq, self._torn = _end_of(self._file)
        self._log = LogWriter(RunPaths(path.parent).log, path)

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
        self._log(event)

    def close(self) -> None:
        os.close(self._file)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LogWriter:
    """Says events in words, for people. The events are the truth: a log that cannot be written stops nothing."""

    def __init__(self, path: Path, events: Path) -> None:
        """A log that does not exist begins with what `events` tells of attempts before."""
        self._file: int | None = None
        with contextlib.suppress(OSError):
            if not path.exists() and events.stat().st_size:
                write_atomically(path, b"".join(_lines(events.read_bytes().splitlines())))
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")  # a power cut left half a line

    def __call__(self, event: Event) -> None:
        if self._file is None or (entry := entry_of(event)) is None:
            return
        with contextlib.suppress(OSError):
            line = dump_entry(entry)
            if os.write(self._file, line) < len(line):
                os.write(self._file, b"\n")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


def _lines(events: Iterable[bytes]) -> Iterable[bytes]:
    """The log lines of written events; what cannot be read is passed over."""
    for line in events:
        with contextlib.suppress(ValidationError):
            if (entry := entry_of(parse_event(line))) is not None:
                yield dump_entry(entry)


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
        return WorkspaceError(f"The disk is full: {path} cannot grow.", "Make room on the disk, then try again.")
    return WorkspaceError(f"{path} cannot be written: {error.strerror}.")
