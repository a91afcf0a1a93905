"""A run folder as the launcher's side reads and writes it: the truth about a job, whoever started it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from qlora_ui.contract.errors import ParameterError, WorkspaceError
from qlora_ui.contract.events import Event, parse_event
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import PARAMETERS, JobParameters, dump_parameters, parse_parameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import Command, ExitRecord, JobRecord, JobStatus


def status_of(record: JobRecord, *, alive: bool, ended: ExitRecord | None) -> JobStatus:
    """Where a run stands. `alive` must have been asked before `ended` was read: a worker writes its exit, then dies."""
    match record.state:
        case "queued":
            return JobStatus.PENDING
        case "held":
            return JobStatus.PAUSED
        case "cancelled":
            return JobStatus.STOPPED
    if ended is not None and ended.attempt == record.attempt:
        return ended.status
    return JobStatus.RUNNING if alive else JobStatus.INTERRUPTED


def create_run(workspace: Workspace, record: JobRecord, parameters: JobParameters) -> RunPaths:
    """Make the folder of a new run; it appears in one step, with all that belongs in it. Raises WorkspaceError."""
    paths = workspace.run(record.id)
    draft = RunPaths(workspace.runs / f".new-{record.id}")
    try:
        draft.folder.mkdir(parents=True)
        write_atomically(draft.parameters, dump_parameters(parameters))
        write_record(draft, record)
        draft.folder.rename(paths.folder)
    except OSError as error:
        shutil.rmtree(draft.folder, ignore_errors=True)
        raise WorkspaceError(
            f"The run could not be written to {workspace.runs}: {error.strerror}.", "Nothing was started."
        ) from error
    return paths


def remove_run(workspace: Workspace, paths: RunPaths) -> None:
    """Delete a run folder; readers see it whole or not at all. Raises WorkspaceError."""
    grave = workspace.runs / f".deleted-{paths.id}"
    try:
        paths.folder.rename(grave)
        shutil.rmtree(grave)
    except OSError as error:
        raise WorkspaceError(f"The run folder {paths.folder} could not be deleted: {error.strerror}.") from error


def write_record(paths: RunPaths, record: JobRecord) -> None:
    write_atomically(paths.job, record.model_dump_json(indent=1))


def read_record(paths: RunPaths) -> JobRecord:
    """The launcher's record. Raises WorkspaceError when it is missing or damaged."""
    try:
        return JobRecord.model_validate_json(paths.job.read_bytes())
    except (OSError, ValidationError) as error:
        raise WorkspaceError(
            f"The run folder {paths.folder} cannot be read: its job.json is missing or damaged."
        ) from (error)


def read_parameters_of(paths: RunPaths, record: JobRecord) -> JobParameters:
    """The frozen parameters. Raises WorkspaceError when they are missing, damaged or of an unknown kind."""
    if record.kind not in PARAMETERS:
        raise WorkspaceError(f"The run {paths.id} is of the kind {record.kind}, which this version does not run.")
    try:
        values: Any = yaml.safe_load(paths.parameters.read_text(encoding="utf-8"))
        return parse_parameters(record.kind, values)
    except (OSError, ValueError, TypeError, yaml.YAMLError, ParameterError) as error:
        raise WorkspaceError(f"The parameters of the run {paths.id} cannot be read: {error}") from error


def read_exit(paths: RunPaths) -> ExitRecord | None:
    """How the run ended in its own words; None when it wrote no end (or one that cannot be read)."""
    try:
        return ExitRecord.model_validate_json(paths.exit.read_bytes())
    except (OSError, ValidationError):
        return None


def write_command(paths: RunPaths, command: Command) -> None:
    write_atomically(paths.command, command.model_dump_json())


def read_command(paths: RunPaths) -> Command | None:
    try:
        return Command.model_validate_json(paths.command.read_bytes())
    except (OSError, ValidationError):
        return None


class EventTail:
    """Reads `events.jsonl` as it grows: whole lines only, each once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.unreadable_lines = 0

    def read(self, limit_bytes: int = 16 * 1024 * 1024) -> list[Event]:
        """The events written since the last call, about `limit_bytes` at most; none when there is no file yet."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                block = file.read(limit_bytes)
        except FileNotFoundError:
            return []
        whole = block.rfind(b"\n") + 1
        self._offset += whole
        found: list[Event] = []
        for line in block[:whole].splitlines():
            try:
                found.append(parse_event(line))
            except ValidationError:  # a line torn by a crash, or a newer version's event: counted, shown, never fatal
                self.unreadable_lines += bool(line.strip())
        return found
