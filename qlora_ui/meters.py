"""What the devices of this machine do right now, measured without loading any machine-learning library."""

from __future__ import annotations

import os
import platform
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

LEAST_SLOWDOWN_C = 60.0
"""A lower threshold is none: newer devices tell degrees that are left, in place of a temperature."""


@dataclass(frozen=True)
class DeviceReading:
    """One device at one moment. Memory is in bytes; a figure that the device does not tell is None."""

    id: str
    """`cpu`, or `cuda:0`, `cuda:1` … as in the parameters of a job."""
    kind: Literal["gpu", "cpu"]
    name: str
    memory_used: int
    memory_total: int
    utilisation: float | None
    """Per cent of the time, over about the last second."""
    temperature: float | None = None
    """Degrees Celsius."""
    slowdown_temperature: float | None = None
    """From so many degrees Celsius it slows itself down."""
    cores: int | None = None
    """Logical processors that this process may use."""


class Meters:
    """Reads all devices: every NVIDIA GPU that the driver shows, else the processor. May be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processor = _processor_name()
        self._gpus = _open_nvml()
        self._last = _processor_seconds()

    def read(self) -> list[DeviceReading]:
        """Takes a few milliseconds."""
        with self._lock:
            gpus = [_read_gpu(number) for number in range(self._gpus)]
            return [gpu for gpu in gpus if gpu is not None] or [self._read_processor()]

    def read_processor(self) -> DeviceReading:
        """Where there are GPUs too."""
        with self._lock:
            return self._read_processor()

    def _read_processor(self) -> DeviceReading:
        used, total = _memory()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return DeviceReading("cpu", "cpu", self._processor, used, total, self._busy_percent(), cores=cores)

    def _busy_percent(self) -> float:
        """Since the last reading, over all cores. Not psutil.cpu_percent: that counts anew in each thread that asks."""
        busy, total = _processor_seconds()
        passed = total - self._last[1]
        share = (busy - self._last[0]) / passed if passed > 0 else 0.0
        self._last = busy, total
        return 100 * min(1.0, max(0.0, share))


def free_memory() -> int:
    """Bytes of main memory that programs may still take: the container's where it has a limit, else the machine's."""
    used, total = _memory()
    return total - used


def _processor_seconds() -> tuple[float, float]:
    """Seconds that all cores together were busy, and seconds that passed for them, since the machine was started."""
    times = psutil.cpu_times()
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)  # counted within user, nice
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _open_nvml() -> int:
    """How many GPUs the NVIDIA driver shows; 0 without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0


def _read_gpu(number: int) -> DeviceReading | None:
    """None when the driver has lost the device."""
    import pynvml

    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(number)
        name, memory = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:
        return None
    try:
        utilisation = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except pynvml.NVMLError:  # a slice of a GPU does not tell
        utilisation = None
    try:
        temperature = float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        temperature = None
    try:
        limit = float(pynvml.nvmlDeviceGetTemperatureThreshold(handle, pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN))
    except pynvml.NVMLError:
        limit = 0.0
    hot = limit if limit >= LEAST_SLOWDOWN_C else None
    used, total = int(memory.used), int(memory.total)
    return DeviceReading(f"cuda:{number}", "gpu", str(name), used, total, utilisation, temperature, hot)


def _memory() -> tuple[int, int]:
    """Bytes used and bytes there are: the container's where it has a limit, else the machine's."""
    machine = psutil.virtual_memory()
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        reclaimable = int(statistics.get("inactive_file", 0))
    except (OSError, ValueError):  # no such group, or the word `max`
        return machine.total - machine.available, machine.total
    if limit >= machine.total:
        return machine.total - machine.available, machine.total
    return max(used - reclaimable, 0), limit


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()
