"""`qlora-ui jobs logs`: the log of a run, all of it or a choice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, dropwhile

from qlora_ui import console
from qlora_ui.cli.follow import following
from qlora_ui.cli.show_jobs import full_id, local_time
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.log_lines import LEVELS, LogEntry
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.jobs.logs.log_file import MATCHES_COUNTED, LogFile

PAGE = 10_000
"""Entries that are read at once."""
FOLLOW_SECONDS = 0.3

Entries = list[tuple[int, LogEntry]]
"""Each with the byte at which it begins."""


@dataclass(frozen=True)
class Choice:
    """Which entries are wanted."""

    search: str = ""
    level: str = "info"
    """This one, or a graver one."""
    tail: int | None = None
    follow: bool = False

    @property
    def levels(self) -> tuple[str, ...]:
        return LEVELS[LEVELS.index(self.level) :]

    @property
    def is_everything(self) -> bool:
        return self == Choice()

    def fits(self, entry: LogEntry) -> bool:
        return entry.level in self.levels and self.search.casefold() in entry.message.casefold()


async def logs(workspace: Workspace, run_id: str, choice: Choice, *, as_json: bool) -> int:
    """The log of one run: its events in words; all of it comes with what its process printed.

    JSON is a list; with `follow` it is an object a line, as it comes.
    """
    paths = workspace.run(full_id(workspace, run_id))
    log = LogFile(paths)
    if choice.follow:
        return await _follow(workspace, paths, choice, as_json=as_json)
    if as_json:
        entries = [entry for page in _pages(log, choice) for _, entry in page]
        console.say(json.dumps([_plain(entry) for entry in entries], ensure_ascii=False, indent=1))
        return 0
    for page in _pages(log, choice):
        for _, entry in page:
            console.say(_line(entry))
    if choice.is_everything:
        _show_console(paths)
    return 0


def _pages(log: LogFile, choice: Choice) -> Iterator[Entries]:
    """The wanted entries, the oldest first."""
    if choice.search:
        yield log.search(choice.search, levels=choice.levels, limit=choice.tail or MATCHES_COUNTED).entries
    elif choice.tail:
        yield log.tail(choice.tail, levels=choice.levels).entries
    else:
        start = 0
        while page := log.following(start, PAGE, levels=choice.levels):
            yield page
            start = page[-1][0] + 1


async def _follow(workspace: Workspace, paths: RunPaths, choice: Choice, *, as_json: bool) -> int:
    """What is there, then what is added, until the run has ended."""
    log = LogFile(paths)

    def show(entries: Iterable[LogEntry]) -> None:
        for entry in entries:
            console.say(json.dumps(_plain(entry), ensure_ascii=False) if as_json else _line(entry))

    async with following(workspace, launch=False) as jobs:
        job = jobs.get(paths.id)
        newest = log.tail(1).entries
        start = newest[-1][0] + 1 if newest else 0
        show(entry for page in _pages(log, choice) for place, entry in page if place < start)
        while True:
            has_ended = job.status.is_final  # asked before the reading, which then misses nothing
            while page := log.following(start, PAGE):
                start = page[-1][0] + 1
                show(entry for _, entry in page if choice.fits(entry))
            if has_ended:
                return 0
            await asyncio.sleep(FOLLOW_SECONDS)
            await jobs.refresh()
            if jobs.jobs.get(job.id) is not job:
                raise JobError(f"{job.name} was deleted.")


def _plain(entry: LogEntry) -> dict[str, str]:
    return {"time": entry.time.isoformat(), "level": entry.level, "message": entry.message}


def _line(entry: LogEntry) -> str:
    return f"{local_time(entry.time)}  {entry.level.upper() if entry.level != 'info' else ''} {entry.message}"


def _show_console(paths: RunPaths) -> None:
    if not paths.console.is_file():
        return
    with paths.console.open(encoding="utf-8", errors="replace") as lines:  # it may be longer than the memory
        printed = dropwhile(lambda line: not line.strip(), lines)
        if (first := next(printed, None)) is not None:
            console.say("\nWhat its process printed:")
            for line in chain([first], printed):
                console.say(line.rstrip())
