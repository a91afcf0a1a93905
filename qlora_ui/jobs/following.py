"""Finds the runs of a home folder, whoever started them, and keeps the live jobs in step with what is on the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs import queue, queue_file
from qlora_ui.jobs.history.histories import OpenHistories
from qlora_ui.jobs.history.history_cache import WholeHistory, read_history
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.reactive import Event, forget_bindings
from qlora_ui.jobs.watch import Look, Observation, RunWatch, look_at
from qlora_ui.jobs.workers.endings import Ending, ending_of, way_on
from qlora_ui.jobs.workers.launcher import Launcher

log = logging.getLogger(__name__)

JOBS_AT_ONCE = 50  # then the event loop gets its turn


class JobFollower:
    """The jobs of one home folder as they are; it changes none of them, but kills a worker that will not hear."""

    def __init__(self, workspace: Workspace, launcher: Launcher, stop_grace_seconds: float) -> None:
        self.workspace = workspace
        self.jobs: dict[str, Job] = {}
        self.unreadable: dict[str, str] = {}
        """Run folders that cannot be shown: name → the reason in words. They are left as they are."""
        self.queue_held = False
        """Nothing new is started, whichever manager of this home would; what is at work goes on."""
        self.jobs_changed: Event[[]] = Event()
        """A job appeared, disappeared or changed its status, or the queue its order or its state."""
        self._launcher = launcher
        self._stop_grace_seconds = stop_grace_seconds
        self._watches: dict[str, RunWatch] = {}
        self._histories = OpenHistories()
        self._processes: dict[str, ProcessIdentity] = {}
        self._killed: set[ProcessIdentity] = set()
        self._looking = asyncio.Lock()
        self._reading: dict[str, asyncio.Future[None]] = {}
        """The histories that are being read now, by the id of the run."""

    def get(self, job_id: str) -> Job:
        """Raises JobError for an id that is not known, or that of a run that cannot be read."""
        if job_id in self.unreadable and job_id not in self.jobs:
            raise JobError(self.unreadable[job_id])
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobError(f"There is no run {job_id}.", "`qlora-ui jobs list` shows those that there are.") from None

    @property
    def queue(self) -> list[Job]:
        """The jobs that wait, the next one first."""
        return queue.waiting(self.jobs.values())

    async def ended(self, job: Job) -> JobStatus:
        """Wait until nothing more will happen to a job by itself; gives the status it then has.

        Raises JobError when the run is deleted.
        """
        while not (job.status.is_final or job.status is JobStatus.PAUSED):
            if self.jobs.get(job.id) is not job:
                raise JobError(f"{job.name} was deleted.")
            await self.jobs_changed.emitted()
        return job.status

    async def load_history(self, job: Job) -> None:
        """Read the events of a run of the past, so that its curves and log can be shown. Raises WorkspaceError."""
        if (reading := self._reading.get(job.id)) is None:  # several pages may want it at once
            reading = self._reading[job.id] = asyncio.ensure_future(self._load_history(job))
            reading.add_done_callback(lambda _done: self._reading.pop(job.id))
        await asyncio.shield(reading)

    async def refresh(self) -> None:
        """Look at every run folder once, now. Raises WorkspaceError."""
        await self._look(None)

    async def _look(self, names: Collection[str] | None) -> None:
        """Look at the run folders of these names; None for all that there are."""
        # What is read is new only once: it is taken over even when whoever asked for the look goes away meanwhile.
        await asyncio.shield(self._look_and_take_over(names))

    async def _look_and_take_over(self, names: Collection[str] | None) -> None:
        async with self._looking:
            look, held = await asyncio.to_thread(self._look_at_home, names)
            not_looked_at = {} if names is None else {n: why for n, why in self.unreadable.items() if n not in names}
            self.unreadable = not_looked_at | look.unreadable
            for job_id in look.gone:
                self._forget(job_id)
            is_longer = any(watch.record.id not in self.jobs for watch, _ in look.found)
            changed = await self._take_over_all(look) or bool(look.gone) or held is not self.queue_held
            self.queue_held = held
            if is_longer:
                self.jobs = dict(sorted(self.jobs.items(), key=lambda item: (item[1].created_at, item[0])))
            if changed:
                queue.number(self.jobs, held=held)
            for watch, _ in look.found:
                if watch.record.id in self.jobs:
                    self.jobs[watch.record.id].tell()
        if changed:
            self.jobs_changed.emit()

    @property
    def _at_work(self) -> set[str]:
        """The runs that change by themselves, which are few enough to be looked at all the time."""
        return {name for name, watch in self._watches.items() if not watch.is_settled}

    def _look_at_home(self, names: Collection[str] | None) -> tuple[Look, bool]:
        look = look_at(self.workspace, dict(self._watches), names)
        return look, queue_file.is_held(self.workspace)

    async def _take_over_all(self, look: Look) -> bool:
        changed = False
        endings = await self._endings(look.found)
        for number, (watch, observation) in enumerate(look.found, start=1):
            job_id = watch.record.id
            if job_id not in self.jobs:
                self._watches[job_id] = watch
                self.jobs[job_id] = Job(watch.paths, watch.record, watch.parameters)
                changed = True
            try:
                changed |= self._take_over(self.jobs[job_id], observation, endings.get(job_id))
                self._histories.note(self.jobs[job_id], watch)
            except Exception:  # of whoever is bound to the job: it is taken in anew, and the others go on
                log.exception("the news of %s could not be shown", job_id)
                self._forget(job_id)
            if number % JOBS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return changed

    def _take_over(self, job: Job, found: Observation, ending: Ending | None) -> bool:
        """Bring a job up to what was found. True when that may concern others: its status, or its place."""
        was_at = job.record
        if found.process is not None:
            self._processes[job.id] = found.process
        if found.history is not None:
            job.replace_history(found.history, whole=found.is_whole)
        changed = job.settle(
            found.record,
            found.status,
            found.ended,
            asked_to=found.asked.action if found.asked else "",
            has_checkpoint=found.checkpoint is not None,
        )
        job.take_in(found.new_events)
        if ending is not None:
            job.message, job.hint = ending.message, way_on(ending.hint, found.checkpoint)
            job.cause, job.traceback = ending.cause, ending.traceback
        if found.asked_seconds_ago > self._stop_grace_seconds and found.process is not None:
            self._kill(job, found.process)
        return changed or found.record != was_at

    async def _endings(self, found: list[tuple[RunWatch, Observation]]) -> dict[str, Ending]:
        """Why the workers are gone that wrote no end, by the id of the run."""
        gone = [
            (watch.paths, seen.record.attempt, seen.process, self._exit_code(seen.process))
            for watch, seen in found
            if seen.status is JobStatus.INTERRUPTED
        ]

        def read() -> dict[str, Ending]:
            return {
                paths.id: ending_of(paths, attempt, process, code, overdue=process in self._killed)
                for paths, attempt, process, code in gone
            }

        return await asyncio.to_thread(read) if gone else {}

    def _exit_code(self, process: ProcessIdentity | None) -> int | None:
        return None if process is None else self._launcher.exit_code(process)

    def _kill(self, job: Job, process: ProcessIdentity) -> None:
        if process in self._killed:
            return
        self._killed.add(process)
        log.warning("%s did not stop within %.0f s and is killed", job.id, self._stop_grace_seconds)
        try:
            self._launcher.kill(process)
        except OSError as error:
            log.error("%s could not be killed: %s", job.id, error)

    def _forget(self, job_id: str) -> None:
        self._watches.pop(job_id, None)
        self._processes.pop(job_id, None)
        self._histories.forget(job_id)
        if (job := self.jobs.pop(job_id, None)) is not None:
            forget_bindings([job])

    async def _load_history(self, job: Job) -> None:
        try:
            # It may take long, and the other runs go on meanwhile.
            whole = None if job.history_loaded else await asyncio.to_thread(read_history, job.paths)
            async with self._looking:
                changed = await self._take_over_history(job, whole)
        except OSError as error:
            raise WorkspaceError(f"The events of {job.name} cannot be read: {error.strerror}.") from error
        if changed:
            self.jobs_changed.emit()

    async def _take_over_history(self, job: Job, whole: WholeHistory | None) -> bool:
        """True when that may concern other jobs."""
        if (watch := self._watches.get(job.id)) is None:
            return False
        if job.history_loaded:
            self._histories.note(job, watch)
            return False
        found = await asyncio.to_thread(watch.observe, thoroughly=True, whole=whole)
        endings = await self._endings([(watch, found)]) if found is not None else {}
        changed = found is not None and self._take_over(job, found, endings.get(job.id))
        queue.number(self.jobs, held=self.queue_held)  # a job that waits has got the words of its status
        job.tell()
        self._histories.note(job, watch)
        return changed
