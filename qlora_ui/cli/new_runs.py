"""`qlora-ui jobs duplicate|extend|branch|follow-up`: new runs from old ones."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from qlora_ui.cli.follow import following, queue_or_follow
from qlora_ui.cli.show_jobs import full_id
from qlora_ui.cli.values import assignments
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager


async def duplicate(workspace: Workspace, run_id: str, changes: list[str], *, wait: bool, as_json: bool) -> int:
    """The same once more, with `key=value` changes."""

    def make(jobs: JobManager, job: Job) -> Awaitable[Job]:
        return jobs.duplicate(job.id, assignments(changes, job.kind))

    return await _make(workspace, run_id, make, wait=wait, as_json=as_json)


async def extend(workspace: Workspace, run_id: str, epochs: float, *, wait: bool, as_json: bool) -> int:
    """More epochs."""
    return await _make(workspace, run_id, lambda jobs, job: jobs.extend(job.id, epochs), wait=wait, as_json=as_json)


async def branch(workspace: Workspace, run_id: str, step: int, changes: list[str], *, wait: bool, as_json: bool) -> int:
    """Another way on from a checkpoint, with `key=value` changes."""

    def make(jobs: JobManager, job: Job) -> Awaitable[Job]:
        return jobs.branch(job.id, step, assignments(changes, job.kind))

    return await _make(workspace, run_id, make, wait=wait, as_json=as_json)


async def follow_up(
    workspace: Workspace, run_id: str, kind: JobKind, data: str, output: str, *, wait: bool, as_json: bool
) -> int:
    """What comes after a training."""

    def make(jobs: JobManager, job: Job) -> Awaitable[Job]:
        return jobs.follow_up(job.id, kind, dataset_path=data, output_dir=output)

    return await _make(workspace, run_id, make, wait=wait, as_json=as_json)


async def _make(
    workspace: Workspace,
    run_id: str,
    make: Callable[[JobManager, Job], Awaitable[Job]],
    *,
    wait: bool,
    as_json: bool,
) -> int:
    async with following(workspace, launch=wait) as jobs:
        job = await make(jobs, jobs.get(full_id(workspace, run_id)))
        return await queue_or_follow(jobs, job, wait=wait, as_json=as_json)
