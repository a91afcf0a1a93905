"""The starter run: a real QLoRA on the small model that comes along, scored before and after, merged and verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.records import JobKind, JobStatus

if TYPE_CHECKING:
    from qlora_ui.jobs.job import Job
    from qlora_ui.jobs.manager import JobManager
    from qlora_ui.services import Services

NAME = "starter"

STARTER_SETTINGS: dict[str, Any] = {
    "num_train_epochs": 3.0,
    "learning_rate": 3e-3,
    "batch_size": 16,
    "gradient_accumulation": 1,
    "max_length": 128,
    "lora_rank": 16,
    "lora_alpha": 32.0,
}
"""Settings that suit the starter model: it is small, so it bears a larger learning rate than a large one."""


@dataclass(frozen=True)
class StarterRun:
    """The three jobs of a starter run, in the order in which they are done."""

    training: Job
    evaluation: Job
    merge: Job

    @property
    def jobs(self) -> tuple[Job, Job, Job]:
        return self.training, self.evaluation, self.merge


async def submit_starter(jobs: JobManager) -> StarterRun:
    """Queue the training, the scoring on held-out rows and the merge; each waits for the one before it."""
    training = await jobs.submit(
        JobKind.TRAINING,
        TrainingParameters(name=NAME, model_name=STARTER, dataset_path=STARTER, offline=True, **STARTER_SETTINGS),
    )
    adapter = str(training.paths.adapter)
    evaluation = await jobs.submit(JobKind.EVALUATION, starter_evaluation(adapter), after=training.id)
    merge = await jobs.submit(
        JobKind.MERGE,
        MergeParameters(
            name=f"{NAME} merge",
            model_name=STARTER,
            adapter_path=adapter,
            dataset_path=f"{STARTER}/heldout",
            max_length=128,
            offline=True,
        ),
        after=training.id,
    )
    return StarterRun(training, evaluation, merge)


def starter_evaluation(adapter: str) -> EvaluationParameters:
    """Base against adapter on the rows that the starter's training never sees."""
    return EvaluationParameters(
        name=f"{NAME} score",
        model_name=STARTER,
        adapter_path=adapter,
        dataset_path=f"{STARTER}/heldout",
        max_length=128,
        max_new_tokens=96,
        offline=True,
    )


async def start_in_app(services: Services) -> None:
    """What `--demo` does: have a starter run at work, going on with an unfinished one before a new one is begun."""
    starters = [
        job for job in services.jobs.jobs.values() if job.kind is JobKind.TRAINING and job.parameters.name == NAME
    ]
    begun = {job.id for job in starters}
    chains = [*starters, *(job for job in services.jobs.jobs.values() if job.record.after in begun)]
    if any(job.status in {JobStatus.RUNNING, JobStatus.PENDING} for job in chains):
        return
    interrupted = [job for job in starters if job.status is JobStatus.INTERRUPTED]
    if interrupted:
        await services.jobs.resume(interrupted[-1].id)
    else:
        await submit_starter(services.jobs)
