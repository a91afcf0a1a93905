"""What the training takes of the machine: memory, and the GPU's use, temperature and power."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil
import torch

SECONDS = 5.0
"""Between two looks, which keeps their cost far below that of the steps."""


class Machine:
    """Figures of this process and of its GPU, by the names of `Metric`."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._gpu = _Gpu() if torch.cuda.is_available() else None
        self._due = 0.0

    def figures(self) -> dict[str, float]:
        """The figures as they are now; nothing when the last ones are not yet `SECONDS` old."""
        moment = time.monotonic()
        if moment < self._due:
            return {}
        self._due = moment + SECONDS
        memory: float = self._process.memory_info().rss
        return {"memory": memory} | (self._gpu.figures() if self._gpu else {})


class _Gpu:
    """The one GPU that this process sees, asked through its driver as well where that answers."""

    def __init__(self) -> None:
        self._handle: Any = None
        try:
            import pynvml

            pynvml.nvmlInit()
            unique = str(torch.cuda.get_device_properties(0).uuid)  # torch counts visible GPUs, the driver all of them
            self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{unique}".encode())
        except Exception:  # no NVIDIA driver, or one that does not tell: what torch knows is shown
            self._handle = None

    def figures(self) -> dict[str, float]:
        figures: dict[str, float] = {"device_memory": torch.cuda.max_memory_reserved()}
        if self._handle is None:
            return figures
        import pynvml

        asked: dict[str, Callable[[], float]] = {
            "device_use": lambda: pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu / 100,
            "temperature": lambda: pynvml.nvmlDeviceGetTemperature(self._handle, pynvml.NVML_TEMPERATURE_GPU),
            "power": lambda: pynvml.nvmlDeviceGetPowerUsage(self._handle) / 1000,
        }
        for name, ask in asked.items():
            try:
                figures[name] = float(ask())
            except pynvml.NVMLError:  # some GPUs do not have one or the other sensor
                continue
        return figures
