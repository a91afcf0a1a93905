"""Where a job computes: the device, its lease and the number format of its arithmetic."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from qlora_ui.contract.errors import DeviceError
from qlora_ui.worker.context import Context

if TYPE_CHECKING:
    import torch

LEASE_SECONDS = 0.5
"""Between two attempts to get the lease of a busy device."""


@dataclass(frozen=True)
class Device:
    name: str
    """What the person sees and the lease is named after: `cpu`, `cuda:0`, `cuda:1` …"""
    torch_name: str
    """What torch calls it. The other GPUs are hidden from this process, so a GPU is always `cuda:0` here."""
    dtype: torch.dtype
    """The number format of the arithmetic."""

    @property
    def is_cuda(self) -> bool:
        return self.torch_name != "cpu"

    def describe(self) -> dict[str, Any]:
        """Facts for the run: the name, the number format and, for a GPU, its make and memory in bytes."""
        import torch

        facts: dict[str, Any] = {"device": self.name, "compute_type": str(self.dtype).removeprefix("torch.")}
        if self.is_cuda:
            properties = torch.cuda.get_device_properties(0)
            facts |= {"device_name": properties.name, "device_memory": properties.total_memory}
        else:
            facts |= {"device_name": _processor_name(), "threads": torch.get_num_threads()}
        return facts


def hide_other_gpus(wanted: str) -> None:
    """Leave only the wanted GPU visible (the first for `auto`, none for `cpu`), so that no library uses others.

    Must run before torch is imported: the driver reads the variables once. GPUs are counted in the order of their
    slots, as the driver's own tools and the app count them; left to itself, CUDA would put the fastest first.
    """
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    if wanted == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    index = 0 if wanted == "auto" else int(wanted.removeprefix("cuda:"))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(index)
        return
    names = [name.strip() for name in visible.split(",") if name.strip()]
    os.environ["CUDA_VISIBLE_DEVICES"] = names[index] if index < len(names) else ""


def choose(wanted: str, compute_type: str, *, must: bool = True) -> Device:
    """The device for `auto`, `cpu` or `cuda:N`. Raises DeviceError when it is not there or cannot do the arithmetic.

    Unless it `must` be that GPU, the processor takes the place of one that PyTorch cannot use.
    """
    import torch

    has_cuda = wanted != "cpu" and torch.cuda.is_available()
    if wanted.startswith("cuda") and not has_cuda and must:
        raise DeviceError(
            f"The device {wanted} is not there: this machine offers no such CUDA GPU to PyTorch.",
            "Choose `auto` or `cpu`, or run `qlora-ui doctor` to see what this machine can do.",
        )
    name = ("cuda:0" if wanted == "auto" else wanted) if has_cuda else "cpu"
    return Device(name, "cuda:0" if has_cuda else "cpu", _dtype(compute_type, has_cuda))


def _dtype(compute_type: str, has_cuda: bool) -> torch.dtype:
    """bfloat16 where the device is fast at it, else float32 (processor) or float16 (GPU)."""
    import torch

    if compute_type == "auto":
        if has_cuda:
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        return torch.bfloat16 if _processor_is_fast_at_bfloat16() else torch.float32
    if compute_type == "float16" and not has_cuda:
        raise DeviceError("A processor cannot train in float16.", "Set the compute precision to `auto`.")
    dtype: torch.dtype = getattr(torch, compute_type)
    return dtype


def _processor_is_fast_at_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Only with instructions for it: without them an NF4 step takes twenty times as long as in float32."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return "amx_bf16" in flags or "avx512_bf16" in flags


def _processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """As its maker calls it, where the system says so."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "Processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(filter(None, names), "Processor")


@contextmanager
def lease(context: Context, device: Device) -> Iterator[None]:
    """Hold the device for the length of the block: an OS lock, which ends with the process whatever happens to it."""
    path = context.workspace.device_lock(device.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        context.phase("waiting", f"It waits for {device.name}, which another job uses.")
        while not lock.is_locked:
            context.control.wait(LEASE_SECONDS)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
    try:
        yield
    finally:
        lock.release()
