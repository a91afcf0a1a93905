"""How far the run at work is, in front of the name of the browser's tab."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.browser.tab_title import show_progress
from qlora_ui.components.events import listen
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job

if TYPE_CHECKING:
    from qlora_ui.services import Services


class TabProgress(ui.element):
    """Follows one job at a time: on the page of a run that run, elsewhere the one that began first."""

    def __init__(self, services: Services, path: str) -> None:
        super().__init__("template")
        self._jobs, self._path = services.jobs, path
        self._job: Job | None = None
        with self:
            self._following = ui.element("template")
            listen(services.jobs.jobs_changed, self._choose)
        self._choose()

    def show_open(self, path: str) -> None:
        """Another page was opened."""
        self._path = path
        self._choose()

    def _choose(self) -> None:
        job = job_to_show(self._jobs.jobs.values(), self._path)
        if job is not self._job:
            self._job = job
            self._following.clear()
            if job is not None:
                with self._following:
                    listen(job.changed, self._tell)
        self._tell()

    def _tell(self) -> None:
        show_progress(None if self._job is None else self._job.progress)


def job_to_show(jobs: Iterable[Job], path: str) -> Job | None:
    """Of a run's own page that run, as long as it is at work; elsewhere the one at work that began first."""
    at_work = [job for job in jobs if job.status is JobStatus.RUNNING]
    section, _, own = path.partition("?")[0].partition("#")[0].strip("/").partition("/")
    if section == "activity" and own:
        return next((job for job in at_work if job.id == own), None)
    return min(at_work, key=lambda job: job.started_at or job.created_at, default=None)
