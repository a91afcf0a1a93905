"""What is needed for an estimate beside the settings: the model's shape, and how fast earlier runs were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.model_shape import ModelShape, shape_of_folder
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace, model_location
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.run_folder import read_exit, read_parameters_of, read_record

RUNS_LOOKED_AT = 200
"""The newest ones, so that a home full of runs costs no more than some tens of milliseconds."""


@dataclass(frozen=True)
class Speed:
    """What an earlier run of the same model on the same device measured."""

    tokens_per_second: float
    run_id: str
    name: str


def shape_of_model(name: str) -> ModelShape | None:
    """The shape of a folder, or of a model that was fetched from the hub before; no hub is asked.

    None where the config is not on this machine, or of an unknown kind. It reads one small file: call it in a thread.
    """
    location = Path(model_location(name))
    try:
        if location.is_dir():
            return shape_of_folder(location)
    except OSError:  # too long for a path
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None
    return shape_of_folder(Path(cached).parent) if isinstance(cached, str) else None


def speed_of_earlier(workspace: Workspace, parameters: TrainingParameters) -> Speed | None:
    """What the newest completed training of the same model with the same `device` measured; None without one.

    It reads the records of runs: call it in a thread.
    """
    try:
        folders = sorted((entry.name for entry in workspace.runs.iterdir()), reverse=True)[:RUNS_LOOKED_AT]
    except OSError:
        return None
    for folder in folders:
        if (speed := _speed_of(workspace, folder, parameters)) is not None:
            return speed
    return None


def _speed_of(workspace: Workspace, folder: str, wanted: TrainingParameters) -> Speed | None:
    try:
        paths = workspace.run(folder)
        record, ended = read_record(paths), read_exit(paths)
        if record.kind is not JobKind.TRAINING or ended is None or ended.status is not JobStatus.COMPLETED:
            return None
        parameters = read_parameters_of(paths, record)
    except (QloraUiError, OSError, ValueError):  # a folder that is no run, or one of a newer version
        return None
    if (parameters.model_name, parameters.device) != (wanted.model_name, wanted.device):
        return None
    measured = ended.summary.get("tokens_per_second")
    if not isinstance(measured, int | float) or measured <= 0:
        return None
    return Speed(float(measured), record.id, record.name)
