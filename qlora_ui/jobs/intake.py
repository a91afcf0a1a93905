"""What a job needs before it enters the queue: absolute paths, a name, a record."""

from __future__ import annotations

from pathlib import Path

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import dataset_location, is_starter
from qlora_ui.contract.records import JobKind, JobRecord, new_id, now

_FILES = ("dataset_path", "validation_path")
_FOLDERS = ("adapter_path", "output_dir", "model_name")


def new_record(kind: JobKind, parameters: JobParameters, after: str | None = None) -> JobRecord:
    """The record of a job that enters the queue now."""
    moment = now()
    name = parameters.name or default_name(kind, parameters)
    return JobRecord(id=new_id(name, moment), kind=kind, name=name, created_at=moment, queued_at=moment, after=after)


def with_full_paths(parameters: JobParameters, *, check_adapter: bool = True) -> JobParameters:
    """The same parameters with absolute paths, because the worker runs in another folder.

    Raises ParameterError for a file or an adapter folder that is not there.
    """
    changes: dict[str, str] = {}
    missing: dict[str, str] = {}
    for field in (*_FILES, *_FOLDERS):
        value = getattr(parameters, field, "")
        if not value or is_starter(value):
            continue
        try:
            value.encode()  # a name in another encoding fits into no parameters.yaml
            path = Path(value).expanduser()
            if field in _FILES and not dataset_location(value).is_file():
                missing[field] = f"there is no file {value}"
            if field == "adapter_path" and check_adapter and not path.is_dir():
                missing[field] = f"there is no folder {value}"
            if field != "model_name" or path.is_dir():  # else it is a name on the hub
                changes[field] = str(path.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # not to be reached, or no path at all
            reason = error.strerror if isinstance(error, OSError) else "it is no path that this system can use"
            missing[field] = f"{value!r} cannot be read: {reason}"
    if missing:
        listed = "; ".join(f"{field}: {problem}" for field, problem in missing.items())
        raise ParameterError(f"These settings cannot be used: {listed}.", fields=missing)
    return parameters.model_copy(update=changes)


def default_name(kind: JobKind, parameters: JobParameters) -> str:
    """What a run is called when nobody named it: its data, or what it does to which adapter."""
    source = getattr(parameters, "adapter_path", "") or getattr(parameters, "dataset_path", "") or parameters.model_name
    path = Path(source)
    subject = path.parent.name if path.name == "adapter" else path.stem
    return subject if kind is JobKind.TRAINING else f"{kind} {subject}"
