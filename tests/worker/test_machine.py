"""What a training takes of the machine, with a driver that is made up where there is none."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from qlora_ui.worker.training import machine


def test_the_memory_of_the_process_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    looking = machine.Machine()
    assert looking.figures()["memory"] > 10e6
    clock[0] += machine.SECONDS / 2
    assert looking.figures() == {}
    clock[0] += machine.SECONDS / 2
    assert set(looking.figures()) >= {"memory"}


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A GPU that torch sees, and a driver that knows it by its UUID."""
    import pynvml
    import torch

    asked: list[bytes] = []

    def handle(name: bytes) -> str:
        asked.append(name)
        return "handle"

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid="12-34"))
    monkeypatch.setattr(torch.cuda, "max_memory_reserved", lambda: 5_000_000_000)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", handle)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetUtilizationRates", lambda handle: SimpleNamespace(gpu=93))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTemperature", lambda handle, sensor: 71)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", lambda handle: 312_500)
    return asked


def test_the_gpu_that_torch_sees_is_the_one_that_is_asked(gpu: list[bytes]) -> None:
    figures = machine.Machine().figures()
    assert gpu == [b"GPU-12-34"]
    assert figures.pop("memory") > 10e6
    assert figures == {"device_memory": 5e9, "device_use": 0.93, "temperature": 71.0, "power": 312.5}


def test_a_sensor_that_is_not_there_is_left_out(gpu: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    def refuse(*_arguments: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetPowerUsage", refuse)
    assert set(machine.Machine().figures()) == {"memory", "device_memory", "device_use", "temperature"}
    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert set(machine.Machine().figures()) == {"memory", "device_memory"}
