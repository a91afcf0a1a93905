"""`qlora-ui jobs …`: what the command line says of runs."""

from __future__ import annotations

import json
from datetime import datetime

from qlora_ui import console
from qlora_ui.cli.follow import result_of
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.views import JobDetails, JobSummary
from qlora_ui.jobs.watch import find_runs


async def list_all(workspace: Workspace, *, as_json: bool) -> int:
    """All runs, the oldest first; those that cannot be read are named at the end."""
    jobs = await _look(workspace)
    if as_json:
        console.say(console.models_as_json([JobSummary.of(job) for job in jobs.jobs.values()]))
        return 0
    if not jobs.jobs and not jobs.unreadable:
        console.say("No runs yet. `qlora-ui demo` makes the first one.")
        return 0
    rows = [
        (job.id, job.kind, job.name, job.status, f"{job.progress:.0%}", _local(job.updated_at))
        for job in jobs.jobs.values()
    ]
    console.say(console.table(rows, header=("id", "kind", "name", "status", "done", "last news")))
    for reason in jobs.unreadable.values():
        console.complain(reason)
    return 0


async def show(workspace: Workspace, run_id: str, *, as_json: bool) -> int:
    """One run."""
    jobs = await _look(workspace)
    job = jobs.get(full_id(workspace, run_id))
    await jobs.load_history(job)
    if as_json:
        console.say(JobDetails.of(job).model_dump_json(indent=1))
        return 0
    rows = [
        ("Run", job.id),
        ("Kind", job.kind),
        ("Status", f"{job.status}: {job.message}"),
        ("Progress", f"step {job.step} of {job.total_steps}" if job.total_steps else "not begun"),
        ("Folder", str(job.paths.folder)),
    ]
    rows += [(name, str(value)) for name, value in job.parameters.model_dump().items() if value not in {"", None}]
    console.say("\n".join(f"{name:<26}{value}" for name, value in rows))
    if job.status is JobStatus.COMPLETED:
        console.say("\n" + result_of(job))
    return 0


async def logs(workspace: Workspace, run_id: str, *, as_json: bool) -> int:
    """The log of one run: its events in words, then what its process printed."""
    jobs = await _look(workspace)
    job = jobs.get(full_id(workspace, run_id))
    await jobs.load_history(job)
    if as_json:
        lines = [{"time": e.time.isoformat(), "level": e.level, "message": e.message} for e in job.logs]
        console.say(json.dumps(lines, ensure_ascii=False, indent=1))
        return 0
    for entry in job.logs:
        console.say(f"{_local(entry.time)}  {entry.level.upper() if entry.level != 'info' else ''} {entry.message}")
    if job.paths.console.is_file() and (
        printed := job.paths.console.read_text(encoding="utf-8", errors="replace").strip()
    ):
        console.say("\nWhat its process printed:\n" + printed)
    return 0


async def ask(workspace: Workspace, run_id: str, action: str, *, as_json: bool) -> int:
    """Stop, pause or delete a run."""
    jobs = await _look(workspace)
    job = jobs.get(full_id(workspace, run_id))
    await {"stop": jobs.stop, "pause": jobs.pause, "delete": jobs.delete}[action](job.id)
    if as_json:
        console.say(json.dumps({"id": job.id, "action": action}))
    elif action == "delete":
        console.say(f"{job.name} is deleted.")
    else:
        console.say(f"{job.name}: {job.message}")
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


async def _look(workspace: Workspace) -> JobManager:
    jobs = JobManager(workspace)
    await jobs.refresh()
    return jobs


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
