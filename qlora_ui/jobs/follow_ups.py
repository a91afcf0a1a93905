"""What comes after a training: its adapter is scored, or merged into the base."""

from __future__ import annotations

from qlora_ui.contract.base_parameters import LONGEST_NAME
from qlora_ui.contract.errors import JobError, ParameterError
from qlora_ui.contract.parameters import EvaluationParameters, JobParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.paths import STARTER, is_starter
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job

_HELD_OUT = f"{STARTER}/heldout"


def follow_up(job: Job, kind: JobKind, *, dataset_path: str = "", output_dir: str = "") -> JobParameters:
    """What scores or merges the adapter of a training, once it is there.

    `dataset_path`: the rows to score; empty takes those that the training never sees: its evaluation file, or the
    held-out rows that come with the starter's data. `output_dir`: where a merge puts the model; empty puts it under the
    models of the home folder. Raises JobError for a run that makes no adapter, ParameterError where rows are missing.
    """
    training = job.parameters
    if not isinstance(training, TrainingParameters):
        raise JobError(f"{job.name} is no training: it makes no adapter.")
    match kind:
        case JobKind.EVALUATION:
            rows = dataset_path or _unseen_rows(training)
            if not rows:
                problem = "To score base against adapter, rows are needed that are not trained."
                raise ParameterError(problem, "Name a file with such rows.", {"dataset_path": problem})
            return evaluation_of(job, training, rows)
        case JobKind.MERGE:
            return merge_of(job, training, output_dir)
    raise JobError("After a training comes an evaluation or a merge.")


def evaluation_of(job: Job, training: TrainingParameters, rows: str) -> EvaluationParameters:
    """What scores the adapter on a file, whose rows are read and cut as they were in the training."""
    return EvaluationParameters.of(
        training, name=_named(job, "score"), adapter_path=str(job.paths.adapter), dataset_path=rows
    )


def merge_of(job: Job, training: TrainingParameters, output_dir: str = "") -> MergeParameters:
    """What merges the adapter; the proof uses rows that were not trained where some come along."""
    return MergeParameters(
        output_dir=output_dir,
        name=_named(job, "merge"),
        model_name=training.model_name,
        adapter_path=str(job.paths.adapter),
        dataset_path=_HELD_OUT if is_starter(training.dataset_path) else "",
        max_length=training.max_length,
        device=training.device,
        compute_type=training.compute_type,
        offline=training.offline,
    )


def _unseen_rows(training: TrainingParameters) -> str:
    return training.validation_path or (_HELD_OUT if is_starter(training.dataset_path) else "")


def _named(job: Job, word: str) -> str:
    """The job's name and a word, within what a name may take."""
    return f"{job.name[: LONGEST_NAME - 1 - len(word)]} {word}"
