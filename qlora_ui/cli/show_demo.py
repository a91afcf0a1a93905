"""`qlora-ui demo`: the whole loop in a terminal."""

from __future__ import annotations

import json

from qlora_ui import console
from qlora_ui.cli import follow
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.demo import StarterRun, submit_starter
from qlora_ui.jobs.views import JobDetails


async def run_in_terminal(workspace: Workspace, *, as_json: bool) -> int:
    """The whole loop without a browser: train, score before and after, merge, verify. Gives the exit code."""
    async with follow.following(workspace) as jobs:
        run = await submit_starter(jobs)
        for job in run.jobs:
            if await follow.watch(jobs, job, quiet=as_json) is not JobStatus.COMPLETED:
                for waiting in (run.evaluation, run.merge):
                    if waiting.can_stop:
                        await jobs.stop(waiting.id)
                return await follow.see_through(jobs, job, as_json=as_json)
        if as_json:
            console.say(console.models_as_json([JobDetails.of(job) for job in run.jobs]))
        else:
            console.say(_report(run))
        return 0


def _report(run: StarterRun) -> str:
    """The table of before and after, one answer as an example, and where everything is."""
    return "\n".join(
        [
            "",
            follow.result_of(run.training),
            "",
            follow.result_of(run.evaluation),
            *_example(run),
            "",
            follow.result_of(run.merge),
            "",
            "Open the app with `qlora-ui` to see the curves, or to train on a file of your own.",
        ]
    )


def _example(run: StarterRun) -> list[str]:
    """One held-out row: what was asked, and what base and adapter answered."""
    try:
        with run.evaluation.paths.answers.open(encoding="utf-8") as file:
            row = json.loads(file.readline())
    except (OSError, ValueError):
        return []
    return [
        "",
        "A held-out row:",
        *(f"  {name:<10}{row[name]}" for name in ("prompt", "base", "adapter") if name in row),
    ]
