from __future__ import annotations

import sys
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import psutil
import pytest

from qlora_ui.meters import Meters


class Times(NamedTuple):
    user: float
    idle: float


class NoDriverError(Exception):
    pass


def driver(count: int, *, tells_utilisation: bool = True, slowdown: int | None = 92) -> types.ModuleType:
    """A stand-in for the NVIDIA library, with `count` GPUs."""
    module: Any = types.ModuleType("pynvml")
    module.NVMLError = NoDriverError
    module.NVML_TEMPERATURE_GPU = 0
    module.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN = 1

    def no_driver(*_: object) -> None:
        raise NoDriverError

    module.nvmlInit = (lambda: None) if count else no_driver
    module.nvmlDeviceGetCount = lambda: count
    module.nvmlDeviceGetHandleByIndex = lambda number: number
    module.nvmlDeviceGetName = lambda handle: f"GPU {handle}"
    module.nvmlDeviceGetMemoryInfo = lambda _: types.SimpleNamespace(used=2**30, total=2**34)
    rates = types.SimpleNamespace(gpu=87)
    module.nvmlDeviceGetUtilizationRates = (lambda _: rates) if tells_utilisation else no_driver
    module.nvmlDeviceGetTemperature = lambda _handle, _sensor: 61
    limit = (lambda _handle, _kind: slowdown) if slowdown is not None else no_driver
    module.nvmlDeviceGetTemperatureThreshold = limit
    return module  # type: ignore[no-any-return]


def test_without_a_gpu_the_processor_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(0))
    (reading,) = Meters().read()
    assert (reading.id, reading.kind) == ("cpu", "cpu")
    assert reading.name
    assert reading.cores is not None
    assert reading.cores >= 1
    assert 0 < reading.memory_used < reading.memory_total <= psutil.virtual_memory().total
    assert reading.utilisation is not None
    assert 0 <= reading.utilisation <= 100


def test_every_gpu_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(2))
    first, second = Meters().read()
    assert (first.id, first.name, second.id) == ("cuda:0", "GPU 0", "cuda:1")
    assert (first.memory_used, first.memory_total) == (2**30, 2**34)
    assert (first.utilisation, first.temperature, first.slowdown_temperature) == (87.0, 61.0, 92.0)


def test_what_a_gpu_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(1, tells_utilisation=False, slowdown=None))
    (reading,) = Meters().read()
    assert reading.utilisation is None and reading.slowdown_temperature is None
    assert reading.temperature == 61.0


def test_degrees_that_are_left_are_no_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(1, slowdown=-2))
    (reading,) = Meters().read()
    assert reading.slowdown_temperature is None


def test_the_processor_is_measured_from_reading_to_reading_whichever_thread_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(0))
    moments = iter([(10.0, 10.0), (13.0, 11.0), (13.0, 15.0)])  # seconds busy and idle

    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(*next(moments)))
    meters = Meters()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        assert one.submit(meters.read).result()[0].utilisation == 75
        assert another.submit(meters.read).result()[0].utilisation == 0
