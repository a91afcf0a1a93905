"""Histories in a form that opens at once: what was read of long events is kept, and only what came since is read anew.

A file of the cache can be deleted at any moment, and one that is damaged or belongs to other events counts for nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import zlib
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from qlora_ui.contract import events
from qlora_ui.contract.log_lines import LogEntry
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.jobs.curves import Curve
from qlora_ui.jobs.event_file import BLOCK_BYTES, EventTail, Extent
from qlora_ui.jobs.history import LOG_LINES_KEPT, History
from qlora_ui.jobs.history_reader import HistoryReader

WORTH_KEEPING_BYTES = 1 << 20
"""Fewer events are read faster than anybody can see."""
_FORMAT = f"1 {sys.byteorder}"


class _Columns(BaseModel):
    """A curve: its steps, then its values, 8 bytes each."""

    name: str
    points: int


class _Kept(BaseModel):
    """The first line of a file of the cache; the columns follow."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    format: str
    extent: Extent
    checksum: int
    """CRC-32 of the columns."""
    columns: list[_Columns]
    unreadable_lines: int
    seq: int
    logs: list[tuple[datetime, str, str]]
    samples: list[events.Sample]
    alerts: list[events.Alert]
    checkpoints: list[events.CheckpointSaved]
    phases: list[tuple[str, datetime]]
    facts: dict[str, Any]
    started: events.Started | None
    first_started_at: datetime | None
    progress: events.Progress | None
    message: str
    last_time: datetime | None


_AS_THEY_ARE = tuple(name for name in _Kept.model_fields if name in History.__dataclass_fields__ and name != "logs")


@dataclass
class WholeHistory:
    """All that a run has said, and where its next words begin."""

    history: History
    tail: EventTail
    unreadable_lines: int


def cache_file(paths: RunPaths) -> Path:
    """What is kept of a run's history, if it is."""
    return Workspace(paths.folder.parents[1]).cache / "history" / f"{paths.id}.columns"


def read_history(paths: RunPaths) -> WholeHistory:
    """Everything that a run has said. What took a while to read is kept for the next time. Raises OSError."""
    reader, known = _from_cache(paths) or (HistoryReader(), 0)
    tail = EventTail(paths.events, known)
    while lines := tail.read_lines(BLOCK_BYTES):
        reader.read(lines)
    found = WholeHistory(reader.finish(), tail, reader.unreadable_lines)
    if tail.offset - known >= WORTH_KEEPING_BYTES:
        with contextlib.suppress(OSError):  # a full or write-protected disk: it is read anew the next time
            _keep(paths, found)
    return found


def _from_cache(paths: RunPaths) -> tuple[HistoryReader, int] | None:
    """A reader that knows what was kept, and how many bytes of the events that is."""
    try:
        head, _, rest = cache_file(paths).read_bytes().partition(b"\n")
        kept = _Kept.model_validate_json(head)
        if kept.format != _FORMAT or zlib.crc32(rest) != kept.checksum or not kept.extent.fits(paths.events):
            return None
        return HistoryReader(_history_of(kept, memoryview(rest)), kept.unreadable_lines), kept.extent.bytes
    except (OSError, ValueError):
        return None


def _history_of(kept: _Kept, columns: memoryview) -> History:
    """Raises ValueError when the columns are not as long as they are said to be."""
    history = History(**{name: getattr(kept, name) for name in _AS_THEY_ARE})
    history.logs = deque((LogEntry(*entry) for entry in kept.logs), LOG_LINES_KEPT)
    if sum(16 * column.points for column in kept.columns) != len(columns):
        raise ValueError("columns are missing")
    place = 0
    for column in kept.columns:
        middle, end = place + 8 * column.points, place + 16 * column.points
        curve = Curve()
        curve.steps.frombytes(columns[place:middle])
        curve.values.frombytes(columns[middle:end])
        history.curves.put(column.name, curve)
        place = end
    return history


def _keep(paths: RunPaths, found: WholeHistory) -> None:
    history, curves = found.history, found.history.curves
    columns = {name: curves.column(name) for name in curves.names}
    data = b"".join(part for curve in columns.values() for part in (curve.steps.tobytes(), curve.values.tobytes()))
    kept = _Kept(
        format=_FORMAT,
        extent=Extent.of(paths.events, found.tail.offset),
        checksum=zlib.crc32(data),
        columns=[_Columns(name=name, points=len(curve)) for name, curve in columns.items()],
        unreadable_lines=found.unreadable_lines,
        logs=[(entry.time, entry.level, entry.message) for entry in history.logs],
        **{name: getattr(history, name) for name in _AS_THEY_ARE},
    )
    _replace(cache_file(paths), kept.model_dump_json().encode() + b"\n" + data)


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
