"""All jobs of a home folder: takes them in, starts one at a time per device, follows them, and finds them again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from filelock import FileLock, Timeout

from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Command, JobKind, JobRecord, JobStatus
from qlora_ui.jobs import decisions, follow_ups, queue, queue_file, run_checkpoints, starting_points
from qlora_ui.jobs.following import JobFollower
from qlora_ui.jobs.history.histories import keep_ready
from qlora_ui.jobs.intake import take_in
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.run_checkpoints import CheckpointView
from qlora_ui.jobs.run_folder import remove_remains, write_down
from qlora_ui.jobs.workers.dispatcher import Dispatcher
from qlora_ui.jobs.workers.launcher import Launcher, LocalLauncher
from qlora_ui.jobs.workers.leases import fits
from qlora_ui.store.credentials import Credentials

log = logging.getLogger(__name__)

LOOKS_PER_FULL_LOOK = 5
"""Runs that are not at work change only when a person, or another manager, wants it: they are looked at less often."""
TRIES = 5


class JobManager(JobFollower):
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
        launcher = launcher or LocalLauncher(credentials=Credentials(workspace).environment)
        super().__init__(workspace, launcher, stop_grace_seconds)
        self.trouble = ""
        """Why the home folder cannot be followed at the moment; empty when all is well."""
        self._dispatcher = Dispatcher(workspace, launcher)
        self._poll_seconds = poll_seconds
        self._closing = False
        self._loop: asyncio.Task[None] | None = None
        self._readier: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    # ---- life ----

    async def start(self) -> None:
        """Find all runs, take back those whose workers live, begin to follow and to launch. Raises WorkspaceError."""
        await asyncio.to_thread(remove_remains, self.workspace)
        await self.refresh()
        self._loop = asyncio.create_task(self._follow(), name="follow the runs")
        ready = keep_ready(lambda: self.jobs.values(), self.jobs_changed)
        self._readier = asyncio.create_task(ready, name="make long histories ready")

    async def close(self) -> None:
        """Stop following, after the look that is under way. Workers go on: the next manager on this home finds them."""
        self._closing = True
        self._wake.set()
        if self._readier is not None:
            self._readier.cancel()
            await asyncio.wait([self._readier])
        if self._loop is not None:
            await self._loop
            self._loop = None
        self._launcher.release()

    # ---- new runs ----

    async def submit(
        self,
        kind: JobKind,
        parameters: JobParameters,
        *,
        after: str | None = None,
        starts_from: tuple[Job, int] | None = None,
    ) -> Job:
        """Put a job into the queue; with `after`, it starts only once that job is completed.

        `starts_from` is a training and a step of it: the new run goes on from its own copy of that checkpoint.
        Raises ParameterError for files that are not there, JobError for an unknown `after` or a checkpoint that is
        not there or damaged, WorkspaceError.
        """
        if after is not None:
            self.get(after)
        known = list(self.jobs.values())
        record = await asyncio.to_thread(
            take_in, self.workspace, kind, parameters, known, after=after, starts_from=starts_from
        )
        await self._look_again({record.id})
        return self.get(record.id)

    async def duplicate(self, job_id: str, changes: Mapping[str, Any] | None = None) -> Job:
        """The same job once more, from the beginning, with some parameters changed.

        Raises JobError, ParameterError (also for data or an adapter that has gone), WorkspaceError.
        """
        job = self.get(job_id)
        parameters = starting_points.duplicated(job, changes or {}, self._names)
        before = self.jobs.get(job.record.after or "")
        still_to_come = before is not None and before.status is not JobStatus.COMPLETED
        return await self.submit(job.kind, parameters, after=job.record.after if still_to_come else None)

    async def extend(self, job_id: str, epochs: float) -> Job:
        """A new run that goes on with an ended training for so many epochs more, from its last whole checkpoint.

        Raises JobError for a run that is no training, has not ended or has no whole checkpoint; ParameterError.
        """
        job = self.get(job_id)
        await self.load_history(job)
        parameters = starting_points.extended(job, epochs, self._names)
        step = await asyncio.to_thread(starting_points.newest_whole, job)
        return await self.submit(job.kind, parameters, starts_from=(job, step))

    async def branch(self, job_id: str, step: int, changes: Mapping[str, Any] | None = None) -> Job:
        """A new run that goes on from one checkpoint of a training, with some parameters changed.

        Raises JobError for a checkpoint that is not there or damaged, ParameterError for changes it cannot bear, or
        where the new run would have nothing left to train.
        """
        job = self.get(job_id)
        await self.load_history(job)
        parameters = starting_points.branched(job, changes or {}, self._names)
        if starting_points.has_checkpoint(job, step):  # else what is missing is said below
            starting_points.require_steps_after(step, job, parameters)
        return await self.submit(job.kind, parameters, starts_from=(job, step))

    async def follow_up(self, job_id: str, kind: JobKind, *, dataset_path: str = "", output_dir: str = "") -> Job:
        """An evaluation or a merge of a training's adapter, which waits until the training is completed.

        `dataset_path` and `output_dir` as in `follow_ups.follow_up`. Raises JobError, ParameterError, WorkspaceError.
        """
        job = self.get(job_id)
        parameters = follow_ups.follow_up(job, kind, dataset_path=dataset_path, output_dir=output_dir)
        return await self.submit(kind, parameters, after=None if job.status is JobStatus.COMPLETED else job.id)

    # ---- what a person can ask of a run ----

    async def stop(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and end; take a waiting job out of the queue. Raises JobError."""
        await self._change(job_id, lambda job: decisions.asked_to(job, "stop"))

    async def pause(self, job_id: str) -> None:
        """Ask a worker to save a checkpoint and give its device back; the job keeps its place. Raises JobError."""
        await self._change(job_id, lambda job: decisions.asked_to(job, "pause"))

    async def resume(self, job_id: str) -> None:
        """Put a paused or ended job back into the queue; it goes on from its newest checkpoint. Raises JobError."""
        await self._change(job_id, lambda job: decisions.resumed(job, self.jobs))

    async def retry(self, job_id: str) -> None:
        """The same for a job that failed, was stopped or interrupted, and for no other. Raises JobError."""
        await self._change(job_id, lambda job: decisions.retried(job, self.jobs))

    async def delete(self, job_id: str) -> None:
        """Remove a run that is not at work, with its checkpoints, adapter and log. Raises JobError, WorkspaceError."""
        await self._change(job_id, lambda job: decisions.deleted(job, self.jobs.values()))

    async def checkpoints(self, job: Job) -> list[CheckpointView]:
        """The checkpoints of a run as they lie on the disk, the oldest step first."""
        return await asyncio.to_thread(run_checkpoints.views_of, job.paths)

    async def delete_checkpoint(self, job_id: str, step: int) -> None:
        """Delete one checkpoint of a run that is not at work. Raises JobError, WorkspaceError."""

        async def delete(job: Job) -> bool:
            decisions.check_checkpoint_may_go(job, step, self.jobs.values())
            return await asyncio.to_thread(run_checkpoints.delete, self.workspace, job.paths, job.record, step)

        await self._try(job_id, delete)
        await self._look_again({job_id})

    # ---- the queue ----

    async def move(self, job_id: str, place: int) -> None:
        """Put a waiting job at this place among those that wait: 1 is next, anything beyond the last one is the end.

        Raises JobError for a job that does not wait, ParameterError for a place below 1, WorkspaceError.
        """

        async def move(job: Job) -> bool:
            decisions.check_can_move(job, place)
            return await asyncio.to_thread(queue_file.put_at, self.workspace, list(self.jobs.values()), job, place)

        await self._try(job_id, move)
        await self._look_again()

    async def hold_queue(self) -> None:
        """Nothing new is started, by no manager of this home, until it is continued. Raises WorkspaceError."""
        await asyncio.to_thread(queue_file.hold, self.workspace, held=True)
        await self._look_again()

    async def continue_queue(self) -> None:
        """What waits may start again. Raises WorkspaceError."""
        await asyncio.to_thread(queue_file.hold, self.workspace, held=False)
        await self._look_again()

    @property
    def startable(self) -> list[Job]:
        """Those of the queue that may start as soon as a device is free, the next one first."""
        return [] if self.queue_held else [job for job in self.queue if not queue.obstacle(job, self.jobs)]

    def successors(self, job: Job) -> list[Job]:
        """Those that would start on the device of a job at work if it were given back now, the next one first."""
        if job.status is not JobStatus.RUNNING:
            return []
        return [other for other in self.startable if fits(other.parameters.device, job.record.device)]

    # ---- following ----

    async def _follow(self) -> None:
        last_full_look = time.monotonic()
        while not self._closing:
            try:
                self._launcher.reap()
                now = time.monotonic()
                if now - last_full_look < LOOKS_PER_FULL_LOOK * self._poll_seconds:
                    await self._look(self._at_work)
                else:
                    await self.refresh()
                    last_full_look = now
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
        ready = self.startable
        if not ready or not await asyncio.to_thread(self._dispatcher.has_room, ready, self._busy):
            return
        try:
            lock = FileLock(self.workspace.queue_lock, thread_local=False).acquire(blocking=False)
        except Timeout:
            return  # another manager is at it; there will be a next time
        with lock:
            await self.refresh()  # what the other managers of this home have done counts
            launched = await asyncio.to_thread(self._dispatcher.start_ready, self.startable, self._busy)
        if launched:
            await self.refresh()

    @property
    def _busy(self) -> set[str]:
        return {job.record.device for job in self.jobs.values() if job.status is JobStatus.RUNNING}

    @property
    def _names(self) -> set[str]:
        return {job.name for job in self.jobs.values()}

    # ---- changing what is on the disk ----

    async def _change(self, job_id: str, decide: Callable[[Job], JobRecord | Command | None]) -> None:
        """Write down what is decided for a job as it stands."""

        async def change(job: Job) -> bool:
            return await asyncio.to_thread(write_down, self.workspace, job.paths, job.record, decide(job))

        await self._try(job_id, change)
        await self._look_again({job_id})

    async def _try(self, job_id: str, change: Callable[[Job], Awaitable[bool]]) -> None:
        """Make a change that gives False where things turn out to stand elsewhere by now: then anew."""
        for _ in range(TRIES):
            if await change(self.get(job_id)):
                break
            await self.refresh()
        else:
            raise JobError(f"{job_id} changes all the time.", "Ask again.")

    async def _look_again(self, names: Collection[str] | None = None) -> None:
        """Take over what was changed: of these runs, where no other was."""
        await self._look(names)
        self._wake.set()
