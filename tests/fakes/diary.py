"""What scripted workers really did, what servers took for true, and what was done to both: in the order of events."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qlora_ui.contract.records import JobStatus

SAID_BY_WORKERS: set[str] = {JobStatus.COMPLETED, JobStatus.FAILED}
"""What nothing but the worker's own end makes of a run."""


@dataclass(frozen=True)
class Entry:
    """One line."""

    run: str
    attempt: int
    pid: int
    what: str
    """Of a worker: `starts`, `ends` (it is about to write its end), `ended`. Of a server: `seen`, with a status. Of the
    test: `killed`, a worker, and `server killed`."""
    status: str = ""


class Diary:
    """The file that they all append to."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.touch()

    def note(self, what: str, *, run: str = "", pid: int = 0) -> None:
        """Add a line of the test's own."""
        with self.file.open("ab", buffering=0) as opened:
            entry = {"run": run, "attempt": 0, "pid": pid, "what": what, "status": ""}
            opened.write(json.dumps(entry).encode() + b"\n")

    def entries(self) -> list[Entry]:
        return [Entry(**json.loads(line)) for line in self.file.read_bytes().splitlines()]

    def end_of(self, run: str, attempt: int, *, exit_is_there: bool) -> JobStatus:
        """How an attempt that is over must be shown, by what its worker did."""
        told = {e.what: e.status for e in self.entries() if (e.run, e.attempt) == (run, attempt) and e.what != "seen"}
        if "ended" in told:
            return JobStatus(told["ended"])
        return JobStatus(told["ends"]) if exit_is_there and "ends" in told else JobStatus.INTERRUPTED

    def ended_attempts(self, run: str) -> set[int]:
        """The attempts of a run whose workers wrote their end."""
        return {e.attempt for e in self.entries() if e.run == run and e.what == "ended"}

    def errors(self) -> Iterator[str]:
        """Everything that a server took for true and was not, a sentence each."""
        entries = self.entries()
        ended = {(e.run, e.attempt): e.status for e in entries if e.what == "ended"}
        said: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        may_be_gone: set[str] = set()
        for entry in entries:
            if entry.what in {"killed", "ends"}:
                may_be_gone.add(entry.run)
                said[entry.run, entry.attempt].add(entry.status)
            elif entry.what == "server killed":
                may_be_gone.add("")
            elif entry.what == "starts":
                may_be_gone -= {entry.run}
            elif entry.what == "seen" and entry.status == JobStatus.INTERRUPTED:
                if (entry.run, entry.attempt) in ended:
                    yield f"{entry.run} was called interrupted, and ended as {ended[entry.run, entry.attempt]}."
                if not may_be_gone & {entry.run, ""}:
                    yield f"{entry.run} was called interrupted while its worker was at work."
            elif entry.what == "seen" and entry.status in SAID_BY_WORKERS - said[entry.run, entry.attempt]:
                yield f"{entry.run} was called {entry.status} before its worker said so."
