"""Leases and the choice of a device."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from filelock import FileLock

from qlora_ui.contract.errors import DeviceError
from qlora_ui.contract.events import Event, Phase
from qlora_ui.worker import devices
from qlora_ui.worker.control import StopRequested
from qlora_ui.worker.devices import Device
from tests.worker.pieces import ask, context_in

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


class TestLease:
    def test_waits_for_the_device_and_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "LEASE_SECONDS", 0.01)
        events: list[Event] = []
        context, device = context_in(tmp_path, events), cast(Device, SimpleNamespace(name="cuda:0"))
        path = context.workspace.device_lock("cuda:0")
        path.parent.mkdir(parents=True)
        held = FileLock(path, thread_local=False)
        held.acquire()
        threading.Timer(0.1, held.release).start()
        with devices.lease(context, device):
            assert not held.is_locked
            assert [event.name for event in events if isinstance(event, Phase)] == ["waiting"]

    def test_a_stop_ends_the_waiting(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devices, "LEASE_SECONDS", 0.01)
        context, device = context_in(tmp_path, []), cast(Device, SimpleNamespace(name="cpu"))
        path = context.workspace.device_lock("cpu")
        path.parent.mkdir(parents=True)
        with FileLock(path):
            ask(context.paths.command, "stop", 1)
            with pytest.raises(StopRequested), devices.lease(context, device):
                pass


class TestDevices:
    @pytest.mark.parametrize(
        ("visible", "wanted", "left"),
        [(None, "auto", "0"), (None, "cuda:2", "2"), ("4,7", "cuda:1", "7"), ("4,7", "cuda:2", ""), ("3", "cpu", "")],
    )
    def test_other_gpus_are_hidden(
        self, monkeypatch: pytest.MonkeyPatch, visible: str | None, wanted: str, left: str
    ) -> None:
        monkeypatch.setenv("CUDA_DEVICE_ORDER", "undone")  # so that monkeypatch restores what is set below
        del os.environ["CUDA_DEVICE_ORDER"]
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        else:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "undone")
            del os.environ["CUDA_VISIBLE_DEVICES"]
        devices.hide_other_gpus(wanted)
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == left
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID", "the driver's tools count so"

    @pytest.mark.parametrize(
        ("flags", "fast"), [("fpu avx2 avx512f", False), ("fpu avx512_bf16", True), ("amx_bf16", True), ("", False)]
    )
    def test_bfloat16_needs_a_processor_that_has_it(self, tmp_path: Path, flags: str, fast: bool) -> None:
        cpuinfo = tmp_path / "cpuinfo"
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n", encoding="utf-8")
        assert devices._processor_is_fast_at_bfloat16(cpuinfo) is fast
        assert devices._processor_is_fast_at_bfloat16(tmp_path / "absent") is False

    def test_an_absent_gpu_is_named(self) -> None:
        with pytest.raises(DeviceError, match="cuda:7 is not there"):
            devices.choose("cuda:7", "auto")

    def test_a_gpu_that_only_the_driver_sees_is_no_must(self) -> None:
        """A torch without CUDA beside a GPU: the launcher offers the GPU, and the run goes to the processor."""
        device = devices.choose("cuda:7", "float32", must=False)
        assert (device.name, device.is_cuda) == ("cpu", False)
