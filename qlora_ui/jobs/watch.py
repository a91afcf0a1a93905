"""Looks at run folders and says what is new. Runs in a thread: nothing here touches a live job."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qlora_ui.contract.checkpoints import all_of, step_of
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Event, Started
from qlora_ui.contract.log_lines import LogEntry
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import Command, ExitRecord, JobRecord, JobStatus
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.history.event_file import EventTail, read_outline
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.history.history_cache import WholeHistory, read_history
from qlora_ui.jobs.run_folder import (
    read_command,
    read_exit,
    read_parameters_of,
    read_record,
    status_of,
)

LAUNCH_GRACE_SECONDS = 20.0
"""For so long a run that was launched, but whose process is not known yet, counts as alive."""
MANY_EVENTS = 1_000
"""So many at once are shown as a new history, in place of one by one, which would hold up the event loop."""


@dataclass
class Observation:
    """What one look at a run folder found."""

    record: JobRecord
    status: JobStatus
    ended: ExitRecord | None = None
    process: ProcessIdentity | None = None
    new_events: list[Event] = field(default_factory=list)
    history: History | None = None
    """What was read in place of single events: everything, or an outline of a run that is not at work."""
    is_whole: bool = True
    asked: Command | None = None
    """A stop or pause that waits to be obeyed."""
    asked_seconds_ago: float = 0.0
    checkpoint: int | None = None
    """The step of the last whole checkpoint that a stopped or interrupted run left; not looked for otherwise."""


@dataclass
class Look:
    """What one look at the run folders found."""

    found: list[tuple[RunWatch, Observation]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)
    """Name of the folder → why it cannot be read, in words."""


def look_at(workspace: Workspace, known: Mapping[str, RunWatch], names: Collection[str] | None = None) -> Look:
    """Look at the run folders of these names, or at all that there are.

    Raises WorkspaceError when the folder of the runs cannot be read.
    """
    look = Look()
    if names is None:
        names = find_runs(workspace)
        look.gone = set(known) - names
    for name in sorted(names):
        try:
            watch = known.get(name) or RunWatch(workspace.run(name))
            if (observation := watch.observe()) is not None:
                look.found.append((watch, observation))
        except (WorkspaceError, OSError, ValueError) as error:
            if (workspace.runs / name).is_dir():
                look.unreadable[name] = _why_unreadable(workspace.runs / name, error)
            elif name in known:
                look.gone.add(name)
    return look


def _why_unreadable(folder: Path, error: Exception) -> str:
    """In words, with what to do."""
    if isinstance(error, WorkspaceError):
        return str(error)
    if isinstance(error, OSError):
        return f"The run folder {folder} cannot be read: {error.strerror}. Look at its rights and at the disk."
    return f"The folder {folder} has a name that no run has. Move it out of the runs."


class RunWatch:
    """Follows one run folder."""

    def __init__(self, paths: RunPaths) -> None:
        """Raises WorkspaceError when the folder cannot be read."""
        self.paths = paths
        self._record_file = str(paths.job)
        self._read_at = self._stamp_now()
        """Which version of the record was read."""
        self.record = read_record(paths)
        self.parameters: JobParameters = read_parameters_of(paths, self.record)
        self.is_settled = False
        """Nothing more happens in the folder until somebody writes a new record."""
        self._tail = EventTail(paths.events)
        self._started: Started | None = None
        self._outlined = False
        self._history_read = False
        self._stamp: tuple[int, int, int] | None = None
        self._asked_at: float | None = None
        self._grace_until = 0.0
        """By the monotonic clock."""

    def observe(self, *, thoroughly: bool = False, whole: WholeHistory | None = None) -> Observation | None:
        """What is new, or None. `thoroughly` reads the history of a run that is not at work too.

        `whole`: what was read of it just now, by a thread that nobody had to wait for; what came since is read here.

        Raises WorkspaceError or OSError when the folder has gone or is damaged.
        """
        stamp = self._stamp_now()
        if self.is_settled and stamp == self._stamp and not (thoroughly and not self._history_read):
            return None
        if stamp != self._stamp:
            if stamp != self._read_at:
                self.record, self._read_at = read_record(self.paths), stamp
            self._outlined = False
            self._grace_until = time.monotonic() + self._grace_seconds(stamp)
            self._stamp = stamp
        observation = Observation(self.record, JobStatus.PENDING)
        ended = read_exit(self.paths)
        has_ended = ended is not None and ended.attempt == self.record.attempt
        if self._history_read or thoroughly or not (has_ended or self._is_at_rest()):
            self._read_events(observation, whole)
        elif not self._outlined:
            observation.history, observation.is_whole, self._outlined = self._outline(), False, True
        observation.process = self._process()
        alive = self.record.state == "launched" and self._is_alive(observation.process)
        observation.ended = ended if has_ended else read_exit(self.paths)
        observation.status = status_of(self.record, alive=alive, ended=observation.ended)
        if observation.status is not JobStatus.RUNNING and self._history_read:
            self._read_events(observation)  # what it said between the first reading and its end
        self._note_command(observation)
        if observation.status in {JobStatus.STOPPED, JobStatus.INTERRUPTED}:
            saved = [one for one in all_of(self.paths.checkpoints) if (one / CHECKPOINT_MARKER).exists()]
            observation.checkpoint = step_of(saved[-1]) if saved else None
        unknown = observation.status is JobStatus.INTERRUPTED and observation.process is None
        self.is_settled = observation.status is not JobStatus.RUNNING and not unknown  # an unknown one may yet speak
        return observation

    def forget_history(self) -> None:
        """What was read of the events is needed no more; the next thorough look reads them anew."""
        self._history_read, self._outlined = False, True

    def _is_at_rest(self) -> bool:
        """It is known without its events that nobody works on the run, which wrote no end of this attempt."""
        if self.record.state != "launched":
            return True
        return self.record.process is not None and not self.record.process.is_alive

    def _read_events(self, observation: Observation, whole: WholeHistory | None = None) -> None:
        found = self._tail.read() if self._history_read else []
        if len(found) > MANY_EVENTS or not self._history_read:
            observation.history, observation.is_whole, observation.new_events = self._whole_history(whole), True, []
            self._started, self._history_read = observation.history.started, True
            return
        self._started = next((event for event in reversed(found) if isinstance(event, Started)), self._started)
        observation.new_events += found

    def _whole_history(self, found: WholeHistory | None) -> History:
        found = found or read_history(self.paths)
        self._tail, history = found.tail, found.history
        if found.unreadable_lines and history.last_time:
            words = f"{found.unreadable_lines} lines of {self.paths.events.name} cannot be read and are left out."
            history.logs.append(LogEntry(history.last_time, "warning", words))
        return history

    def _outline(self) -> History:
        history = History()
        for event in read_outline(self.paths.events):
            history.apply(event)
        history.logs.clear()
        history.curves = Curves()  # a single point of a long curve would say less than none
        return history

    def _process(self) -> ProcessIdentity | None:
        """Who works on the run: as the worker says, else as its launcher wrote down."""
        if self._started is not None and self._started.attempt == self.record.attempt:
            return self._started.process
        return self.record.process

    def _is_alive(self, process: ProcessIdentity | None) -> bool:
        return process.is_alive if process is not None else time.monotonic() < self._grace_until

    def _grace_seconds(self, stamp: tuple[int, int, int]) -> float:
        """How much longer a run that was launched may take to say who works on it.

        A record that changes while it is watched is new, whatever the time of the day says. One that is met for the
        first time is as old as its file; where that was written in the future, the clock was turned back.
        """
        is_old = self._stamp is None and time.time() - stamp[0] / 1e9 >= LAUNCH_GRACE_SECONDS
        return 0.0 if is_old else LAUNCH_GRACE_SECONDS

    def _note_command(self, observation: Observation) -> None:
        command = read_command(self.paths) if observation.status is JobStatus.RUNNING else None
        if command is None or command.attempt != self.record.attempt:
            self._asked_at = None
            return
        self._asked_at = self._asked_at or time.monotonic()
        observation.asked, observation.asked_seconds_ago = command, time.monotonic() - self._asked_at

    def _stamp_now(self) -> tuple[int, int, int]:
        """Changes with each new version of the record: it is replaced as a whole."""
        try:
            status = os.stat(self._record_file)  # noqa: PTH116  # called for every run, every second
        except OSError as error:
            if isinstance(error, FileNotFoundError) and self.paths.folder.is_dir():
                return 0, 0, 0  # its record is lost, and told by the other files
            raise WorkspaceError(f"The run folder {self.paths.folder} cannot be read: {error.strerror}.") from error
        return status.st_mtime_ns, status.st_ino, status.st_size


def find_runs(workspace: Workspace) -> set[str]:
    """The names of all run folders. Raises WorkspaceError when the folder that holds them cannot be read."""
    try:
        with os.scandir(workspace.runs) as entries:
            return {entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except OSError as error:
        raise WorkspaceError(f"The folder {workspace.runs} cannot be read: {error.strerror}.") from error
