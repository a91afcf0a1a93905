"""A history from its events at once: the steps of a long run are taken in by columns, without an object for each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from pydantic import ValidationError

from qlora_ui.contract.events import parse_event
from qlora_ui.contract.log_lines import MACHINE_FIGURES, LogEntry, entry_of, shortened
from qlora_ui.jobs.history.event_file import count_unreadable, is_event, may_hold_events
from qlora_ui.jobs.history.history import LOG_LINES_KEPT, History
from qlora_ui.jobs.history.step_lines import StepLines, stretches


class HistoryReader:
    """Folds lines of `events.jsonl` into a history, just as `History.apply` would one by one.

    Most of them are metrics and progress, which are taken in by the stretch. The lines of the log are worded at the
    end, when it is known which of them are kept.
    """

    def __init__(self, history: History | None = None, unreadable_lines: int = 0) -> None:
        """Goes on from what is in a history already."""
        self._history = history or History()
        self._log: deque[tuple[int, LogEntry | bytes]] = deque((1, entry) for entry in self._history.logs)
        """Each with the number of log lines that it makes: an entry, or lines of steps."""
        self._log_lines = len(self._log)
        self.unreadable_lines = unreadable_lines

    def read(self, block: bytes) -> None:
        """Take in whole lines."""
        if not may_hold_events(block):
            self.unreadable_lines += count_unreadable(block)
            return
        for lines in stretches(block if block.endswith(b"\n") else block + b"\n"):
            if isinstance(lines, StepLines):
                self._take_in(lines)
            else:
                self._apply(lines)

    def finish(self) -> History:
        """The history with all that was read."""
        newest = [*islice(self._newest_entries(), LOG_LINES_KEPT)]
        self._history.logs = deque(reversed(newest), LOG_LINES_KEPT)
        return self._history

    def _take_in(self, lines: StepLines) -> None:
        try:
            measured = lines.figures()
        except (ValueError, TypeError, OverflowError):  # some of them are no such metrics
            for line in lines.raw.split(b"\n"):
                self._apply(line)
            return
        for figures in measured:
            self._history.curves.extend(figures.steps, figures.columns)
        for line in lines.newest:
            self._history.apply(parse_event(line))
        self._history.seq = max(self._history.seq, lines.highest_seq)
        news = sum(len(figures.steps) for figures in measured if not figures.columns.keys() <= MACHINE_FIGURES)
        self._note(news, lines.raw)

    def _apply(self, line: bytes) -> None:
        try:
            entry = self._history.apply(parse_event(line)) if is_event(line) else None
            self.unreadable_lines += bool(line.strip()) and not is_event(line)
        except ValidationError:  # a line torn by a crash, or a newer version's event: counted, shown, never fatal
            self.unreadable_lines += 1
            return
        if entry is not None:
            self._note(1, entry)

    def _note(self, news: int, told: LogEntry | bytes) -> None:
        """Keep it for the log, in place of older ones that are not needed any more."""
        if not news:
            return
        self._log.append((news, told))
        self._log_lines += news
        while self._log_lines - self._log[0][0] >= LOG_LINES_KEPT:
            self._log_lines -= self._log.popleft()[0]

    def _newest_entries(self) -> Iterator[LogEntry]:
        """The newest first."""
        for _, told in reversed(self._log):
            if isinstance(told, LogEntry):
                yield told
                continue
            for line in reversed(told.splitlines()):
                if (entry := entry_of(parse_event(line))) is not None:
                    yield shortened(entry)
