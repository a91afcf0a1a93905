"""Jobs over HTTP: the list, one of them, what can be asked of it, and the queue."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Query, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from qlora_ui.contract.errors import JobError, QloraUiError
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.search import find
from qlora_ui.jobs.views import JobDetails, JobSummary
from qlora_ui.services import Services

MAX_PARAMETERS = 200
"""More than any kind of job has; each unknown one would be searched for among the known."""
JOBS_PER_PAGE = 100
POINTS = 1_000
"""Of each curve, unless more are asked for."""
MAX_POINTS = 2_000
"""More would hold the event loop up; `curves.csv` has all of them."""
LARGEST = 2**53
"""What every program that reads JSON takes for the same whole number."""

Wish = Callable[[str], Awaitable[object]]
"""What the manager does about the job with an id."""


class UnknownJobError(QloraUiError):
    """There is no such job."""


StepInPath = Annotated[int, InPath(ge=0, le=LARGEST)]
Changes = Annotated[dict[str, Any], Field(max_length=MAX_PARAMETERS, description="Parameters that are to differ.")]


class NewJob(BaseModel):
    """A job to be queued; `after` is the id of a job that must be completed first."""

    kind: JobKind
    parameters: dict[str, Any] = Field(max_length=MAX_PARAMETERS)
    after: str | None = None


class Duplicate(BaseModel):
    """The same job once more, from the beginning."""

    model_config = ConfigDict(frozen=True)  # one stands for all requests without a body

    parameters: Changes = {}


class Extension(BaseModel):
    """More epochs, from the last checkpoint."""

    epochs: float


class Branch(BaseModel):
    """Another way on from the checkpoint at a step."""

    step: int = Field(ge=0, le=LARGEST)
    parameters: Changes = {}


class FollowUp(BaseModel):
    """What comes after a training: an evaluation or a merge of its adapter."""

    kind: JobKind
    dataset_path: str = Field("", description="The rows to score; empty takes those that the training never sees.")
    output_dir: str = Field("", description="Where a merge puts the model; empty takes the models of the home folder.")


class Place(BaseModel):
    """A place among the jobs that wait: 1 is next."""

    place: int


class Queue(BaseModel):
    """What waits, the next one first."""

    held: bool
    """Nothing new is started; what is at work goes on."""
    jobs: list[str]
    """Their ids."""


class Checkpoint(BaseModel):
    """A checkpoint as it lies on the disk."""

    step: int
    bytes: int
    saved_at: datetime
    metrics: dict[str, float]
    is_best: bool
    is_whole: bool
    """Its marker is there and every file has its size."""


def add_jobs(api: FastAPI, services: Services) -> None:
    """Add the routes under `/jobs`, but for those of their files, and under `/queue`."""
    _add_list(api, services)
    _add_one(api, services)
    _add_wishes(api, services)
    _add_new_runs(api, services)
    _add_checkpoints(api, services)
    _add_queue(api, services)


def find_job(services: Services, job_id: str) -> Job:
    """Raises UnknownJobError."""
    try:
        return services.jobs.get(job_id)
    except JobError as error:
        raise UnknownJobError(error.message, error.hint) from None


def _add_list(api: FastAPI, services: Services) -> None:
    jobs = services.jobs

    @api.get("/jobs", tags=["jobs"])
    async def list_jobs(
        response: Response,
        kind: Annotated[list[JobKind], Query(description="Only of this kind; may be given several times.")] = [],  # noqa: B006  # FastAPI copies it
        status: Annotated[list[JobStatus], Query(description="Only in this state; may be given several times.")] = [],  # noqa: B006  # FastAPI copies it
        text: Annotated[str, Query(max_length=200, description="Words in the name, the id or the model.")] = "",
        order: Annotated[Literal["oldest", "newest"], Query(description="Which comes first.")] = "oldest",
        limit: Annotated[int, Query(ge=0, le=500, description="How many at most.")] = JOBS_PER_PAGE,
        offset: Annotated[int, Query(ge=0, le=LARGEST, description="How many of the first ones to leave out.")] = 0,
    ) -> list[JobSummary]:
        """A page of the jobs; the header `X-Total-Count` says how many there are on all pages."""
        found = find(jobs.jobs.values(), kinds=kind, statuses=status, text=text)
        response.headers["X-Total-Count"] = str(len(found))
        ordered = found if order == "oldest" else found[::-1]
        return [JobSummary.of(job) for job in ordered[offset : offset + limit]]


def _add_one(api: FastAPI, services: Services) -> None:
    jobs = services.jobs

    @api.post("/jobs", tags=["jobs"], status_code=201)
    async def submit_job(job: Annotated[NewJob, Body()]) -> JobDetails:
        """Put a job into the queue."""
        if job.after is not None:
            find_job(services, job.after)
        parameters = parse_parameters(job.kind, job.parameters)
        return JobDetails.of(await jobs.submit(job.kind, parameters, after=job.after))

    @api.get("/jobs/{job_id}", tags=["jobs"])
    async def show_job(
        job_id: str,
        points: Annotated[int, Query(ge=4, le=MAX_POINTS, description="Of each curve, at most.")] = POINTS,
    ) -> JobDetails:
        """One job with its parameters, facts, curves, samples and checkpoints.

        Of a curve with more points than are asked for, the ends and the extremes of equal stretches are given.
        """
        job = find_job(services, job_id)
        await jobs.load_history(job)
        return JobDetails.of(job, points=points)

    @api.delete("/jobs/{job_id}", tags=["jobs"], status_code=204)
    async def delete_job(job_id: str) -> None:
        """Delete a job that is not at work, with its checkpoints, adapter and log."""
        find_job(services, job_id)
        await jobs.delete(job_id)


def _add_wishes(api: FastAPI, services: Services) -> None:
    jobs = services.jobs

    def add(name: str, wish: Wish, *, description: str) -> None:
        route = api.post(f"/jobs/{{job_id}}/{name}", tags=["jobs"], name=f"{name}_job", description=description)
        route(_fulfilling(services, wish))

    add("stop", jobs.stop, description="Ask it to save a checkpoint and end.")
    add(
        "pause",
        jobs.pause,
        description="Ask it to save a checkpoint and give its device back; it keeps its place in the queue.",
    )
    add("resume", jobs.resume, description="Queue it again; it goes on from its newest checkpoint.")
    add(
        "retry",
        jobs.retry,
        description="Queue a job again that failed, was stopped or interrupted; it goes on from its last whole "
        "checkpoint.",
    )

    @api.post("/jobs/{job_id}/move", tags=["jobs"])
    async def move_job(job_id: str, to: Annotated[Place, Body()]) -> JobSummary:
        """Put a waiting job at a place among those that wait."""
        find_job(services, job_id)
        await jobs.move(job_id, to.place)
        return JobSummary.of(find_job(services, job_id))


def _fulfilling(services: Services, wish: Wish) -> Callable[[str], Awaitable[JobSummary]]:
    """The route of a wish that says nothing but which job it is about."""

    async def fulfil(job_id: str) -> JobSummary:
        find_job(services, job_id)
        await wish(job_id)
        return JobSummary.of(find_job(services, job_id))

    return fulfil


def _add_new_runs(api: FastAPI, services: Services) -> None:
    jobs = services.jobs

    @api.post("/jobs/{job_id}/duplicate", tags=["jobs"], status_code=201)
    async def duplicate_job(job_id: str, wanted: Annotated[Duplicate, Body()] = Duplicate()) -> JobDetails:  # noqa: B008  # frozen
        """Queue the same job once more, from the beginning, with some parameters changed."""
        find_job(services, job_id)
        return JobDetails.of(await jobs.duplicate(job_id, wanted.parameters))

    @api.post("/jobs/{job_id}/extend", tags=["jobs"], status_code=201)
    async def extend_job(job_id: str, wanted: Annotated[Extension, Body()]) -> JobDetails:
        """Queue a new run that goes on with an ended training, from its last whole checkpoint."""
        find_job(services, job_id)
        return JobDetails.of(await jobs.extend(job_id, wanted.epochs))

    @api.post("/jobs/{job_id}/branch", tags=["jobs"], status_code=201)
    async def branch_job(job_id: str, wanted: Annotated[Branch, Body()]) -> JobDetails:
        """Queue a new run that goes on from one checkpoint of a training, with some parameters changed."""
        find_job(services, job_id)
        return JobDetails.of(await jobs.branch(job_id, wanted.step, wanted.parameters))

    @api.post("/jobs/{job_id}/follow-up", tags=["jobs"], status_code=201)
    async def follow_up_job(job_id: str, wanted: Annotated[FollowUp, Body()]) -> JobDetails:
        """Queue an evaluation or a merge of a training's adapter, which waits until the training is completed."""
        find_job(services, job_id)
        follow_up = await jobs.follow_up(
            job_id, wanted.kind, dataset_path=wanted.dataset_path, output_dir=wanted.output_dir
        )
        return JobDetails.of(follow_up)


def _add_checkpoints(api: FastAPI, services: Services) -> None:
    @api.get("/jobs/{job_id}/checkpoints", tags=["jobs"])
    async def list_checkpoints(job_id: str) -> list[Checkpoint]:
        """The checkpoints that are there, the oldest step first."""
        views = await services.jobs.checkpoints(find_job(services, job_id))
        return [Checkpoint(**asdict(view)) for view in views]

    @api.delete("/jobs/{job_id}/checkpoints/{step}", tags=["jobs"], status_code=204)
    async def delete_checkpoint(job_id: str, step: StepInPath) -> None:
        """Delete one checkpoint of a job that is not at work."""
        find_job(services, job_id)
        await services.jobs.delete_checkpoint(job_id, step)


def _add_queue(api: FastAPI, services: Services) -> None:
    jobs = services.jobs

    def queue() -> Queue:
        return Queue(held=jobs.queue_held, jobs=[job.id for job in jobs.queue])

    @api.get("/queue", tags=["queue"])
    async def show_queue() -> Queue:
        """What waits, the next one first."""
        return queue()

    @api.post("/queue/hold", tags=["queue"])
    async def hold_queue() -> Queue:
        """Start nothing new until it is continued; what is at work goes on."""
        await jobs.hold_queue()
        return queue()

    @api.post("/queue/continue", tags=["queue"])
    async def continue_queue() -> Queue:
        """Let what waits start again."""
        await jobs.continue_queue()
        return queue()
