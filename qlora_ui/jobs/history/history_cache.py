"""Histories in a form that opens at once: what was read of long events is kept, and only what came since is read anew.

A file of the cache can be deleted at any moment, and one that is damaged or belongs to other events counts for nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import zlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from qlora_ui.contract.events import Sample
from qlora_ui.contract.log_lines import LogEntry
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.jobs.history.curves import Curve
from qlora_ui.jobs.history.event_file import BLOCK_BYTES, EventTail, Extent
from qlora_ui.jobs.history.history import LOG_LINES_KEPT, History
from qlora_ui.jobs.history.history_reader import HistoryReader

WORTH_KEEPING_BYTES = 1 << 20
"""Fewer events are read faster than anybody can see."""
_FORMAT = f"1 {sys.byteorder}"


class _Columns(BaseModel):
    """A curve: its steps, then its values, 8 bytes each."""

    name: str
    points: int


class _Head(BaseModel):
    """The first line of a file of the cache."""

    format: str
    extent: Extent
    checksum: int
    """CRC-32 of all that follows."""
    columns: list[_Columns]
    unreadable_lines: int
    logs: list[tuple[datetime, str, str]]


_FIELDS: dict[str, Any] = {
    name: (hint, ...) for name, hint in get_type_hints(History).items() if name not in {"curves", "logs", "sampled"}
} | {"samples": (list[Sample], ...)}
_Told = create_model("_Told", __config__=ConfigDict(ser_json_inf_nan="strings"), **_FIELDS)
"""The second line: everything in a history but its log and its curves, whose columns follow."""


@dataclass
class WholeHistory:
    """All that a run has said, and where its next words begin."""

    history: History
    tail: EventTail
    unreadable_lines: int


def read_history(paths: RunPaths, *, rest_seconds: float = 0.0) -> WholeHistory:
    """Everything that a run has said. What took a while to read is kept for the next time. Raises OSError.

    `rest_seconds` is how long the thread sleeps after each few milliseconds of work.
    """
    reader, known = _from_cache(paths) or (HistoryReader(), 0)
    tail = EventTail(paths.events, known)
    while lines := tail.read_lines(BLOCK_BYTES):
        reader.read(lines)
        time.sleep(rest_seconds)
    found = WholeHistory(reader.finish(), tail, reader.unreadable_lines + tail.unreadable_lines)
    if tail.offset - known >= WORTH_KEEPING_BYTES:
        with contextlib.suppress(OSError):  # a full or write-protected disk: it is read anew the next time
            _keep(paths, found)
    return found


def forget_history(paths: RunPaths) -> None:
    """Delete what is kept of a run. Raises OSError."""
    _file(paths).unlink(missing_ok=True)


def is_ready(paths: RunPaths) -> bool:
    """A history opens at once: what is kept of it is as new as its events, or these are few."""
    try:
        return is_short(paths) or _file(paths).stat().st_mtime >= paths.events.stat().st_mtime
    except OSError:
        return False


def is_short(paths: RunPaths) -> bool:
    """A run said so little that nothing need be kept of it."""
    try:
        return paths.events.stat().st_size < WORTH_KEEPING_BYTES
    except OSError:
        return True


def _file(paths: RunPaths) -> Path:
    return Workspace(paths.folder.parents[1]).kept_history(paths.id)


def _from_cache(paths: RunPaths) -> tuple[HistoryReader, int] | None:
    """A reader that knows what was kept, and how many bytes of the events that is."""
    try:
        first, _, rest = _file(paths).read_bytes().partition(b"\n")
        head = _Head.model_validate_json(first)
        if head.format != _FORMAT or zlib.crc32(rest) != head.checksum or not head.extent.fits(paths.events):
            return None
        return HistoryReader(_history_of(head, rest), head.unreadable_lines), head.extent.bytes
    except (OSError, ValueError):  # there is none, it is damaged, or an older version wrote it
        return None


def _history_of(head: _Head, rest: bytes) -> History:
    """Raises ValueError when the rest does not go with the head."""
    line, _, data = rest.partition(b"\n")
    told = dict(_Told.model_validate_json(line))
    history = History(sampled={(one.step, one.prompt): one for one in told.pop("samples")}, **told)
    history.logs = deque((LogEntry(*entry) for entry in head.logs), LOG_LINES_KEPT)
    place, columns = 0, memoryview(data)
    for column in head.columns:
        middle, end = place + 8 * column.points, place + 16 * column.points
        curve = Curve()
        curve.steps.frombytes(columns[place:middle])
        curve.values.frombytes(columns[middle:end])
        history.curves.put(column.name, curve)
        place = end
    return history


def _keep(paths: RunPaths, found: WholeHistory) -> None:
    """Raises OSError."""
    history, curves = found.history, found.history.curves
    columns = {name: curves.column(name) for name in curves.names}
    told = _Told(**{name: getattr(history, name) for name in _Told.model_fields})
    data = [part.tobytes() for curve in columns.values() for part in (curve.steps, curve.values)]
    rest = b"".join([told.model_dump_json().encode(), b"\n", *data])
    head = _Head(
        format=_FORMAT,
        extent=Extent.of(paths.events, found.tail.offset),
        checksum=zlib.crc32(rest),
        columns=[_Columns(name=name, points=len(curve)) for name, curve in columns.items()],
        unreadable_lines=found.unreadable_lines,
        logs=[(entry.time, entry.level, entry.message) for entry in history.logs],
    )
    _replace(_file(paths), head.model_dump_json().encode() + b"\n" + rest)


def _replace(path: Path, content: bytes) -> None:
    """In one step, but without waiting for the disk: what a power cut leaves of it is recognised by its checksum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
