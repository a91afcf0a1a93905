"""Looks after the runs at work from outside: whether they still say something, and how the machine fares meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.concerns import Concern, heat, little_room, silence
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.reactive import Event

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
LONGEST_LOOK_S = 15.0
"""A look that comes later than this, because the server itself was held up, does not count as silence of the runs."""
SILENCE_S = 300.0
"""No run is called stuck earlier than this."""
SILENCE_BEFORE_STEPS_S = 1_800.0
"""Before the first step of an attempt, and outside of training: loading and preparing say little, and take long."""
TIMES_USUAL = 10
"""A run is called stuck when it is silent for so many times as long as its steps take."""
TIMES_LONGEST = 3
"""… and for so many times as long as it ever was before, which an evaluation may have been."""
HOT_C = 87.0
"""Degrees from which a device counts as too hot where its driver names no threshold."""
HOT_FOR_S = 60.0
FREE_BYTES = 2_000_000_000
CHECKPOINTS_FREE = 3
"""The disk is nearly full when not even so many checkpoints fit on it."""


class Device(Protocol):
    """What the watchdog wants to know of a device; `meters.DeviceReading` has it."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def temperature(self) -> float | None:
        """Degrees Celsius."""

    @property
    def slowdown_temperature(self) -> float | None:
        """The degrees Celsius from which it slows itself down."""


class Watchdog:
    """Keeps the `concerns` of the runs at work, and announces what is new about them, each thing once."""

    def __init__(
        self,
        jobs: JobManager,
        devices: Callable[[], Awaitable[Sequence[Device]]],
        disk_free: Callable[[], Awaitable[int]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`disk_free` gives the bytes that are free on the disk with the runs. `clock` counts seconds that pass."""
        self.remarked: Event[Job, Concern | Alert] = Event()
        """A run at work has a new concern, or its worker sent an alert; arguments: the run, what it is."""
        self._jobs, self._devices, self._disk_free, self._clock = jobs, devices, disk_free, clock
        self._watched: dict[str, _Watched] = {}
        self._looked_at = clock()
        self._hot_for: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look. The jobs must have been found before."""
        self._looked_at = self._clock()
        self._task = asyncio.create_task(self._watch(), name="watch the runs")

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> None:
        """Look at every run at work, once. Devices and the disk are asked only while there is one."""
        passed, self._looked_at = self._clock() - self._looked_at, self._clock()
        passed = 0.0 if self._jobs.trouble else min(passed, LONGEST_LOOK_S)  # what cannot be read is not silent
        running = [job for job in self._jobs.jobs.values() if job.status is JobStatus.RUNNING]
        for job in self._just_ended(running):
            self._tell_alerts(job)
        self._watched = {job.id: self._watched_of(job) for job in running}
        if not running:
            self._hot_for.clear()
            return
        machine = await self._about_the_machine(running, passed)
        for job in running:
            found = [about for about in (self._silence(job, passed), *machine[job.id]) if about is not None]
            self._take_over(job, found)
            self._tell_alerts(job)

    async def _watch(self) -> None:
        trouble = ""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
                trouble = ""
            except Exception as error:  # whatever one look runs into, the next one may fare better
                if trouble != (trouble := str(error) or type(error).__name__):
                    log.exception("the runs at work could not be looked after")

    # ---- what is found ----

    def _silence(self, job: Job, passed: float) -> Concern | None:
        watched = self._watched[job.id]
        if watched.hears(job.history.seq, passed) or watched.silent < watched.patience(job):
            return None
        return silence(watched.silent)

    async def _about_the_machine(self, running: Iterable[Job], passed: float) -> dict[str, list[Concern]]:
        """What is wrong with the disk and the devices, by the runs that it concerns."""
        free: int | None = None
        with contextlib.suppress(OSError):  # gone for a moment: the manager says so
            free = await self._disk_free()
        hot = {device.id: device for device in await self._devices() if self._is_hot(device, passed)}
        found: dict[str, list[Concern]] = {}
        for job in running:
            device, checkpoint = hot.get(job.record.device), _checkpoint_bytes(job)
            found[job.id] = [] if device is None else [heat(device.name, _limit(device), HOT_FOR_S)]
            if free is not None and free < max(FREE_BYTES, CHECKPOINTS_FREE * checkpoint):
                found[job.id].append(little_room(free, checkpoint))
        return found

    def _is_hot(self, device: Device, passed: float) -> bool:
        """It has been too hot at every look for a minute."""
        if device.temperature is None or device.temperature < _limit(device):
            self._hot_for.pop(device.id, None)
            return False
        self._hot_for[device.id] = self._hot_for.get(device.id, -passed) + passed
        return self._hot_for[device.id] >= HOT_FOR_S

    # ---- telling ----

    def _take_over(self, job: Job, found: Sequence[Concern]) -> None:
        """Show what is wrong now; what was wrong before keeps the time since when it is."""
        since = {concern.code: concern.since for concern in job.concerns}
        concerns = [replace(concern, since=since.get(concern.code, concern.since)) for concern in found]
        if concerns != job.concerns:
            job.concerns = concerns
            job.tell(always=True)
        for concern in concerns:
            about = f"{concern.code}:{_about(concern, job)}"
            if not any(about in watched.told for watched in self._watched.values()):
                self._watched[job.id].told.add(about)
                self.remarked.emit(job, concern)

    def _tell_alerts(self, job: Job) -> None:
        watched = self._watched[job.id]
        new = [alert for alert in job.alerts if alert.seq > watched.alerts_until]
        watched.alerts_until = max([watched.alerts_until, *(alert.seq for alert in new)])
        for alert in new:
            self.remarked.emit(job, alert)

    # ---- what is kept of each run ----

    def _just_ended(self, running: Sequence[Job]) -> list[Job]:
        """Runs that were at work at the last look: they may have said something at their end."""
        at_work = {job.id for job in running}
        return [job for name in self._watched if name not in at_work and (job := self._jobs.jobs.get(name))]

    def _watched_of(self, job: Job) -> _Watched:
        known = self._watched.get(job.id)
        if known is not None and known.attempt == job.record.attempt:
            return known
        return _Watched(job.record.attempt, seq=job.history.seq, alerts_until=known.alerts_until if known else 0)


@dataclass
class _Watched:
    """What the watchdog keeps of an attempt."""

    attempt: int
    seq: int
    """Of the last event that was heard."""
    alerts_until: int = 0
    """The sequence number of the last alert that was told."""
    silent: float = 0.0
    """Seconds without an event."""
    longest: float = 0.0
    """The longest silence that was followed by an event."""
    told: set[str] = field(default_factory=set)

    def hears(self, seq: int, passed: float) -> bool:
        """Count the seconds since the last look; True when there was an event in them."""
        self.silent += passed
        if seq == self.seq:
            return False
        self.seq, self.longest, self.silent = seq, max(self.longest, self.silent), 0.0
        return True

    def patience(self, job: Job) -> float:
        """How many seconds the run may be silent."""
        progress, phases = job.history.progress, job.phases
        is_training = bool(phases) and phases[-1][0] == "training" and progress is not None
        if not is_training or progress is None or progress.seconds_left is None:
            return max(SILENCE_BEFORE_STEPS_S, TIMES_LONGEST * self.longest)
        step_seconds = progress.seconds_left / max(progress.total_steps - progress.step, 1)
        return max(SILENCE_S, TIMES_USUAL * step_seconds, TIMES_LONGEST * self.longest)


def _about(concern: Concern, job: Job) -> str:
    """What a concern is about: a device or a disk that several runs use is told of once."""
    match concern.code:
        case AlertCode.DISK_NEARLY_FULL:
            return "disk"
        case AlertCode.TOO_HOT:
            return job.record.device
        case _:
            return job.id


def _limit(device: Device) -> float:
    """Degrees Celsius from which it is too hot."""
    return device.slowdown_temperature or HOT_C


def _checkpoint_bytes(job: Job) -> int:
    """Of the newest one; 0 while there is none."""
    return job.checkpoints[-1].bytes if job.checkpoints else 0
