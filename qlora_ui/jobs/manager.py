"""All jobs of a home folder: takes them in, starts one at a time per device, follows them, and finds them again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable

from filelock import FileLock

from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Command, JobKind, JobRecord, JobStatus, ProcessIdentity, now
from qlora_ui.jobs import queue
from qlora_ui.jobs.dispatcher import Dispatcher
from qlora_ui.jobs.intake import new_record, with_full_paths
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.launcher import Launcher, LocalLauncher
from qlora_ui.jobs.reactive import Event, forget_bindings
from qlora_ui.jobs.run_folder import create_run, read_record, remove_run, write_command, write_record
from qlora_ui.jobs.watch import Observation, RunWatch, find_runs

log = logging.getLogger(__name__)


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
        self._launcher = launcher or LocalLauncher()
        self._dispatcher = Dispatcher(workspace, self._launcher)
        self._poll_seconds = poll_seconds
        self._stop_grace_seconds = stop_grace_seconds
        self._watches: dict[str, RunWatch] = {}
        self._processes: dict[str, ProcessIdentity] = {}
        self._follower: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._looking = asyncio.Lock()

    # ---- life ----

    async def start(self) -> None:
        """Find all runs, take back those whose workers live, and begin to follow and to launch."""
        await self.refresh()
        self._follower = asyncio.create_task(self._follow(), name="follow the runs")

    async def close(self) -> None:
        """Stop following. Workers go on: the next manager on this home finds them."""
        if self._follower is not None:
            self._follower.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None
        self._launcher.release()

    # ---- what a person can ask for ----

    def get(self, job_id: str) -> Job:
        """Raises JobError for an id that is not known."""
        try:
            return self.jobs[job_id]
        except KeyError:
            raise JobError(f"There is no run {job_id}.", "`qlora-ui jobs list` shows those that there are.") from None

    @property
    def queue(self) -> list[Job]:
        """The jobs that wait, the next one first."""
        return queue.waiting(self.jobs.values())

    async def submit(self, kind: JobKind, parameters: JobParameters, *, after: str | None = None) -> Job:
        """Put a job into the queue. With `after`, it starts only once that job is completed.

        Raises ParameterError for files that are not there, WorkspaceError when the run cannot be written.
        """
        settled = with_full_paths(parameters, check_adapter=after is None)
        record = new_record(kind, settled, after)
        await asyncio.to_thread(create_run, self.workspace, record, settled)
        await self.refresh()
        self._wake.set()
        return self.get(record.id)

    async def stop(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and end; take a waiting job out of the queue. Raises JobError."""
        await self._ask(job_id, "stop")

    async def pause(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and give its device back; the job keeps its place. Raises JobError."""
        await self._ask(job_id, "pause")

    async def resume(self, job_id: str) -> None:
        """Put a paused or ended job back into the queue; it goes on from its newest checkpoint. Raises JobError."""
        job = self.get(job_id)
        if not job.can_resume:
            raise JobError(f"{job.name} is {job.status}: there is nothing to resume.")
        keeps_place = job.status is JobStatus.PAUSED
        without_after = job.record.after is not None and job.record.after not in self.jobs

        def queued(record: JobRecord) -> JobRecord:
            changes = {"state": "queued", "queued_at": record.queued_at if keeps_place else now()}
            return record.model_copy(update=changes | ({"after": None} if without_after else {}))

        await self._change(job, queued)

    async def delete(self, job_id: str) -> None:
        """Remove a run that is not at work, with its checkpoints, adapter and log. Raises JobError, WorkspaceError."""
        job = self.get(job_id)
        if job.status is JobStatus.RUNNING:
            raise JobError(f"{job.name} is at work.", "Stop it first.")
        waiting = [other.name for other in self.queue if other.record.after == job_id]
        if waiting:
            raise JobError(f"{', '.join(waiting)} waits for {job.name}.", "Stop that one first.")
        async with self._looking:
            await asyncio.to_thread(remove_run, self.workspace, job.paths)
        await self.refresh()

    async def load_history(self, job: Job) -> None:
        """Read the events of a run of the past, so that its curves and log can be shown."""
        if job.history_loaded or job.id not in self._watches:
            return
        async with self._looking:
            found = await asyncio.to_thread(self._watches[job.id].observe, thoroughly=True)
        if found is not None:
            self._take_over(job, found)

    async def ended(self, job: Job) -> JobStatus:
        """Wait until nothing more will happen to a job by itself; gives the status it then has."""
        while not (job.status.is_final or job.status is JobStatus.PAUSED):
            await self.jobs_changed.emitted()
        return job.status

    # ---- following ----

    async def refresh(self) -> None:
        """Look at every run folder once, now."""
        async with self._looking:
            known = dict(self._watches)
            found, gone, unreadable = await asyncio.to_thread(_look, self.workspace, known)
            self.unreadable = unreadable
            changed = bool(gone)
            for job_id in gone:
                self._watches.pop(job_id, None)
                if (job := self.jobs.pop(job_id, None)) is not None:
                    forget_bindings([job])
            for watch, observation in found:
                job_id = watch.record.id
                if job_id not in self.jobs:
                    self._watches[job_id] = watch
                    self.jobs[job_id] = Job(watch.paths, watch.record, watch.parameters)
                    changed = True
                changed |= self._take_over(self.jobs[job_id], observation)
            if changed:
                self.jobs = dict(sorted(self.jobs.items()))
            self._number_the_queue()
        if changed:
            self.jobs_changed.emit()

    def _take_over(self, job: Job, found: Observation) -> bool:
        if found.process is not None:
            self._processes[job.id] = found.process
        was_loaded = job.history_loaded
        if found.history is not None:
            job.replace_history(found.history)
        changed = job.settle(found.record, found.status, found.ended)
        job.take_in(found.new_events)
        if found.status is JobStatus.INTERRUPTED and (changed or not was_loaded):
            self._say_why_interrupted(job, found.process)
        if found.asked_seconds_ago is not None:
            job.can_stop = job.can_pause = False
            job.message = "It was asked to stop and saves a checkpoint."
            if found.asked_seconds_ago > self._stop_grace_seconds and found.process is not None:
                log.warning("%s did not stop within %.0f s and is killed", job.id, self._stop_grace_seconds)
                self._launcher.kill(found.process)
        return changed

    def _say_why_interrupted(self, job: Job, process: ProcessIdentity | None) -> None:
        code = self._launcher.exit_code(process) if process is not None else None
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            also = " The system does that when memory runs out." if name == "SIGKILL" else ""
            job.message = f"Its process was ended from outside ({name}).{also} {JobStatus.INTERRUPTED.explanation}"
            job.changed.emit()

    def _number_the_queue(self) -> None:
        places = {job.id: place for place, job in enumerate(self.queue, start=1)}
        for job in self.jobs.values():
            job.queue_position = places.get(job.id)
            if job.queue_position is not None:
                job.message = queue.obstacle(job, self.jobs) or job.status.explanation

    async def _follow(self) -> None:
        while True:
            try:
                await self.refresh()
                await self._launch_next()
                self._launcher.reap()
                self.trouble = ""
            except (OSError, WorkspaceError) as error:
                if self.trouble != str(error):  # said once, not five times a second
                    log.error("The runs in %s cannot be followed at the moment: %s", self.workspace.runs, error)
                self.trouble = str(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):  # wait_for can swallow a cancellation (Python 3.11)
                    await self._wake.wait()
            self._wake.clear()

    # ---- launching ----

    async def _launch_next(self) -> None:
        ready = [job for job in self.queue if not queue.obstacle(job, self.jobs)]
        if not ready:
            return
        busy = {job.record.device for job in self.jobs.values() if job.status is JobStatus.RUNNING}
        if await asyncio.to_thread(self._dispatcher.start_ready, ready, busy):
            await self.refresh()

    # ---- changing a record ----

    async def _ask(self, job_id: str, action: str) -> None:
        job = self.get(job_id)
        if (action == "pause" and not job.can_pause) or (action == "stop" and not job.can_stop):
            raise JobError(f"{job.name} is {job.status} and cannot be asked to {action}.")
        if job.status is JobStatus.RUNNING:
            command = Command.model_validate({"action": action, "attempt": job.record.attempt})
            await asyncio.to_thread(write_command, job.paths, command)
            await self.refresh()
            return
        state = "held" if action == "pause" else "cancelled"
        await self._change(job, lambda record: record.model_copy(update={"state": state}))

    async def _change(self, job: Job, change: Callable[[JobRecord], JobRecord]) -> None:
        def under_lock() -> None:
            with FileLock(self.workspace.queue_lock, timeout=10):
                record = read_record(job.paths)
                if record.state == "launched" and job.status in {JobStatus.PENDING}:
                    raise JobError(f"{job.name} was started a moment ago.", "Ask again.")
                write_record(job.paths, change(record))

        await asyncio.to_thread(under_lock)
        await self.refresh()
        self._wake.set()


def _look(
    workspace: Workspace, known: dict[str, RunWatch]
) -> tuple[list[tuple[RunWatch, Observation]], set[str], dict[str, str]]:
    """One look at all run folders: what is new, what has gone, and what cannot be read."""
    names = find_runs(workspace)
    found: list[tuple[RunWatch, Observation]] = []
    unreadable: dict[str, str] = {}
    for name in sorted(names):
        try:
            watch = known.get(name) or RunWatch(workspace.run(name))
            observation = watch.observe()
        except (WorkspaceError, ValueError) as error:
            if not (workspace.runs / name).is_dir():
                names.discard(name)
                continue
            unreadable[name] = str(error)
            continue
        if observation is not None:
            found.append((watch, observation))
    return found, set(known) - names, unreadable
