"""Which histories of past runs are in memory, and how long ones are made ready before anybody asks for them."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.history.history_cache import is_ready, is_short, read_history
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.logs.derived_log import is_log_ready, log_of
from qlora_ui.jobs.reactive import Event
from qlora_ui.jobs.watch import RunWatch

log = logging.getLogger(__name__)

HISTORIES_KEPT = 20
"""So many of runs that nobody looks at stay in memory, the ones that were opened last."""
REST_SECONDS = 0.01
NEWS_SECONDS = 0.5
"""Runs that end, appear or go within this time are looked through once."""


class OpenHistories:
    """The histories in memory. Those of runs at work, and those that somebody looks at, stay there in any case."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[Job, RunWatch]] = OrderedDict()

    def note(self, job: Job, watch: RunWatch) -> None:
        """The history of a job was read, or is wanted again. The one that was wanted longest ago may go."""
        if not job.history_loaded:
            return
        self._open[job.id] = job, watch
        self._open.move_to_end(job.id)
        idle = [job_id for job_id, (one, _) in self._open.items() if not _is_needed(one)]
        for job_id in idle[:-HISTORIES_KEPT]:
            one, its_watch = self._open.pop(job_id)
            its_watch.forget_history()
            one.forget_history()

    def forget(self, job_id: str) -> None:
        """The run is gone."""
        self._open.pop(job_id, None)


def _is_needed(job: Job) -> bool:
    return job.status is JobStatus.RUNNING or bool(job.curves_reset.callbacks)


async def keep_ready(jobs: Callable[[], Iterable[Job]], changed: Event[[]]) -> None:
    """Read long events of runs at rest that are in no cache yet, one by one and in no hurry, until cancelled."""
    looked_at: dict[str, int] = {}
    while True:
        new = [job for job in jobs() if job.status.is_final and looked_at.get(job.id) != job.record.attempt]
        if not new:
            await changed.emitted()
            await asyncio.sleep(NEWS_SECONDS)
            continue
        looked_at.update({job.id: job.record.attempt for job in new})
        for paths in await asyncio.to_thread(_not_ready, [job.paths for job in new]):
            try:
                await asyncio.to_thread(make_ready, paths)
            except (OSError, WorkspaceError):
                continue  # whoever opens one that cannot be read is told
            except Exception:  # of one run, which must not keep the others waiting
                log.exception("the history of %s could not be made ready", paths.id)


def make_ready(paths: RunPaths) -> None:
    """Read what a run has said so that it opens at once the next time. Raises OSError, WorkspaceError."""
    read_history(paths, rest_seconds=REST_SECONDS)
    log_of(paths, rest_seconds=REST_SECONDS)


def _not_ready(runs: list[RunPaths]) -> list[RunPaths]:
    return [paths for paths in runs if not (is_ready(paths) and (is_short(paths) or is_log_ready(paths)))]
