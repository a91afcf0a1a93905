"""What the command line asks of runs that are there, and of the queue."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from qlora_ui import console
from qlora_ui.cli.follow import following, queued, see_through
from qlora_ui.cli.show_jobs import full_id
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.views import JobDetails, JobSummary


async def ask(workspace: Workspace, run_ids: list[str], action: str, *, as_json: bool) -> int:
    """Stop, pause or delete runs; where one of several refuses, the others are asked all the same."""
    async with following(workspace, launch=False) as jobs:

        async def act(job_id: str) -> dict[str, Any]:
            job = jobs.get(job_id)
            successors = jobs.successors(job) if action == "pause" else []
            await {"stop": jobs.stop, "pause": jobs.pause, "delete": jobs.delete}[action](job_id)
            if not as_json:
                console.say(f"{job.name} is deleted." if action == "delete" else f"{job.name}: {job.message}")
            if successors and not as_json:
                console.say(f"The next, {successors[0].name}, starts on it; `qlora-ui jobs hold` keeps it free.")
            return {"id": job_id, "action": action}

        return await _for_each(workspace, run_ids, act, as_json=as_json)


async def queue_again(workspace: Workspace, run_ids: list[str], action: str, *, wait: bool, as_json: bool) -> int:
    """Put runs back into the queue (`action`: resume or retry), and follow them to their end if `wait`."""
    async with following(workspace, launch=wait) as jobs:
        asked: list[Job] = []

        async def act(job_id: str) -> dict[str, Any]:
            await {"resume": jobs.resume, "retry": jobs.retry}[action](job_id)
            asked.append(jobs.get(job_id))
            if not (wait or as_json):
                console.say(queued(asked[-1], held=jobs.queue_held))
            return JobSummary.of(asked[-1]).model_dump(mode="json")

        code = await _for_each(workspace, run_ids, act, as_json=as_json, quiet=wait)
        if not wait:
            return code
        if as_json and len(run_ids) > 1:
            return max(code, await _tell_ends(jobs, asked))
        return max([code, *[await see_through(jobs, job, as_json=as_json) for job in asked]])


async def move(workspace: Workspace, run_id: str, place: int, *, as_json: bool) -> int:
    """Put a waiting run at another place."""
    async with following(workspace, launch=False) as jobs:
        job = jobs.get(full_id(workspace, run_id))
        await jobs.move(job.id, place)
        new = jobs.queue.index(job) + 1
        if as_json:
            console.say(json.dumps({"id": job.id, "place": new}))
        else:
            console.say(f"{job.name} is number {new} of the {len(jobs.queue)} that wait.")
        return 0


async def hold(workspace: Workspace, *, held: bool, as_json: bool) -> int:
    """Hold or continue the whole queue."""
    async with following(workspace, launch=False) as jobs:
        await (jobs.hold_queue() if held else jobs.continue_queue())
        if as_json:
            console.say(json.dumps({"held": jobs.queue_held}))
        elif held:
            console.say("The queue is held: nothing new is started until `qlora-ui jobs continue`.")
        else:
            console.say("The queue goes on: the app, or `qlora-ui jobs work`, starts what waits.")
        return 0


async def _for_each(
    workspace: Workspace,
    run_ids: list[str],
    act: Callable[[str], Awaitable[dict[str, Any]]],
    *,
    as_json: bool,
    quiet: bool = False,
) -> int:
    """Do it for each run and say, unless `quiet`, as JSON what came of it; a single one that refuses raises."""
    if len(run_ids) == 1:
        told = await act(full_id(workspace, run_ids[0]))
        if as_json and not quiet:
            console.say(json.dumps(told, ensure_ascii=False))
        return 0
    answers, failed = [], False
    for run_id in run_ids:
        try:
            answers.append(await act(full_id(workspace, run_id)))
        except QloraUiError as error:
            failed = True
            answers.append({"id": run_id, "error": error.message, "hint": error.hint})
            console.complain(str(error))
    if as_json and not quiet:
        console.say(json.dumps(answers, ensure_ascii=False, indent=1))
    return int(failed)


async def _tell_ends(jobs: JobManager, asked: list[Job]) -> int:
    """Wait for all of them, and say as one JSON list how they stand."""
    completed = [await jobs.ended(job) is JobStatus.COMPLETED for job in asked]
    for job in asked:
        await jobs.load_history(job)
    console.say(console.models_as_json([JobDetails.of(job) for job in asked]))
    return int(not all(completed))
