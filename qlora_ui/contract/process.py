"""Which process is at work on something, told apart from a later one with the same number."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict


class ProcessIdentity(BaseModel):
    """A process that cannot be mistaken for a later one with the same number."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: str
    """When it started: on Linux the boot's id and the clock ticks since that boot (no clock jump changes them)."""

    @classmethod
    def of(cls, pid: int | None = None) -> ProcessIdentity:
        """The identity of a living process, by default this one. Raises ProcessLookupError when there is none."""
        pid = os.getpid() if pid is None else pid
        started = _start_of(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, started=started)

    @property
    def is_alive(self) -> bool:
        return _start_of(self.pid) == self.started

    @property
    def is_of_this_boot(self) -> bool | None:
        """Whether the machine, or the container, has been up ever since it started; None where that cannot be told."""
        first = _start_of(1)
        boot, _, ticks = self.started.rpartition(":")
        if first is not None and ":" in first:
            own_boot, _, first_ticks = first.rpartition(":")
            if not own_boot or not boot or not ticks.isdecimal():
                return None
            return boot == own_boot and int(ticks) >= int(first_ticks)
        try:
            return float(self.started) >= psutil.boot_time()
        except ValueError:
            return None


def _start_of(pid: int) -> str | None:
    """When the process with this number started; None when it is gone or dead and not yet reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in {"Z", "X"} else f"{_boot()}:{fields[19]}"
    except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
        pass
    if Path("/proc/self/stat").exists():
        return None
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:  # gone, or not ours to look at
        return None


@cache
def _boot() -> str:
    """The id of this boot of the machine; empty in a sandbox that hides it."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
