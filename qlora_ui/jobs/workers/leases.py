"""Which devices there are, and which are taken. A lease is an OS file lock of the worker: it ends with the process."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from qlora_ui.contract.paths import Workspace


def is_leased(workspace: Workspace, device: str) -> bool:
    """Whether some process, of this server or of any other on the same home, holds the device now."""
    return is_held(workspace.device_lock(device))


def is_held(path: Path) -> bool:
    """Whether some process holds this lock file."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def free_device(workspace: Workspace, wanted: str, taken: set[str]) -> str | None:
    """The first free device that fits `wanted` (`auto`, `cpu`, `cuda:0` …); None when it has to wait.

    `taken` are devices that were given away a moment ago, before their worker could lock them.
    """
    candidates = local_devices() if wanted == "auto" else (wanted,)
    return next((d for d in candidates if d not in taken and not is_leased(workspace, d)), None)


def fits(wanted: str, device: str) -> bool:
    """Whether a job that asks for `wanted` may compute on this device."""
    return device in local_devices() if wanted == "auto" else device == wanted


@cache
def local_devices() -> tuple[str, ...]:
    """The devices that `auto` chooses from: every NVIDIA GPU that CUDA_VISIBLE_DEVICES leaves, else the processor."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ("cpu",)
    try:
        count = int(pynvml.nvmlDeviceGetCount())
    finally:
        pynvml.nvmlShutdown()
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        names = [name.strip() for name in visible.split(",")]
        named = next((place for place, name in enumerate(names) if name in {"", "-1"}), len(names))
        count = min(count, named)  # CUDA stops reading at the first name that it does not know
    return tuple(f"cuda:{index}" for index in range(count)) or ("cpu",)
