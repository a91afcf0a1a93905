"""A run folder as the launcher's side reads and writes it: the truth about a job, whoever started it."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from filelock import FileLock, Timeout
from pydantic import ValidationError

from qlora_ui.contract.errors import ParameterError, WorkspaceError
from qlora_ui.contract.files import link_or_copy, sync_folder, write_atomically
from qlora_ui.contract.parameters import PARAMETERS, JobParameters
from qlora_ui.contract.parsing import dump_parameters, parse_parameters, rebased
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import Command, ExitRecord, JobRecord, JobStatus
from qlora_ui.jobs.history.history_cache import forget_history
from qlora_ui.jobs.logs.derived_log import forget_log
from qlora_ui.jobs.quick_yaml import load_mapping
from qlora_ui.jobs.salvage import salvaged
from qlora_ui.jobs.workers.leases import is_held

QUEUE_LOCK_SECONDS = 10.0
ABANDONED_SECONDS = 3600.0
"""A draft of a run that has been lying for so long is the remains of a crash."""


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


def create_run(
    workspace: Workspace, record: JobRecord, parameters: JobParameters, *, files: Mapping[str, Path] | None = None
) -> RunPaths:
    """Make the folder of a new run; it appears in one step, with all that belongs in it. Raises WorkspaceError.

    `files`: what it begins with, by the name within the folder. Each shares the bytes of its source on the disk, where
    that can be done, and outlives it.
    """
    paths = workspace.run(record.id)
    draft = RunPaths(workspace.runs / f".new-{record.id}")
    try:
        workspace.runs.mkdir(parents=True, exist_ok=True)
        draft.folder.mkdir()
    except OSError as error:  # also where another one writes the same draft now, which is its own and stays
        raise _not_written(workspace, error) from error
    lock = FileLock(draft.lock)  # that nobody takes it for the remains of a crash
    try:
        lock.acquire()
        for name, source in (files or {}).items():
            link_or_copy(source, draft.folder / name)
        write_atomically(draft.parameters, dump_parameters(parameters))
        write_atomically(draft.job, record.model_dump_json(indent=1))
        lock.release()
        draft.lock.unlink(missing_ok=True)
        draft.folder.rename(paths.folder)
        sync_folder(workspace.runs)
    except OSError as error:
        lock.release()
        shutil.rmtree(draft.folder, ignore_errors=True)
        raise _not_written(workspace, error) from error
    return paths


def _not_written(workspace: Workspace, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"The run could not be written to {workspace.runs}: {error.strerror}.", "Nothing was started."
    )


def remove_run(workspace: Workspace, paths: RunPaths) -> None:
    """Delete a run folder; readers see it whole or not at all. Raises WorkspaceError."""
    grave = workspace.runs / f".deleted-{paths.id}"
    try:
        paths.folder.rename(grave)
        shutil.rmtree(grave)
    except OSError as error:
        raise WorkspaceError(f"The run folder {paths.folder} could not be deleted: {error.strerror}.") from error
    with contextlib.suppress(OSError):  # what is left of them in the cache can be cleaned away at any time
        forget_history(paths)
        forget_log(paths)


def remove_remains(workspace: Workspace) -> None:
    """Free the disk of what a crash in the middle of `create_run` or `remove_run` left behind."""
    for grave in workspace.runs.glob(".deleted-*"):
        shutil.rmtree(grave, ignore_errors=True)
    for draft in workspace.runs.glob(".new-*"):
        try:
            seems_old = time.time() - draft.stat().st_mtime > ABANDONED_SECONDS
            is_abandoned = seems_old and not is_held(RunPaths(draft).lock)  # the clock may have been put forward
        except OSError:
            continue
        if is_abandoned:
            shutil.rmtree(draft, ignore_errors=True)


def write_down(workspace: Workspace, paths: RunPaths, before: JobRecord, decision: JobRecord | Command | None) -> bool:
    """Carry out what was decided for a run whose record was `before`: a new record, a command, or None to delete it.

    Does nothing and returns False when the record is another by now. Raises WorkspaceError.
    """
    with locked_queue(workspace):
        if not paths.folder.is_dir() or read_record(paths) != before:
            return False
        if decision is None:
            remove_run(workspace, paths)
        elif isinstance(decision, Command):
            _write(paths.command, decision.model_dump_json())
        else:
            write_record(paths, decision)
    return True


@contextlib.contextmanager
def locked_queue(workspace: Workspace) -> Iterator[None]:
    """Nobody else launches or changes a record meanwhile. Raises WorkspaceError when it cannot be had for long."""
    try:
        lock = FileLock(workspace.queue_lock).acquire(timeout=QUEUE_LOCK_SECONDS)
    except Timeout:
        raise WorkspaceError("Another qlora-ui is busy with the queue of this home folder.", "Ask again.") from None
    except OSError as error:
        raise WorkspaceError(f"The queue in {workspace.devices} cannot be used: {error.strerror}.") from error
    with lock:
        yield


def write_record(paths: RunPaths, record: JobRecord) -> None:
    """Raises WorkspaceError when the disk takes nothing; the old record then stays."""
    _write(paths.job, record.model_dump_json(indent=1))


def _write(path: Path, content: str) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror}.", "Nothing was changed.") from error


def read_record(paths: RunPaths) -> JobRecord:
    """The launcher's record; of one that is missing or damaged, what the other files tell.

    Raises WorkspaceError when that is not enough, or when the record is that of another run.
    """
    try:
        record = JobRecord.model_validate_json(paths.job.read_bytes())
    except (OSError, ValidationError) as error:
        if (found := salvaged(paths)) is None:
            raise WorkspaceError(
                f"The run folder {paths.folder} cannot be read: its job.json is missing or damaged."
            ) from error
        record = found
    if record.id != paths.id:  # two folders must never speak for one run, least of all about its process
        raise WorkspaceError(
            f"The run folder {paths.folder} holds the run {record.id}.",
            "It was copied or renamed: give it its name back, or move it out of the runs.",
        )
    return record


def read_parameters_of(paths: RunPaths, record: JobRecord) -> JobParameters:
    """The frozen parameters. Raises WorkspaceError when they are missing, damaged or of an unknown kind."""
    if record.kind not in PARAMETERS:
        raise WorkspaceError(f"The run {paths.id} is of the kind {record.kind}, which this version does not run.")
    try:
        values = load_mapping(paths.parameters.read_text(encoding="utf-8"))
        return parse_parameters(record.kind, rebased(values, record.home, paths.folder.parents[1]))
    except (OSError, ValueError, TypeError, yaml.YAMLError, ParameterError) as error:
        raise WorkspaceError(f"The parameters of the run {paths.id} cannot be read: {error}") from error


def read_exit(paths: RunPaths) -> ExitRecord | None:
    """How the run ended in its own words; None when it wrote no end (or one that cannot be read)."""
    try:
        return ExitRecord.model_validate_json(paths.exit.read_bytes())
    except (OSError, ValidationError):
        return None


def read_command(paths: RunPaths) -> Command | None:
    try:
        return Command.model_validate_json(paths.command.read_bytes())
    except (OSError, ValidationError):
        return None
