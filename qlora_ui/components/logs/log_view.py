"""A job's log: it opens at its end, more is read as a person scrolls, and the whole file can be searched."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from nicegui import background_tasks
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.components.events import listen, throttled
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.log_lines import LEVELS, LogEntry
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.logs.log_file import MATCHES_COUNTED, LogFile, LogPage
from qlora_ui.jobs.logs.search_thread import in_turn
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number

LINES_AT_ONCE = 200
LINES_KEPT = 2_000
"""In the browser; when there are more, those that are furthest from where a person reads leave."""
CONTEXT = 60
"""Lines before and after a match that is gone to."""
_LATE_S = 0.5
"""A worker writes the line down just after the event that tells of it."""

Line = tuple[int, int, str, str]
"""Byte in the file, milliseconds since 1970, level, message: the browser shows its own local time."""


@dataclass
class Search:
    """What is looked for, and which of the matches is shown."""

    text: str = ""
    places: tuple[int, ...] = ()
    """The bytes at which the matches begin that are known so far, the oldest first; the newest matches are known."""
    has_older: bool = False
    count: int = 0
    """In the whole file, counted up to `MATCHES_COUNTED`."""
    at: int = -1
    """The index of the shown one in `places`."""

    @property
    def number(self) -> int:
        """The shown match, counted from the newest, which is 1."""
        return len(self.places) - self.at


class LogLines(Element, component="log_view.js"):
    """Lines of a log in a box of fixed height, which follows the end until a person scrolls up or goes to a match.

    `on_search` is told when another match is shown or another text is looked for.
    """

    def __init__(self, job: Job, label: str) -> None:
        super().__init__()
        self._file = LogFile(job.paths)
        self._levels: tuple[str, ...] = LEVELS
        self._last: int | None = None
        """Where the last shown line begins; None while the shown lines do not reach the end of the log."""
        self._is_busy = False
        self.search = Search()
        self.on_search: Callable[[], None] = lambda: None
        self._props.update({"label": label, "nothing": _("No line yet."), "limit": LINES_KEPT})
        self._props["words"] = {"older": _("Loading earlier lines …"), "start": _("The log begins here.")}
        self.on("ready", self.show_end, [])
        self.on("older", self._show_older)
        self.on("newer", self._show_newer)
        self._look = throttled(self, self._start_looking, seconds=0.7)
        with self:
            listen(job.log_added, lambda _entry: self._look())

    async def show_end(self) -> None:
        """Show the last lines of the chosen levels, and follow what is added."""
        page = await self._read(lambda: self._file.tail(LINES_AT_ONCE, levels=self._levels))
        if page is not None:
            self._last = page.entries[-1][0] if page.entries else -1
            self.run_method("replace", _lines(page.entries), page.at_start)

    async def show_levels(self, levels: tuple[str, ...]) -> None:
        """Show lines of these levels only."""
        self._levels = levels
        if self.search.text:
            await self.find(self.search.text)
        else:
            await self.show_end()

    async def find(self, text: str) -> None:
        """Look for a text in the whole log and go to its newest match; an empty text ends the search."""
        self.search = Search(text.strip())
        self.run_method("mark", self.search.text)
        if self.search.text:
            await self._find_older()
            self.search.at = len(self.search.places) - 1
            await self._go()
        else:
            await self.show_end()
        self.on_search()

    async def step(self, by: int) -> None:
        """Go to the next older match (−1) or the next newer one (1); beyond the last there is nothing to go to."""
        search = self.search
        if by < 0 and search.at == 0 and search.has_older:
            before = len(search.places)
            await self._find_older()
            search.at += len(search.places) - before
        place = search.at + by
        if 0 <= place < len(search.places):
            search.at = place
            await self._go()
            self.on_search()

    # ---- reading ----

    async def _find_older(self) -> None:
        search = self.search
        before = search.places[0] if search.places else None

        def look() -> LogPage | None:
            if search is not self.search or self.is_deleted:  # while it waited for its turn
                return None
            return self._file.search(search.text, levels=self._levels, before=before)

        page = await self._read(look, in_turn)
        if page is not None and search is self.search:
            search.places = (*(place for place, _entry in page.entries), *search.places)
            search.has_older, search.count = not page.at_start, page.count

    async def _go(self) -> None:
        """Show the match with the lines around it."""
        if not 0 <= self.search.at < len(self.search.places):
            return
        place, levels = self.search.places[self.search.at], self._levels

        def read() -> tuple[list[tuple[int, LogEntry]], list[tuple[int, LogEntry]], bool]:
            before = self._file.tail(CONTEXT, before=place, levels=levels)
            return before.entries, self._file.following(place, CONTEXT, levels=levels), before.at_start

        found = await self._read(read)
        if found is not None:
            before, after, at_start = found
            self._last = after[-1][0] if len(after) < CONTEXT else None
            self.run_method("replace", _lines([*before, *after]), at_start, place)

    async def _show_older(self, event: GenericEventArguments) -> None:
        before, levels = int(event.args), self._levels
        page = await self._read(lambda: self._file.tail(LINES_AT_ONCE, before=before, levels=levels))
        if page is not None and levels == self._levels:
            self.run_method("prepend", _lines(page.entries), page.at_start, before)

    async def _show_newer(self, event: GenericEventArguments) -> None:
        """The person has come to the end of lines that do not reach the end of the log."""
        await self._append(int(event.args))

    def _start_looking(self) -> None:
        if self._last is not None and not self._is_busy and self.client.has_socket_connection:
            background_tasks.create(self._follow(), name="follow a log", context=self.client)

    async def _follow(self) -> None:
        self._is_busy = True
        try:
            if not await self._append(self._last if self._last is not None else -1):
                await asyncio.sleep(_LATE_S)
                await self._append(self._last if self._last is not None else -1)
        finally:
            self._is_busy = False

    async def _append(self, last: int) -> bool:
        """Show what follows the line at a byte; False when there is nothing."""
        levels = self._levels
        added = await self._read(lambda: self._file.following(last + 1, LINES_AT_ONCE, levels=levels))
        if not added or levels != self._levels:
            return False
        self._last = added[-1][0]
        self.run_method("append", _lines(added), last)
        return True

    async def _read(
        self, read: Callable[[], Any], in_thread: Callable[[Callable[[], Any]], Awaitable[Any]] = asyncio.to_thread
    ) -> Any:
        """In a thread. None when the page has gone meanwhile, or when it cannot be read, which is then said."""
        try:
            found = await in_thread(read)
        except WorkspaceError as error:
            if not self.is_deleted:
                self.run_method("say", sentence(error.message))
            return None
        return None if self.is_deleted else found


def count_words(search: Search) -> str:
    """Which match of how many is shown; empty while nothing is looked for."""
    if not search.text:
        return ""
    if not search.count:
        return _("no match")
    places = {"number": number(search.number), "count": number(search.count)}
    if search.count >= MATCHES_COUNTED:
        return _("{number} of {count} or more", **places)
    return _("{number} of {count}", **places)


def _lines(entries: list[tuple[int, LogEntry]]) -> list[Line]:
    return [(place, int(entry.time.timestamp() * 1000), entry.level, entry.message) for place, entry in entries]
