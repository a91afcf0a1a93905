"""All jobs of a home folder: takes them in, starts one at a time per device, follows them, and finds them again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Callable

from filelock import FileLock, Timeout

from qlora_ui.contract.errors import JobError, ParameterError, WorkspaceError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Command, JobKind, JobRecord, JobStatus, ProcessIdentity
from qlora_ui.jobs import decisions, queue
from qlora_ui.jobs.dispatcher import Dispatcher
from qlora_ui.jobs.intake import new_record, with_full_paths
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.launcher import Launcher, LocalLauncher, why_gone
from qlora_ui.jobs.reactive import Event, forget_bindings
from qlora_ui.jobs.run_folder import create_run, remove_remains, write_down
from qlora_ui.jobs.watch import Look, Observation, RunWatch, look_at
from qlora_ui.store.credentials import Credentials

log = logging.getLogger(__name__)

LOOKS_PER_FULL_LOOK = 5
"""Runs that are not at work change only when a person, or another manager, wants it: they are looked at less often."""
JOBS_AT_ONCE = 50  # then the event loop gets its turn
TRIES = 5


class JobManager:
    """The jobs of one home folder. Several managers (a server's, a command's) may follow the same home at once."""

    def __init__(
        self,
        workspace: Workspace,
        launcher: Launcher | None = None,
        *,
        poll_seconds: float = 0.2,
        stop_grace_seconds: float = 300.0,
    ) -> None:
        """`stop_grace_seconds`: a worker that was asked to stop and did not within this time is killed."""
        self.workspace = workspace
        self.jobs: dict[str, Job] = {}
        self.unreadable: dict[str, str] = {}
        """Run folders that cannot be shown: name → the reason in words. They are left as they are."""
        self.trouble = ""
        """Why the home folder cannot be followed at the moment; empty when all is well."""
        self.jobs_changed: Event[[]] = Event()
        """A job appeared, disappeared or changed its status."""
        self._launcher = launcher or LocalLauncher(credentials=Credentials(workspace).environment)
        self._dispatcher = Dispatcher(workspace, self._launcher)
        self._poll_seconds = poll_seconds
        self._stop_grace_seconds = stop_grace_seconds
        self._watches: dict[str, RunWatch] = {}
        self._processes: dict[str, ProcessIdentity] = {}
        self._killed: set[ProcessIdentity] = set()
        self._closing = False
        self._follower: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()

    # ---- life ----

    async def start(self) -> None:
        """Find all runs, take back those whose workers live, begin to follow and to launch. Raises WorkspaceError."""
        await asyncio.to_thread(remove_remains, self.workspace)
        await self.refresh()
        self._follower = asyncio.create_task(self._follow(), name="follow the runs")

    async def close(self) -> None:
        """Stop following, after the look that is under way. Workers go on: the next manager on this home finds them."""
        self._closing = True
        self._wake.set()
        if self._follower is not None:
            await self._follower
            self._follower = None
        self._launcher.release()

    # ---- what a person can ask for ----

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

    async def submit(self, kind: JobKind, parameters: JobParameters, *, after: str | None = None) -> Job:
        """Put a job into the queue; with `after`, it starts only once that job is completed.

        Raises ParameterError for files that are not there, JobError for an unknown `after`, WorkspaceError.
        """
        if after is not None:
            self.get(after)

        def create() -> JobRecord:
            settled = with_full_paths(parameters, check_adapter=after is None)
            record = new_record(kind, settled, after)
            paths = create_run(self.workspace, record, settled)
            try:  # once more: only now does whoever deletes them see that they are wanted
                with_full_paths(settled, check_adapter=after is None)
            except ParameterError:
                write_down(self.workspace, paths, record, None)
                raise
            return record

        record = await asyncio.to_thread(create)
        await self.refresh()
        self._wake.set()
        return self.get(record.id)

    async def stop(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and end; take a waiting job out of the queue. Raises JobError."""
        await self._change(job_id, lambda job: decisions.asked_to(job, "stop"))

    async def pause(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and give its device back; the job keeps its place. Raises JobError."""
        await self._change(job_id, lambda job: decisions.asked_to(job, "pause"))

    async def resume(self, job_id: str) -> None:
        """Put a paused or ended job back into the queue; it goes on from its newest checkpoint. Raises JobError."""
        await self._change(job_id, lambda job: decisions.queued_again(job, self.jobs))

    async def delete(self, job_id: str) -> None:
        """Remove a run that is not at work, with its checkpoints, adapter and log. Raises JobError, WorkspaceError."""
        await self._change(job_id, lambda job: decisions.deleted(job, self.queue))

    async def load_history(self, job: Job) -> None:
        """Read the events of a run of the past, so that its curves and log can be shown. Raises WorkspaceError."""
        await asyncio.shield(self._load_history(job))

    async def ended(self, job: Job) -> JobStatus:
        """Wait until nothing more will happen to a job by itself; gives the status it then has.

        Raises JobError when the run is deleted.
        """
        while not (job.status.is_final or job.status is JobStatus.PAUSED):
            if self.jobs.get(job.id) is not job:
                raise JobError(f"{job.name} was deleted.")
            await self.jobs_changed.emitted()
        return job.status

    # ---- following ----

    async def refresh(self) -> None:
        """Look at every run folder once, now. Raises WorkspaceError."""
        await self._look(everything=True)

    async def _look(self, *, everything: bool) -> None:
        # What is read is new only once: it is taken over even when whoever asked for the look goes away meanwhile.
        await asyncio.shield(self._look_and_take_over(everything=everything))

    async def _look_and_take_over(self, *, everything: bool) -> None:
        async with self._looking:
            look = await asyncio.to_thread(look_at, self.workspace, dict(self._watches), everything=everything)
            kept = {} if everything else {name: why for name, why in self.unreadable.items() if name not in look.gone}
            self.unreadable = kept | look.unreadable
            for job_id in look.gone:
                self._forget(job_id)
            changed = await self._take_over_all(look) or bool(look.gone)
            if changed:
                self.jobs = dict(sorted(self.jobs.items(), key=lambda item: (item[1].created_at, item[0])))
            if look.found or look.gone:
                queue.number(self.jobs)
                for watch, _ in look.found:
                    if watch.record.id in self.jobs:
                        self.jobs[watch.record.id].tell()
        if changed:
            self.jobs_changed.emit()

    async def _take_over_all(self, look: Look) -> bool:
        changed = False
        for number, (watch, observation) in enumerate(look.found, start=1):
            job_id = watch.record.id
            if job_id not in self.jobs:
                self._watches[job_id] = watch
                self.jobs[job_id] = Job(watch.paths, watch.record, watch.parameters)
                changed = True
            try:
                changed |= self._take_over(self.jobs[job_id], observation)
            except Exception:  # of whoever is bound to the job: it is taken in anew, and the others go on
                log.exception("the news of %s could not be shown", job_id)
                self._forget(job_id)
            if number % JOBS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return changed

    def _take_over(self, job: Job, found: Observation) -> bool:
        if found.process is not None:
            self._processes[job.id] = found.process
        if found.history is not None:
            job.replace_history(found.history, whole=found.is_whole)
        changed = job.settle(
            found.record,
            found.status,
            found.ended,
            asked_to=found.asked.action if found.asked else "",
            has_checkpoint=found.has_checkpoint,
        )
        job.take_in(found.new_events)
        if found.status is JobStatus.INTERRUPTED and found.process is not None:
            job.message = why_gone(self._launcher.exit_code(found.process))
        if found.asked_seconds_ago > self._stop_grace_seconds and found.process is not None:
            self._kill(job, found.process)
        return changed

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
        if (job := self.jobs.pop(job_id, None)) is not None:
            forget_bindings([job])

    async def _load_history(self, job: Job) -> None:
        async with self._looking:
            if job.history_loaded or (watch := self._watches.get(job.id)) is None:
                return
            try:
                found = await asyncio.to_thread(watch.observe, thoroughly=True)
            except OSError as error:
                raise WorkspaceError(f"The events of {job.name} cannot be read: {error.strerror}.") from error
            changed = found is not None and self._take_over(job, found)
            queue.number(self.jobs)
            job.tell()
        if changed:
            self.jobs_changed.emit()

    async def _follow(self) -> None:
        for turn in itertools.count(1):
            if self._closing:
                return
            try:
                self._launcher.reap()
                await self._look(everything=turn % LOOKS_PER_FULL_LOOK == 0)
                await self._launch_next()
                self.trouble = ""
            except Exception as error:  # whatever one look runs into, the next one may fare better
                self._note_trouble(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):  # wait_for can swallow a cancellation (Python 3.11)
                    await self._wake.wait()
            self._wake.clear()

    def _note_trouble(self, error: Exception) -> None:
        """Say it once, not five times a second."""
        if self.trouble != str(error):
            expected = isinstance(error, OSError | WorkspaceError)
            text = "The runs in %s cannot be followed at the moment: %s"
            log.error(text, self.workspace.runs, error, exc_info=None if expected else error)
        self.trouble = str(error)

    # ---- launching ----

    async def _launch_next(self) -> None:
        ready = self._ready
        if not ready or not await asyncio.to_thread(self._dispatcher.has_room, ready, self._busy):
            return
        try:
            lock = FileLock(self.workspace.queue_lock, thread_local=False).acquire(blocking=False)
        except Timeout:
            return  # another manager is at it; there will be a next time
        with lock:
            await self.refresh()  # what the other managers of this home have done counts
            launched = await asyncio.to_thread(self._dispatcher.start_ready, self._ready, self._busy)
        if launched:
            await self.refresh()

    @property
    def _ready(self) -> list[Job]:
        return [job for job in self.queue if not queue.obstacle(job, self.jobs)]

    @property
    def _busy(self) -> set[str]:
        return {job.record.device for job in self.jobs.values() if job.status is JobStatus.RUNNING}

    # ---- changing a record ----

    async def _change(self, job_id: str, decide: Callable[[Job], JobRecord | Command | None]) -> None:
        """Write down what is decided for a job as it stands, anew where it turns out to stand elsewhere by now."""
        for _ in range(TRIES):
            job = self.get(job_id)
            if await asyncio.to_thread(write_down, self.workspace, job.paths, job.record, decide(job)):
                break
            await self.refresh()
        else:
            raise JobError(f"{job_id} changes all the time.", "Ask again.")
        await self.refresh()
        self._wake.set()
