"""`qlora-ui jobs list|show`: what the command line says of runs."""

from __future__ import annotations

from datetime import datetime

from qlora_ui import console
from qlora_ui.cli.follow import following, result_of
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.search import find
from qlora_ui.jobs.views import JobDetails, JobSummary
from qlora_ui.jobs.watch import find_runs


async def list_all(
    workspace: Workspace,
    kinds: list[JobKind],
    statuses: list[JobStatus],
    text: str,
    limit: int | None,
    *,
    as_json: bool,
) -> int:
    """The runs that fit, the oldest first; those that cannot be read, and a held queue, are named at the end."""
    async with following(workspace, launch=False) as jobs:
        found = find(jobs.jobs.values(), kinds=kinds, statuses=statuses, text=text)[-(limit or 0) :]
        if as_json:
            console.say(console.models_as_json([JobSummary.of(job) for job in found]))
            return 0
        if not jobs.jobs and not jobs.unreadable:
            console.say("No runs yet. `qlora-ui demo` makes the first one.")
            return 0
        console.say(_table(found) if found else "No run fits that.")
        for reason in jobs.unreadable.values():
            console.complain(reason)
        if jobs.queue_held:
            console.complain(f"{queue.HELD} To do so: qlora-ui jobs continue")
    return 0


def _table(jobs: list[Job]) -> str:
    rows = [
        (job.id, job.kind, job.name, _standing(job), f"{job.progress:.0%}", local_time(job.updated_at)) for job in jobs
    ]
    return console.table(rows, header=("id", "kind", "name", "status", "done", "last news"))


def _standing(job: Job) -> str:
    return f"{job.status} ({job.queue_position})" if job.queue_position else job.status


async def show(workspace: Workspace, run_id: str, *, as_json: bool) -> int:
    """One run."""
    async with following(workspace, launch=False) as jobs:
        job = jobs.get(full_id(workspace, run_id))
        await jobs.load_history(job)
    if as_json:
        console.say(JobDetails.of(job).model_dump_json(indent=1))
        return 0
    rows = [
        ("Run", job.id),
        ("Kind", job.kind),
        ("Status", f"{_standing(job)}: {job.message} {job.hint}".strip()),
        ("Progress", f"step {job.step} of {job.total_steps}" if job.total_steps else "not begun"),
        ("Folder", str(job.paths.folder)),
    ]
    if (start := job.record.starts_from) is not None:
        rows.append(("Goes on from", f"step {start.step:,} of {start.run}"))
    parameters = job.parameters.model_dump().items()
    rows += [(name, str(value)) for name, value in parameters if value not in ("", None, [], {})]
    width = max(len(name) for name, _value in rows) + 2
    console.say("\n".join(f"{name:<{width}}{value}" for name, value in rows))
    if job.status is JobStatus.COMPLETED:
        console.say("\n" + result_of(job))
    return 0


def full_id(workspace: Workspace, beginning: str) -> str:
    """The one run whose id begins so. Raises JobError when there is none, or more than one."""
    names = find_runs(workspace)
    if beginning in names:
        return beginning
    found = sorted(name for name in names if name.startswith(beginning))
    if not found:
        raise JobError(f"There is no run {beginning}.", "`qlora-ui jobs list` shows those that there are.")
    if len(found) > 1:
        raise JobError(
            f"{beginning} is the beginning of {len(found)} runs: {', '.join(found[:5])}.", "Write more of it."
        )
    return found[0]


def local_time(moment: datetime) -> str:
    """On the clock of this machine."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
