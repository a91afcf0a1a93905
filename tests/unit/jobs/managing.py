"""What tests of the manager share: its runs' statuses, and waiting until something is true."""

import asyncio
from collections.abc import Callable

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager

Make = Callable[[], JobManager]
Training = Callable[..., TrainingParameters]


def status_of(job: Job) -> JobStatus:
    """The status now; a function, because a type checker takes an attribute for unchanged once it was compared."""
    return job.status


async def reach(manager: JobManager, condition: Callable[[], bool]) -> None:
    """Wait, woken by the manager's and its jobs' own events, until something is true."""
    happened = asyncio.Event()
    heard: list[Job] = []

    def hear() -> None:
        for job in manager.jobs.values():
            if job not in heard:
                heard.append(job)
                job.changed.subscribe(happened.set)
        happened.set()

    manager.jobs_changed.subscribe(hear)
    hear()
    async with asyncio.timeout(30):
        while not condition():
            happened.clear()
            await happened.wait()
    manager.jobs_changed.unsubscribe(hear)
