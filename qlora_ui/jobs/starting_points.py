"""New runs from old ones: the same once more, more epochs, or another way on from a checkpoint."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from qlora_ui.contract.base_parameters import LONGEST_NAME
from qlora_ui.contract.checkpoints import all_of, faults, is_whole, name_of, read_marker, step_of
from qlora_ui.contract.errors import JobError, ParameterError
from qlora_ui.contract.parameters import JobParameters, TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths
from qlora_ui.contract.training_parameters import DATA_KNOBS
from qlora_ui.jobs.job import Job

MOST_EPOCHS = 1_000.0

MUST_STAY = (
    "model_name",
    *DATA_KNOBS,
    "max_length",
    "train_on",
    "seed",
    "packing",
    "group_by_length",
    "batch_size",
    "gradient_accumulation",
    "method",
    "lora_rank",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "use_rslora",
    "use_dora",
    "modules_to_save",
    "lora_init",
    "optimizer",
    "lora_plus_ratio",
)
"""What a checkpoint was made with: the base, the rows and their order, the shape of adapter and optimiser."""


def duplicated(job: Job, changes: Mapping[str, Any], names: Iterable[str]) -> JobParameters:
    """The same parameters for a run from the beginning; `names` are taken. Raises ParameterError."""
    values = job.parameters.model_dump() | {"name": numbered(job.name, names)} | dict(changes)
    return parse_parameters(job.kind, values)


def branched(job: Job, changes: Mapping[str, Any], names: Iterable[str]) -> TrainingParameters:
    """Parameters that go on from a checkpoint of the run in another way.

    Raises JobError for a run that is no training, ParameterError for what a checkpoint cannot bear to be changed.
    """
    before = _training(job)
    after = duplicated(job, changes, names)
    assert isinstance(after, TrainingParameters)
    fixed = [name for name in MUST_STAY if getattr(after, name) != getattr(before, name)]
    if after.query.held_out != before.query.held_out and not fixed:
        fixed = ["evaluations"]  # none at all holds no rows out, so others would be trained
    if fixed:
        fields = dict.fromkeys(fixed, "A checkpoint goes on only with what it was made with.")
        raise ParameterError(
            f"{', '.join(fixed)} must stay as in {job.name}.", "Start a new run to change that.", fields
        )
    return after


def extended(job: Job, epochs: float, names: Iterable[str]) -> TrainingParameters:
    """Parameters for so many epochs more. Raises JobError, ParameterError."""
    parameters = _training(job)
    if not job.status.is_final:
        raise JobError(f"{job.name} has not ended yet.", "Extend it once it has, or stop it first.")
    if not (math.isfinite(epochs) and epochs > 0):
        problem = "The number of epochs to add must be above 0."
        raise ParameterError(problem, fields={"epochs": problem})
    changes: dict[str, Any] = {"num_train_epochs": round(parameters.num_train_epochs + epochs, 6)}
    if parameters.max_steps is not None:
        per_epoch = _steps_per_epoch(job)
        planned = min(parameters.max_steps, math.ceil(parameters.num_train_epochs * per_epoch))
        more = min(epochs, MOST_EPOCHS)  # so many are refused below, and need not be counted
        changes["max_steps"] = planned + math.ceil(more * per_epoch)
    return branched(job, changes, names)


def require_steps_after(step: int, job: Job, parameters: TrainingParameters) -> None:
    """Raise ParameterError where these parameters of a run that goes on from `step` of the job end at it or before.

    A run that never said how many steps an epoch has is let pass: its worker says so.
    """
    total = parameters.max_steps or math.inf
    if per_epoch := job.facts.get("steps_per_epoch"):
        total = min(total, math.ceil(parameters.num_train_epochs * per_epoch))
    if total > step:
        return
    field = "max_steps" if parameters.max_steps == total else "num_train_epochs"
    problem = f"So the training ends at step {total:,}, but the checkpoint is at step {step:,} already."
    hint = "Epochs and the step limit count from the very beginning: ask for more of them."
    raise ParameterError(problem, hint, {field: f"{problem} {hint}"})


def _steps_per_epoch(job: Job) -> int:
    """As the run itself counted them. Raises JobError when it never came so far."""
    if steps := job.facts.get("steps_per_epoch"):
        return int(steps)
    if job.epoch and job.step:
        return max(1, round(job.step / job.epoch))
    raise JobError(
        f"{job.name} has a step limit, and never came so far as to tell how many steps an epoch has.",
        "Duplicate it with another step limit.",
    )


def _training(job: Job) -> TrainingParameters:
    if not isinstance(job.parameters, TrainingParameters):
        raise JobError(f"{job.name} is no training: it has no checkpoint to go on from.")
    return job.parameters


def numbered(name: str, taken: Iterable[str]) -> str:
    """The name with the first number behind it, from 2, that makes it one of its own: `tone`, `tone 2`, `tone 3`."""
    known, number = set(taken), 2
    stem = re.sub(r" \d{1,6}$", "", name)
    stem = stem if stem in known else name  # `llama 3` is the third of nothing
    while (candidate := f"{stem[: LONGEST_NAME - len(f' {number}')]} {number}") in known:
        number += 1
    return candidate


# ---- the files ----


def newest_whole(job: Job) -> int:
    """The step of the last checkpoint that is whole, to the byte. Raises JobError when there is none."""
    for folder in reversed(all_of(job.paths.checkpoints)):
        if is_whole(folder):
            return step_of(folder)
    raise JobError(f"{job.name} has no whole checkpoint to go on from.", "Duplicate it to begin anew.")


def has_checkpoint(job: Job, step: int) -> bool:
    """Whether there is one at this step, whole or not."""
    return (job.paths.checkpoints / name_of(step)).is_dir()


def files_at(job: Job, step: int) -> dict[str, Path]:
    """All that a new run needs to go on from a checkpoint, by the name within its folder.

    Raises JobError when the checkpoint is not there or damaged.
    """
    checkpoint = job.paths.checkpoints / name_of(step)
    if not has_checkpoint(job, step):
        raise JobError(f"{job.name} has no checkpoint at step {step:,}.", "It may have made room for newer ones.")
    if fault := next(faults(checkpoint), ""):
        raise JobError(fault, "Choose another checkpoint.")
    marker = read_marker(checkpoint)
    names = [*marker.files, CHECKPOINT_MARKER] if marker is not None else []
    target = RunPaths(Path()).checkpoints / checkpoint.name
    files = {str(target / name): checkpoint / name for name in names}
    if job.paths.origin.is_file():
        files[job.paths.origin.name] = job.paths.origin
    return files
