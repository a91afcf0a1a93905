"""A run's log on the disk, read in blocks: a million lines are no more to open than a hundred.

None of it is for the event loop: call it in a thread.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.log_lines import INDENT, LEVELS, LogEntry, parse_entry, shortened
from qlora_ui.contract.paths import RunPaths
from qlora_ui.jobs.logs.derived_log import log_of
from qlora_ui.jobs.logs.log_query import NEXT_ENTRY, LogQuery, RawEntry

MATCHES_COUNTED = 100_000
BLOCK_BYTES = 256 << 10
"""Read and searched at once: long enough to be fast, short enough to leave other threads their turns."""
LONGEST_ENTRY_BYTES = 16 << 20
"""What is longer without an entry in it is garbage, and passed over."""


@dataclass(frozen=True)
class LogPage:
    """Some entries in a row, the oldest first."""

    entries: list[tuple[int, LogEntry]]
    """Each with the byte at which it begins in the file."""
    at_start: bool
    """No older entry is to be had."""
    count: int = 0
    """Of a search: how many entries match in the whole file, counted up to `MATCHES_COUNTED`."""


class LogFile:
    """The log of one run, at work or past. Its methods raise WorkspaceError when the log cannot be read."""

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths

    def tail(self, limit: int, *, before: int | None = None, levels: Collection[str] = LEVELS) -> LogPage:
        """The last `limit` entries of these levels that begin before the byte `before`, by default of the whole log."""
        query = LogQuery(levels)
        found: list[RawEntry] = []
        with self._opened() as file:
            for start, block in _blocks_before(file, before):
                found += reversed(query.entries(start, block))
                if len(found) > limit:
                    break
        return LogPage(_parsed(reversed(found[:limit])), at_start=len(found) <= limit)

    def following(self, start: int, limit: int, *, levels: Collection[str] = LEVELS) -> list[tuple[int, LogEntry]]:
        """The first `limit` entries of these levels that begin at the byte `start` or later."""
        query = LogQuery(levels)
        found: list[RawEntry] = []
        with self._opened() as file:
            for place, block in _blocks_from(file, max(0, start)):
                found += query.entries(place, block)
                if len(found) >= limit:
                    break
        return _parsed(found[:limit])

    def search(
        self, text: str, *, levels: Collection[str] = LEVELS, limit: int = 200, before: int | None = None
    ) -> LogPage:
        """The last `limit` entries before the byte `before` whose message holds a text, in capitals or not.

        All matches in the file are counted, wherever the page ends. An empty text is in every message.
        """
        query, count = LogQuery(levels, text), 0
        found: list[RawEntry] = []
        with self._opened() as file:
            for start, block in _blocks_before(file, None):
                matches = query.entries(start, block)
                count = min(count + len(matches), MATCHES_COUNTED)
                if len(found) <= limit:  # one more than is shown tells that there are older ones
                    found += [raw for raw in reversed(matches) if before is None or raw[0] < before]
                elif count == MATCHES_COUNTED:
                    break
        return LogPage(_parsed(reversed(found[:limit])), at_start=len(found) <= limit, count=count)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The file, or an empty one where there is no log yet."""
        try:
            with (log_of(self._paths) or Path(os.devnull)).open("rb", buffering=0) as file:
                yield file.fileno()
        except OSError as error:
            raise WorkspaceError(f"The log in {self._paths.folder} cannot be read: {error.strerror}.") from error


def _blocks_before(file: int, before: int | None) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole entries with their places in the file, the last block first."""
    end, size = os.fstat(file).st_size, BLOCK_BYTES
    end = end if before is None else max(0, min(before, end))
    while end > 0:
        start = max(0, end - size)
        block = os.pread(file, end - start, start)
        beginning = NEXT_ENTRY.search(block) if start else None
        if start and beginning is None:
            end, size = (end, size * 2) if size < LONGEST_ENTRY_BYTES else (start, BLOCK_BYTES)
            continue
        cut = beginning.end() if beginning else 0
        yield start + cut, block[cut:]
        end, size = start + cut, BLOCK_BYTES


def _blocks_from(file: int, start: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole entries with their places in the file, onwards from a byte."""
    size = BLOCK_BYTES
    while block := os.pread(file, size, start):
        is_last = len(block) < size
        end = len(block) if is_last else max((match.end() for match in NEXT_ENTRY.finditer(block)), default=0)
        if end == 0:
            start, size = (start, size * 2) if size < LONGEST_ENTRY_BYTES else (start + size, BLOCK_BYTES)
            continue
        yield start, block[:end]
        start, size = start + end, BLOCK_BYTES


def _parsed(entries: Iterator[RawEntry] | list[RawEntry]) -> list[tuple[int, LogEntry]]:
    """The entries in words; what a crash tore is left out."""
    found = []
    for place, raw in entries:
        head, *rest = raw.removesuffix(b"\n").split(b"\n")
        if (entry := parse_entry(head)) is not None:
            more = [line[len(INDENT) :].decode(errors="replace") for line in rest if line.startswith(INDENT.encode())]
            found.append((place, shortened(LogEntry(entry.time, entry.level, "\n".join([entry.message, *more])))))
    return found
