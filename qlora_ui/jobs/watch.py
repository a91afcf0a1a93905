"""Looks at run folders and says what is new. Runs in a thread: nothing here touches a live job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Event, Started
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import ExitRecord, JobRecord, JobStatus, ProcessIdentity
from qlora_ui.jobs.history import History
from qlora_ui.jobs.run_folder import (
    EventTail,
    read_command,
    read_exit,
    read_parameters_of,
    read_record,
    status_of,
)

LAUNCH_GRACE_SECONDS = 20.0
"""For so long a run that was launched, but whose process is not known yet, counts as alive."""


@dataclass
class Observation:
    """What one look at a run folder found."""

    record: JobRecord
    status: JobStatus
    ended: ExitRecord | None
    process: ProcessIdentity | None
    new_events: list[Event] = field(default_factory=list)
    history: History | None = None
    """All events, when they were read for the first time."""
    asked_seconds_ago: float | None = None
    """Since when a stop or pause waits to be obeyed."""


class RunWatch:
    """Follows one run folder."""

    def __init__(self, paths: RunPaths) -> None:
        """Raises WorkspaceError when the folder cannot be read."""
        self.paths = paths
        self.record = read_record(paths)
        self.parameters: JobParameters = read_parameters_of(paths, self.record)
        self._tail = EventTail(paths.events)
        self._started: Started | None = None
        self._history_read = False
        self._stamp: tuple[int, int] | None = None
        self._asked_at: float | None = None
        self._settled = False

    def observe(self, *, thoroughly: bool = False) -> Observation | None:
        """What is new, or None. `thoroughly` reads the history of a completed run too.

        Raises WorkspaceError when the folder has gone or is damaged.
        """
        stamp = _stamp(self.paths)
        if self._settled and stamp == self._stamp and not (thoroughly and not self._history_read):
            return None
        if stamp != self._stamp:
            self.record, self._stamp = read_record(self.paths), stamp
        observation = Observation(self.record, JobStatus.PENDING, None, None)
        if self._history_read or thoroughly or not self._is_complete():
            self._read_events(observation)
        observation.process = self._process()
        alive = self.record.state == "launched" and self._is_alive(observation.process)
        observation.ended = read_exit(self.paths)
        observation.status = status_of(self.record, alive=alive, ended=observation.ended)
        if observation.status.is_final and self._history_read:
            observation.new_events += self._tail.read()  # what it said between the first reading and its death
        observation.asked_seconds_ago = self._asked_seconds_ago(observation.status)
        self._settled = observation.status is not JobStatus.RUNNING
        return observation

    def _is_complete(self) -> bool:
        ended = read_exit(self.paths)
        return status_of(self.record, alive=False, ended=ended) is JobStatus.COMPLETED

    def _read_events(self, observation: Observation) -> None:
        found = self._tail.read()
        if not self._history_read:
            history = History()
            while found:
                for event in found:
                    history.apply(event)
                found = self._tail.read()
            observation.history, self._history_read = history, True
            self._started = history.started
        for event in found:
            if isinstance(event, Started):
                self._started = event
        observation.new_events = found

    def _process(self) -> ProcessIdentity | None:
        """Who works on the run: as the worker says, else as its launcher wrote down."""
        if self._started is not None and self._started.attempt == self.record.attempt:
            return self._started.process
        return self.record.process

    def _is_alive(self, process: ProcessIdentity | None) -> bool:
        if process is not None:
            return process.is_alive
        return time.time() - self.paths.job.stat().st_mtime < LAUNCH_GRACE_SECONDS

    def _asked_seconds_ago(self, status: JobStatus) -> float | None:
        command = read_command(self.paths) if status is JobStatus.RUNNING else None
        if command is None or command.attempt != self.record.attempt:
            self._asked_at = None
            return None
        self._asked_at = self._asked_at or time.monotonic()
        return time.monotonic() - self._asked_at


def find_runs(workspace: Workspace) -> set[str]:
    """The names of all run folders."""
    if not workspace.runs.is_dir():
        return set()
    return {entry.name for entry in workspace.runs.iterdir() if not entry.name.startswith(".") and entry.is_dir()}


def _stamp(paths: RunPaths) -> tuple[int, int]:
    """Changes with each new version of the record: it is replaced as a whole."""
    try:
        status = paths.job.stat()
    except OSError as error:
        raise WorkspaceError(f"The run folder {paths.folder} cannot be read: {error.strerror}.") from error
    return status.st_mtime_ns, status.st_ino
