"""A server without its pages, in a process of its own: it follows a home, starts scripted workers, does as it is told.

What it took for true on the way stands in the diary, a line each, so that it can be compared with what the workers did.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs import watch
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.store.store import Store
from tests.fakes import clock

ROOT = Path(__file__).parents[2]
WORKER = (sys.executable, str(Path(__file__).parent / "worker.py"))
ANSWER_SECONDS = 40.0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Seen:
    """A job as a follower sees it."""

    id: str
    attempt: int
    status: JobStatus
    cause: str
    message: str


class Refused(Exception):  # noqa: N818 - it is an answer
    """It would not do it, and said why."""


class Follower:
    """The handle of one such server."""

    def __init__(self, home: Path, diary: Path, *, clock_seconds: float = 0.0, step_seconds: float = 0.015) -> None:
        """Starts it, and waits until it has found the runs. Raises Refused when it cannot."""
        environment = {"FAKE_WORKER_DIARY": str(diary), "FAKE_WORKER_STEP_SECONDS": str(step_seconds)}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        self._connection, theirs = _processes.Pipe()
        self.process = _processes.Process(target=_serve, args=(home, theirs, environment, clock_seconds), daemon=False)
        self.process.start()
        theirs.close()
        self._answer()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def ask(self, wish: str, *arguments: Any) -> Any:
        """Let it do something, and wait for its answer. Raises Refused; EOFError when it is gone."""
        self.post(wish, *arguments)
        return self._answer()

    def post(self, wish: str, *arguments: Any) -> None:
        """Let it do something, and wait for nothing. Raises EOFError when it is gone."""
        try:
            self._connection.send((wish, arguments))
        except BrokenPipeError:
            raise EOFError from None

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        self.process.join()
        self._connection.close()

    def close(self) -> None:
        """End it as Ctrl+C does."""
        self._connection.close()
        self.process.join(ANSWER_SECONDS)
        assert self.process.exitcode is not None, "it does not end"

    def _answer(self) -> Any:
        if not self._connection.poll(ANSWER_SECONDS):
            raise AssertionError("the server does not answer")
        try:
            done, value = self._connection.recv()
        except ConnectionResetError:
            raise EOFError from None
        if not done:
            raise Refused(value)
        return value


def _serve(home: Path, connection: Connection, environment: Mapping[str, str], clock_seconds: float) -> None:
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch.LAUNCH_GRACE_SECONDS = 2.0
    asyncio.run(_Server(home).run(connection, clock_seconds))


class _Server:
    def __init__(self, home: Path) -> None:
        self.workspace = Workspace(home)
        self.store = Store(self.workspace)
        self.manager = JobManager(self.workspace, LocalLauncher(WORKER), poll_seconds=0.02, stop_grace_seconds=20)
        self.manager.jobs_changed.subscribe(self._note)
        self._noted: dict[str, tuple[int, JobStatus]] = {}
        self._indexed: set[str] = set()
        self._indexing: list[asyncio.Task[Any]] = []

    async def run(self, connection: Connection, clock_seconds: float) -> None:
        self.clock(clock_seconds)
        try:
            await self.manager.start()
        except QloraUiError as error:
            connection.send((False, str(error)))
            return
        connection.send((True, None))
        while True:
            try:
                wish, arguments = await asyncio.to_thread(connection.recv)
            except (EOFError, ConnectionResetError):
                break
            try:
                connection.send((True, await self._do(wish, *arguments)))
            except QloraUiError as error:
                connection.send((False, str(error)))
        await self.manager.close()
        await asyncio.gather(*self._indexing, return_exceptions=True)  # a full disk takes no index

    async def _do(self, wish: str, *arguments: Any) -> Any:
        if (own := getattr(self, wish, None)) is not None:
            found = own(*arguments)
        else:
            found = getattr(self.manager, wish)(*arguments)
        return await found if asyncio.iscoroutine(found) else found

    def clock(self, seconds: float) -> None:
        """Set the clock of this server, and of the workers that it starts from now on, wrong by so much."""
        os.environ["FAKE_CLOCK_SECONDS"] = str(seconds)
        clock.shift(seconds)

    async def train(self, name: str, device: str, after: str | None) -> str:
        values = {"name": name, "model_name": "starter", "dataset_path": "starter", "device": device}
        parameters = TrainingParameters.model_validate(values)
        return (await self.manager.submit(JobKind.TRAINING, parameters, after=after)).id

    async def seen(self) -> list[Seen]:
        await self.manager.refresh()
        assert not self.manager.unreadable, self.manager.unreadable
        return [_seen(job) for job in self.manager.jobs.values()]

    async def until_at_rest(self) -> None:
        """Wait until no job is at work."""
        await self.manager.refresh()
        while any(job.status is JobStatus.RUNNING for job in self.manager.jobs.values()):
            await self.manager.jobs_changed.emitted()

    async def until_done(self) -> None:
        """Wait until no job is at work or waits."""
        for job in list(self.manager.jobs.values()):
            await self.manager.ended(job)

    def _note(self) -> None:
        """Write down what is taken for true, and index adapters, as the real server does."""
        for job in list(self.manager.jobs.values()):
            here = (job.record.attempt, job.status)
            if self._noted.get(job.id) != here:
                self._noted[job.id] = here
                note = {"run": job.id, "attempt": here[0], "pid": os.getpid(), "what": "seen", "status": here[1]}
                with Path(os.environ["FAKE_WORKER_DIARY"]).open("ab", buffering=0) as diary:
                    diary.write(json.dumps(note).encode() + b"\n")
            if job.status is JobStatus.COMPLETED and job.id not in self._indexed:
                self._indexed.add(job.id)
                self._indexing.append(asyncio.create_task(asyncio.to_thread(self.store.adapters.add_run, job.paths)))


def _seen(job: Job) -> Seen:
    return Seen(job.id, job.record.attempt, job.status, job.cause or "", job.message)
