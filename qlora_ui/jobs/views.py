"""A live job as programs are told of it: by the HTTP interface and by `--json`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from qlora_ui.contract.events import Alert, CheckpointSaved, Sample
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job


class JobSummary(BaseModel):
    """Where a job stands."""

    id: str
    kind: JobKind
    name: str
    status: JobStatus
    progress: float
    """0 to 1."""
    step: int
    total_steps: int
    epoch: float | None
    seconds_left: float | None
    message: str
    error: str
    hint: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    queue_position: int | None
    """1 is next; null when it does not wait for a device, but for another run or for nothing."""
    can_stop: bool
    can_pause: bool
    can_resume: bool

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**_values(job, JobSummary))


class JobDetails(JobSummary):
    """A job with everything that is known of it."""

    parameters: dict[str, Any]
    facts: dict[str, Any]
    summary: dict[str, Any]
    curves: dict[str, list[tuple[int, float]]]
    """Name of a figure, such as `loss` → steps and values."""
    samples: list[Sample]
    alerts: list[Alert]
    checkpoints: list[CheckpointSaved]
    folder: str
    """The run folder on the server."""

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            **_values(job, JobSummary),
            parameters=job.parameters.model_dump(mode="json"),
            facts=job.facts,
            summary=job.summary,
            curves={name: job.curves.points(name) for name in job.curves.names},
            samples=job.samples,
            alerts=job.alerts,
            checkpoints=job.checkpoints,
            folder=str(job.paths.folder),
        )


def _values(job: Job, model: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(job, name) for name in model.model_fields}
