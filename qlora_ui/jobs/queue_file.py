"""The queue as all managers of a home folder share it: whether it is held, and the order of those that wait."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobRecord, QueueState
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.run_folder import locked_queue, read_record, write_record


def is_held(workspace: Workspace) -> bool:
    """Whether nothing new may be started; a file that is missing or damaged holds nothing up.

    Raises WorkspaceError where nobody can tell: what a person holds must not start because of a passing fault.
    """
    try:
        return QueueState.model_validate_json(workspace.queue_state.read_bytes()).held
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return False
    except OSError as error:
        raise WorkspaceError(f"{workspace.queue_state} cannot be read: {error.strerror}.", "Nothing starts.") from error


def hold(workspace: Workspace, *, held: bool) -> None:
    """From the return on no manager launches anything, or every one may again. Raises WorkspaceError."""
    with locked_queue(workspace):
        try:
            write_atomically(workspace.queue_state, QueueState(held=held).model_dump_json())
        except OSError as error:
            problem = f"{workspace.queue_state} cannot be written: {error.strerror}."
            raise WorkspaceError(problem, "The queue is as it was.") from error


def put_at(workspace: Workspace, jobs: Iterable[Job], moved: Job, place: int) -> bool:
    """Give a waiting job this place (1 is next) among the waiting ones of `jobs`, as they stand by now.

    Does nothing and returns False when the job itself is no longer as it is known. Raises WorkspaceError.
    """
    with locked_queue(workspace):
        found = [record for job in queue.placed(jobs) if (record := _read(job)) is not None]
        order = sorted((record for record in found if record.state != "cancelled"), key=queue.sorting)
        if moved.record not in order:
            return False
        waiting = [record.id for record in order if record.state == "queued"]
        for record in queue.moved(order, moved.id, place, waiting):
            write_record(workspace.run(record.id), record)
    return True


def _read(job: Job) -> JobRecord | None:
    try:
        return read_record(job.paths)
    except WorkspaceError:
        return None
