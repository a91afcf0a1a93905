"""Keeps one worker waiting with its libraries loaded, so that the next run trains at once.

Loading them takes a worker seconds and half a gigabyte. It is done ahead while no run is at work on the device, so it
takes no core from a training, and done anew after each run that took the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import psutil

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.reactive import Event
from qlora_ui.jobs.workers.leases import local_devices
from qlora_ui.jobs.workers.standby_process import StandbyProcess
from qlora_ui.locales import mark
from qlora_ui.store.instance import Instance

log = logging.getLogger(__name__)

State = Literal["off", "starting", "ready", "busy"]

NEEDED_BYTES = 3 * 10**9
"""With less memory free than this, none is kept unless a person wants it."""
CALM_S = 2.0
"""So long nothing must have happened before it loads the libraries: the first page, or the next run, goes first."""


class Standby:
    """The worker that waits, for the server that keeps it. Its fields change on the event loop only."""

    def __init__(
        self,
        home: Path,
        instance: Instance,
        *,
        allowed: bool = True,
        free_memory: Callable[[], int] = lambda: psutil.virtual_memory().available,
        calm_s: float = CALM_S,
        start_process: Callable[[str, Path, Callable[[], object]], StandbyProcess] = StandbyProcess,
    ) -> None:
        """`allowed` is False where the app was started without; `free_memory`, in bytes, is asked once, in a thread."""
        self.allowed = allowed
        self.is_enabled = False
        self.lacks_memory = False
        """It is off because little memory was free when the app was started, and nobody has said otherwise."""
        self.state: State = "off"
        """`busy`: a run is at work, and one waits again after it."""
        self.memory: int | None = None
        """Bytes that the waiting worker takes."""
        self.load_seconds: float | None = None
        """How long the last one took to load the libraries, which is what a run is spared."""
        self.problem = ""
        """Why the last one could not be started, or what it said last, as far as that is known."""
        self.changed: Event[[]] = Event()
        """One of the fields above changed."""
        self._home, self._instance = home, instance
        self._free_memory, self._calm_s, self._start_process = free_memory, calm_s, start_process
        self._process: StandbyProcess | None = None
        self._exchange = threading.Lock()
        """Held to put a process in place or to take it out."""
        self._wake = asyncio.Event()
        self._closing = False
        self._follower: asyncio.Task[None] | None = None
        self._devices: tuple[str, ...] = ()

    async def start(self, jobs: JobManager) -> None:
        """Keep a worker waiting from now on, unless it is switched off. Raises WorkspaceError."""
        if not self.allowed:
            return
        self._loop, self._jobs = asyncio.get_running_loop(), jobs
        wanted, free, self._devices = await asyncio.to_thread(
            lambda: (self._instance.get().standby, self._free_memory(), local_devices())
        )
        self.lacks_memory = wanted is None and free < NEEDED_BYTES
        self.is_enabled = not self.lacks_memory if wanted is None else wanted
        jobs.jobs_changed.subscribe(self._wake.set)
        self._follower = asyncio.create_task(self._follow(), name="keep a worker waiting")

    async def close(self) -> None:
        """End the worker that waits, if one does."""
        self._closing = True
        self._wake.set()
        if self._follower is not None:
            await self._follower
            self._follower = None
        await self._end()

    async def set_enabled(self, is_enabled: bool) -> None:
        """Switch it on or off, for good. Raises WorkspaceError; JobError where the app was started without."""
        if not self.allowed:
            raise JobError("The app was started with --no-standby.", "Start it without that to switch this on.")
        await asyncio.to_thread(self._instance.set_standby, is_enabled)
        self.is_enabled, self.lacks_memory, self.problem = is_enabled, False, ""
        if not is_enabled:
            await self._end()
        self._wake.set()
        self.changed.emit()

    def take(self, paths: RunPaths, device: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Give the run to the worker that waits; None where none is ready for the device. May be called in a thread.

        One that is still loading, or does not take the run, is ended: a new worker is as fast, and has the cores alone.
        """
        with self._exchange:
            process = self._process
            if process is None or process.device != device:
                return None
            self._process = None
        if process.is_ready and process.take(paths, environment):
            return process.child
        process.end()
        return None

    # ---- keeping one ----

    async def _follow(self) -> None:
        while not self._closing:
            self._wake.clear()
            await self._drop_the_dead()
            await self._look()
            if self.state == "starting" and self._process is None:
                if await self._is_calm():
                    await self._begin()
                continue
            await self._wake.wait()
            self.problem = ""  # something has happened since: it is worth another try

    async def _drop_the_dead(self) -> None:
        process = self._process
        if process is not None and not process.is_alive:
            self.problem = process.last_words or mark("It ended without a word.")
            log.warning("the standby worker has ended: %s", self.problem)
            await self._end()

    async def _look(self) -> None:
        """Take note of where it stands, and tell."""
        process, before = self._process, (self.is_enabled, self.state, self.memory, self.problem)
        is_ready = process is not None and process.is_ready
        if process is not None and is_ready:
            self.load_seconds = process.load_seconds
            self.memory = self.memory or await asyncio.to_thread(process.measure)
        else:
            self.memory = None
        if not self.is_enabled or self.problem:
            self.state = "off"
        elif is_ready:
            self.state = "ready"
        else:
            self.state = "starting" if process is not None or self._free_device else "busy"
        if before != (self.is_enabled, self.state, self.memory, self.problem):
            self.changed.emit()

    async def _is_calm(self) -> bool:
        """Wait for a while in which nothing happens; False as soon as something does."""
        try:
            async with asyncio.timeout(self._calm_s):
                await self._wake.wait()
        except TimeoutError:
            return True
        return False

    async def _begin(self) -> None:
        device = self._free_device
        if device is None:
            return
        try:
            process = await asyncio.to_thread(self._start_process, device, self._home, self._stir)
        except OSError as error:
            self.problem = error.strerror or str(error)
            log.warning("the standby worker could not be started: %s", error)
            return
        with self._exchange:
            is_wanted = self.is_enabled and not self._closing and self._free_device is not None
            self._process = process if is_wanted else None
        if not is_wanted:
            await asyncio.to_thread(process.end)

    async def _end(self) -> None:
        with self._exchange:
            process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(process.end)

    def _stir(self) -> None:
        with contextlib.suppress(RuntimeError):  # the server has closed meanwhile
            self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def _free_device(self) -> str | None:
        """The first device that is not at work; None as well while a run needs the processor, which would load."""
        running = {job.record.device for job in self._jobs.jobs.values() if job.status is JobStatus.RUNNING}
        if running & {"cpu", "auto"}:
            return None
        return next((device for device in self._devices if device not in running), None)
