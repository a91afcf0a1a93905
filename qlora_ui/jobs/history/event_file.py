"""A run's `events.jsonl` as readers meet it: growing, torn by a crash, or too long to be read for one figure."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from qlora_ui.contract.events import Event, parse_event

BLOCK_BYTES = 256 << 10
LONGEST_LINE_BYTES = 16 << 20
"""A longer line is no event but garbage: it is passed over, for nobody has the memory to wait for its end."""
OUTLINE_BYTES = 64 << 10
FINGERPRINT_BYTES = 4096

_HEAD_BYTES = 96
"""The type of an event stands within these, after its number and its time."""


class Extent(BaseModel):
    """The part of a growing file, from its beginning, that something was made of."""

    model_config = ConfigDict(frozen=True)

    bytes: int
    """Whole lines only."""
    changed_at: int
    """When the file was last written to [ns since 1970]; it counts for as long as the file has not grown."""
    fingerprint: str
    """Of the last of those bytes."""

    @classmethod
    def of(cls, path: Path, end: int) -> Self:
        """The first `end` bytes of a file. Raises OSError."""
        with path.open("rb", buffering=0) as file:
            start = max(0, end - FINGERPRINT_BYTES)
            last = os.pread(file.fileno(), end - start, start)
            changed_at = os.fstat(file.fileno()).st_mtime_ns
        return cls(bytes=end, changed_at=changed_at, fingerprint=hashlib.sha256(last).hexdigest())

    def fits(self, path: Path) -> bool:
        """The file still begins with what was read of it, as far as its end and its time tell. Raises OSError."""
        size, now = path.stat().st_size, self.of(path, self.bytes)
        is_untouched = size > self.bytes or now.changed_at == self.changed_at
        return size >= self.bytes and now.fingerprint == self.fingerprint and is_untouched


class EventTail:
    """Reads `events.jsonl` as it grows: whole lines only, each once."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        """Begins with the line at the byte `offset`."""
        self._path = path
        self.offset = offset
        """Where the next line begins."""
        self.unreadable_lines = 0
        self._passes_over = False
        """The next bytes still belong to a line that is too long."""

    def read(self, limit_bytes: int = BLOCK_BYTES) -> list[Event]:
        """Events written since the last call, from about `limit_bytes` at once; none when there is nothing new."""
        while lines := self.read_lines(limit_bytes):
            if found := self._parse(lines):
                return found
        return []

    def read_lines(self, limit_bytes: int = BLOCK_BYTES) -> bytes:
        """The lines written since the last call, about `limit_bytes` of them at once, as they are."""
        try:
            with self._path.open("rb", buffering=0) as file:
                while len(block := os.pread(file.fileno(), limit_bytes, self.offset)) == limit_bytes or b"\n" in block:
                    if lines := self._whole_lines(block):
                        return lines
                    limit_bytes = min(2 * limit_bytes, LONGEST_LINE_BYTES)  # a line may be longer than a block
        except FileNotFoundError:
            pass
        return b""

    def _whole_lines(self, block: bytes) -> bytes:
        """The lines of a block that end in it, but for the end of one that is passed over."""
        whole = block.rfind(b"\n") + 1
        if not whole and len(block) >= LONGEST_LINE_BYTES:
            self.offset += len(block)
            self.unreadable_lines += not self._passes_over
            self._passes_over = True
        elif whole:
            self.offset += whole
            first, self._passes_over = block.find(b"\n") + 1 if self._passes_over else 0, False
            return block[first:whole]
        return b""

    def _parse(self, lines: bytes) -> list[Event]:
        found: list[Event] = []
        if not may_hold_events(lines):
            self.unreadable_lines += count_unreadable(lines)
            return found
        for line in lines.split(b"\n"):
            try:
                if is_event(line):
                    found.append(parse_event(line))
                else:
                    self.unreadable_lines += bool(line.strip())
            except ValidationError:  # a line torn by a crash, or a newer version's event: counted, shown, never fatal
                self.unreadable_lines += 1
        return found


def may_hold_events(lines: bytes) -> bool:
    """False for lines of which none is an event, which a gigabyte of garbage is told from in a second."""
    return b'"type"' in lines


def count_unreadable(garbage: bytes) -> int:
    """How many lines hold something; about, for neither blanks nor the lines of a gigabyte are worth an object each."""
    return garbage.count(b"\n") - garbage.count(b"\n\n") if garbage.strip() else 0


def is_progress(line: bytes) -> bool:
    """The line is a whole progress event, as far as can be told without parsing it."""
    return line.find(b'"type":"progress"', 0, _HEAD_BYTES) > 0 and line.endswith(b"}")


def is_event(line: bytes) -> bool:
    """The line may be worth parsing: a file can hold a gigabyte of those that are not."""
    return line.startswith(b"{")


def read_outline(path: Path) -> list[Event]:
    """The first event, the newest progress and the last event: how far a past run came, without reading all of it."""
    try:
        with path.open("rb") as file:
            first = file.readline(OUTLINE_BYTES)
            file.seek(max(0, file.seek(0, os.SEEK_END) - OUTLINE_BYTES))
            tail = file.read().splitlines()
    except FileNotFoundError:
        return []
    progress = [line for line in tail if b'"type":"progress"' in line][-1:]
    found: list[Event] = []
    for line in (first, *progress, *tail[-1:]):
        try:
            found.append(parse_event(line))
        except ValidationError:
            continue
    return found
