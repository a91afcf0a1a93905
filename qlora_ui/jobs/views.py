"""A live job as programs are told of it: by the HTTP interface and by `--json`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel

from qlora_ui.contract.events import Alert, CheckpointSaved, Sample
from qlora_ui.contract.records import EndCause, JobKind, JobStatus, StartPoint
from qlora_ui.jobs.concerns import Concern
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
    cause: EndCause | None
    """Why it ended without its result."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    updated_at: datetime
    queue_position: int | None
    """Its place among all that wait, from 1, as `move` takes it; null when it does not wait."""
    can_stop: bool
    can_pause: bool
    can_resume: bool
    can_retry: bool
    can_extend: bool
    can_duplicate: bool

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**_values(job, JobSummary))


class JobDetails(JobSummary):
    """A job with everything that is known of it."""

    attempt: int
    """How many times it was launched."""
    after: str | None
    """The id of the job that must be completed first."""
    starts_from: StartPoint | None
    """The checkpoint of another run from which it went on."""
    parameters: dict[str, Any]
    facts: dict[str, Any]
    summary: dict[str, Any]
    curves: dict[str, list[tuple[int, float]]]
    """Name of a figure, such as `loss` → steps and values."""
    samples: list[Sample]
    alerts: list[Alert]
    """What the worker warned of."""
    concerns: list[Concern]
    """What the server itself sees now that is wrong."""
    checkpoints: list[CheckpointSaved]
    """All that were ever saved; some of them may be gone."""
    traceback: str
    """What Python said of a failure."""
    folder: str
    """The run folder on the server."""

    @classmethod
    def of(cls, job: Job, *, points: int | None = None) -> Self:
        """`points`: at most so many of each curve, at least 4; None for all of them."""
        curves = job.curves
        return cls(
            **_values(job, JobSummary),
            attempt=job.record.attempt,
            after=job.record.after,
            starts_from=job.record.starts_from,
            parameters=job.parameters.model_dump(mode="json"),
            facts=job.facts,
            summary=job.summary,
            curves={name: curves.thinned(name, points) if points else curves.points(name) for name in curves.names},
            samples=job.samples,
            alerts=job.alerts,
            concerns=job.concerns,
            checkpoints=job.checkpoints,
            traceback=job.traceback,
            folder=str(job.paths.folder),
        )


def _values(job: Job, model: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(job, name) for name in model.model_fields}
