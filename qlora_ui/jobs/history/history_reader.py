"""A history from its events at once: the steps of a long run are taken in by columns, without an object for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson
from pydantic import ValidationError

from qlora_ui.contract.events import parse_event
from qlora_ui.contract.log_lines import LogEntry, entry_of, shortened
from qlora_ui.jobs.history.event_file import is_event, is_metric, is_progress
from qlora_ui.jobs.history.history import LOG_LINES_KEPT, History


class HistoryReader:
    """Folds lines of `events.jsonl` into a history, just as `History.apply` would one by one.

    Most of them are metrics, which wait until there are many, and progress, of which the newest counts. The lines of
    the log are worded at the end, when it is known which of them are kept.
    """

    def __init__(self, history: History | None = None, unreadable_lines: int = 0) -> None:
        """Goes on from what is in a history already."""
        self._history = history or History()
        self._log: deque[LogEntry | bytes] = deque(self._history.logs, LOG_LINES_KEPT)
        self._metrics: list[bytes] = []
        self._progress = b""
        self._progress_is_last = False
        self.unreadable_lines = unreadable_lines

    def read(self, block: bytes) -> None:
        """Take in whole lines."""
        for line in block.split(b"\n"):
            if is_progress(line):
                self._progress, self._progress_is_last = line, True
            elif is_metric(line):
                self._metrics.append(line)
                self._progress_is_last = False
            elif is_event(line):
                self._settle()
                self._apply(line)
            elif line.strip():
                self.unreadable_lines += 1
        self._settle()

    def finish(self) -> History:
        """The history with all that was read."""
        entries = (line if isinstance(line, LogEntry) else _worded(line) for line in self._log)
        self._history.logs = deque((entry for entry in entries if entry is not None), LOG_LINES_KEPT)
        return self._history

    def _settle(self) -> None:
        """Take in what waits."""
        metrics, self._metrics = self._metrics, []
        progress, self._progress = self._progress, b""
        if progress and not self._progress_is_last:
            self._apply(progress)
        if metrics:
            self._take_in(metrics[:-1])
            self._apply(metrics[-1])
        if progress and self._progress_is_last:
            self._apply(progress)

    def _take_in(self, metrics: list[bytes]) -> None:
        try:
            told = orjson.loads(b"[" + b",".join(metrics) + b"]")
            if len(told) != len(metrics):
                raise ValueError("torn lines that go together")
            for names, alike in groupby(told, _names):
                self._add(names, list(alike))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):  # some of them are no such metrics
            for line in metrics:
                self._apply(line)
        else:
            self._log.extend(metrics)

    def _add(self, names: tuple[str, ...], told: list[dict[str, Any]]) -> None:
        columns = zip(*(one["values"].values() for one in told), strict=True)
        self._history.curves.extend([*map(_step, told)], dict(zip(names, columns, strict=True)))

    def _apply(self, line: bytes) -> None:
        try:
            entry = self._history.apply(parse_event(line))
        except ValidationError:  # a line torn by a crash, or a newer version's event: counted, shown, never fatal
            self.unreadable_lines += 1
            return
        if entry is not None:
            self._log.append(entry)


def _worded(metric: bytes) -> LogEntry | None:
    """The line of the log; None as well where only the time, which no curve needs, cannot be read."""
    try:
        entry = entry_of(parse_event(metric))
        return None if entry is None else shortened(entry)
    except ValidationError:
        return None


_step: Callable[[dict[str, Any]], int] = itemgetter("step")


def _names(told: dict[str, Any]) -> tuple[str, ...]:
    return tuple(told["values"])
