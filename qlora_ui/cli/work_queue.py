"""`qlora-ui jobs work`: the queue works in a terminal, without the app."""

from __future__ import annotations

import asyncio
from datetime import datetime

from qlora_ui import console
from qlora_ui.cli.follow import following
from qlora_ui.cli.interrupts import heard
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.views import JobSummary


async def work(workspace: Workspace, *, as_json: bool) -> int:
    """Launch what waits until nothing is left that could start; says when each run starts and ends.

    The exit code is 0 when all that ended meanwhile are completed, 1 when one is not or the queue is held, and 130
    after Ctrl+C, which leaves what is at work to itself.
    """
    async with following(workspace) as jobs:
        news = asyncio.Event()
        left: list[None] = []

        def leave() -> None:
            left.append(None)
            news.set()

        diary = _Diary(quiet=as_json)
        jobs.jobs_changed.subscribe(news.set)
        try:
            with heard(leave):
                while not left:
                    news.clear()
                    diary.note(jobs)
                    if not (jobs.startable or _at_work(jobs)):
                        break
                    await news.wait()
        finally:
            jobs.jobs_changed.unsubscribe(news.set)
        return _report(jobs, diary, was_interrupted=bool(left), as_json=as_json)


class _Diary:
    """Notes the starts and the ends."""

    def __init__(self, *, quiet: bool) -> None:
        self.ended: list[Job] = []
        self._quiet = quiet
        self._at_work: set[str] = set()

    def note(self, jobs: JobManager) -> None:
        for job in list(jobs.jobs.values()):
            if job.status is JobStatus.RUNNING and job.id not in self._at_work:
                self._at_work.add(job.id)
                self._say(f"{job.name} is at work on {job.record.device}: {job.id}")
            elif job.status is not JobStatus.RUNNING and job.id in self._at_work:
                self._at_work.remove(job.id)
                self.ended.append(job)
                self._say(f"{job.name} {job.status}: {job.message} {job.hint}".strip())

    def _say(self, text: str) -> None:
        if not self._quiet:
            console.say(f"{datetime.now():%H:%M:%S}  {text}")


def _at_work(jobs: JobManager) -> list[Job]:
    return [job for job in jobs.jobs.values() if job.status is JobStatus.RUNNING]


def _report(jobs: JobManager, diary: _Diary, *, was_interrupted: bool, as_json: bool) -> int:
    if as_json:
        console.say(console.models_as_json([JobSummary.of(job) for job in diary.ended]))
    if was_interrupted:
        for job in _at_work(jobs):
            console.complain(f"{job.name} goes on by itself: qlora-ui jobs show {job.id}")
        return 130
    if jobs.queue_held and jobs.queue:
        console.complain(f"{queue.HELD} To do so: qlora-ui jobs continue")
        return 1
    for job in jobs.queue:
        console.complain(f"{job.name}: {job.message}")
    return int(any(job.status is not JobStatus.COMPLETED for job in diary.ended))
