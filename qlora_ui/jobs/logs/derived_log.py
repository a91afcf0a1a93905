"""The log of a run whose worker wrote none: made from its events, kept in the cache, continued as the events grow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import parse_event
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.log_lines import dump_entry, entry_of
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.jobs.history.event_file import EventTail, Extent, is_event, is_progress, may_hold_events

LOCK_SECONDS = 30.0


class _Derived(BaseModel):
    """What a derived log tells of."""

    events: Extent
    log_bytes: int
    """Of the log that tell them."""


def log_of(paths: RunPaths, *, rest_seconds: float = 0.0) -> Path | None:
    """The file with a run's log, up to date; None while there is nothing to tell. Raises WorkspaceError.

    `rest_seconds` is how long the thread sleeps after each few milliseconds of work.
    """
    if paths.log.exists():
        return paths.log
    try:
        if not paths.events.stat().st_size:
            return None
        return _derived(paths, rest_seconds)
    except FileNotFoundError:
        return None
    except Timeout:
        raise WorkspaceError("Another program is writing this log down.", "Open it again in a moment.") from None
    except OSError as error:
        raise WorkspaceError(
            f"The log of {paths.id} cannot be written to the cache: {error.strerror}.",
            "Make room on the disk, then open it again.",
        ) from error


def is_log_ready(paths: RunPaths) -> bool:
    """The log opens at once: the worker wrote it, or what is kept of it is as new as the events."""
    try:
        return paths.log.exists() or _files(paths)[1].stat().st_mtime >= paths.events.stat().st_mtime
    except OSError:
        return False


def forget_log(paths: RunPaths) -> None:
    """Delete what is kept of a run. Raises OSError."""
    for file in _files(paths):
        file.unlink(missing_ok=True)


def _files(paths: RunPaths) -> tuple[Path, Path, Path]:
    """The log, how much of the events it tells, and what is locked while it is written."""
    log = Workspace(paths.folder.parents[1]).kept_log(paths.id)
    return log, log.with_suffix(".json"), log.with_suffix(".lock")


def _derived(paths: RunPaths, rest_seconds: float) -> Path:
    log, state, lock = _files(paths)
    log.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock, timeout=LOCK_SECONDS):
        known, told = _known(paths, log, state)
        with log.open("r+b" if log.exists() else "w+b") as file:
            file.truncate(told)
            file.seek(told)
            tail = EventTail(paths.events, known)
            while block := tail.read_lines():
                file.writelines(_in_words(block))
                time.sleep(rest_seconds)
            told = file.tell()
        if tail.offset != known:
            derived = _Derived(events=Extent.of(paths.events, tail.offset), log_bytes=told)
            write_atomically(state, derived.model_dump_json())
    return log


def told_anew(paths: RunPaths) -> Iterator[bytes]:
    """The log as the events tell it, in blocks, for where nothing can be kept. Raises WorkspaceError."""
    tail = EventTail(paths.events)
    try:
        first = tail.read_lines()
    except OSError as error:
        raise WorkspaceError(f"The events of {paths.id} cannot be read: {error.strerror}.") from error
    return (b"".join(_in_words(block)) for block in chain([first], iter(tail.read_lines, b"")))


def _in_words(events: bytes) -> Iterator[bytes]:
    """The log lines of written events; what cannot be read is passed over."""
    if not may_hold_events(events):
        return
    for line in events.split(b"\n"):
        if is_event(line) and not is_progress(line):
            with contextlib.suppress(ValidationError):
                if (entry := entry_of(parse_event(line))) is not None:
                    yield dump_entry(entry)


def _known(paths: RunPaths, log: Path, state: Path) -> tuple[int, int]:
    """How many bytes of the events are told already, and how many of the log tell them."""
    try:
        derived = _Derived.model_validate_json(state.read_bytes())
        is_whole = derived.log_bytes <= log.stat().st_size
    except (OSError, ValidationError):
        return 0, 0
    return (derived.events.bytes, derived.log_bytes) if is_whole and derived.events.fits(paths.events) else (0, 0)
