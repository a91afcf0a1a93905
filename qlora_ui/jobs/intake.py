"""What a job needs before it enters the queue: absolute paths, a name, a record."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from qlora_ui.contract.base_parameters import LONGEST_NAME, clean_name
from qlora_ui.contract.errors import ParameterError, WorkspaceError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import Workspace, is_starter
from qlora_ui.contract.recipe import Source
from qlora_ui.contract.records import JobKind, JobRecord, StartPoint, new_id, now
from qlora_ui.contract.references import HubReference, parse_reference
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.run_folder import create_run, write_down
from qlora_ui.jobs.starting_points import files_at

_DATA = ("dataset_path", "validation_path")
_FOLDERS = ("adapter_path", "output_dir", "model_name")


def take_in(
    workspace: Workspace,
    kind: JobKind,
    parameters: JobParameters,
    known: Collection[Job],
    *,
    after: str | None = None,
    starts_from: tuple[Job, int] | None = None,
) -> JobRecord:
    """Make the run of a new job, behind all known ones in the queue; `starts_from` is a run and a step. Runs long.

    Raises ParameterError for files that are not there, JobError for a checkpoint that cannot be used, WorkspaceError.
    """
    settled = with_full_paths(parameters, check_adapter=after is None)
    record = queue.at_the_end(new_record(kind, settled, after, home=str(workspace.home)), now(), known)
    files: dict[str, Path] = {}
    if starts_from is not None:
        origin, step = starts_from
        files = files_at(origin, step)
        record = record.model_copy(update={"starts_from": StartPoint(run=origin.id, step=step)})
    try:
        paths = create_run(workspace, record, settled, files=files)
    except WorkspaceError:
        if starts_from is not None:
            files_at(*starts_from)  # where the checkpoint was deleted meanwhile, this says so
        raise
    try:  # once more: only now does whoever deletes them see that they are wanted
        with_full_paths(settled, check_adapter=after is None)
    except ParameterError:
        write_down(workspace, paths, record, None)
        raise
    return record


def new_record(kind: JobKind, parameters: JobParameters, after: str | None = None, *, home: str = "") -> JobRecord:
    """The record of a job that enters the queue now."""
    moment = now()
    name = parameters.name or clean_name(default_name(kind, parameters))[:LONGEST_NAME] or str(kind)
    return JobRecord(
        id=new_id(name, moment),
        kind=kind,
        name=name,
        created_at=moment,
        queued_at=moment,
        after=after,
        home=home,
    )


def with_full_paths(parameters: JobParameters, *, check_adapter: bool = True) -> JobParameters:
    """The same parameters with absolute paths, because the worker runs in another folder.

    Raises ParameterError for data or an adapter folder that is not there. What is on the hub is left to the worker.
    """
    changes: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for field in (*_DATA, *_FOLDERS):
        value = getattr(parameters, field, "")
        if value and not is_starter(value):
            full, missing[field] = _full(field, value, check_adapter=check_adapter)
            changes[field] = full
    if more := _more_data(getattr(parameters, "more_data", []), missing):
        changes["more_data"] = more
    missing = {field: problem for field, problem in missing.items() if problem}
    if missing:
        listed = "; ".join(f"{field}: {problem}" for field, problem in missing.items())
        raise ParameterError(f"These settings cannot be used: {listed}.", fields=missing)
    return parameters.model_copy(update=changes)


def _more_data(sources: list[Source], missing: dict[str, str]) -> list[Source]:
    more = []
    for source in sources:
        full, problem = _full("more_data", source.path, check_adapter=False)
        missing["more_data"] = missing.get("more_data") or problem
        more.append(source.model_copy(update={"path": full}))
    return more


def _full(field: str, value: str, *, check_adapter: bool) -> tuple[str, str]:
    """The value with an absolute path where it names one, and what is wrong with it."""
    try:
        value.encode()  # a name in another encoding fits into no parameters.yaml
        if field in _DATA or field == "more_data":
            return _full_reference(value)
        path = Path(value).expanduser()
        if field == "model_name" and not path.is_dir() and not path.is_absolute():
            return value, ""  # of the hub
        if (field == "model_name" or (field == "adapter_path" and check_adapter)) and not path.is_dir():
            return value, f"there is no folder {value}"
        return str(path.resolve()), ""
    except ParameterError as error:
        return value, f"{error.message} {error.hint}".strip().rstrip(".")
    except (OSError, ValueError, RuntimeError) as error:  # not to be reached, or no path at all
        reason = error.strerror if isinstance(error, OSError) else "it is no path that this system can use"
        return value, f"{value!r} cannot be read: {reason}"


def _full_reference(value: str) -> tuple[str, str]:
    reference = parse_reference(value)
    if isinstance(reference, HubReference) or reference.is_starter:
        return str(reference), ""
    location = reference.location
    problem = "" if location.exists() else f"there is no file {value}"
    return str(reference.model_copy(update={"path": str(location)})), problem


def default_name(kind: JobKind, parameters: JobParameters) -> str:
    """What a run is called when nobody named it: its data, or what it does to which adapter."""
    source = getattr(parameters, "adapter_path", "") or getattr(parameters, "dataset_path", "") or parameters.model_name
    path = Path(source.partition("?")[0])
    subject = path.parent.name if path.name == "adapter" else path.stem
    return subject if kind is JobKind.TRAINING else f"{kind} {subject}"
