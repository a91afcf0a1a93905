"""`qlora-ui doctor`: what this machine can do, and what to do about what it can't."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import psutil

from qlora_ui import __version__
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import STARTER, Workspace, model_location

PROBE_TIMEOUT_SECONDS = 120
LIBRARIES = ("nicegui", "torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "tinydb")
GB = 1e9


@dataclass(frozen=True)
class Check:
    """One finding."""

    name: str
    level: Literal["ok", "warning", "error"]
    finding: str
    advice: str = ""


def examine(workspace: Workspace) -> list[Check]:
    """Look at everything. Takes some seconds: the libraries are tried in a process of their own."""
    return [check for look in _LOOKS for check in look(workspace)]


def report(checks: list[Check], *, as_json: bool) -> str:
    """The findings as text for a person, or as JSON."""
    if as_json:
        return json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1)
    marks = {"ok": "✓", "warning": "!", "error": "✗"}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.level]} {check.name}: {check.finding}")
        if check.advice:
            lines.append(f"    {check.advice}")
    return "\n".join(lines)


def _system(workspace: Workspace) -> Iterator[Check]:
    yield Check("qlora-ui", "ok", f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    memory = psutil.virtual_memory()
    finding = f"{memory.available / GB:.1f} of {memory.total / GB:.1f} GB free"
    if memory.total < 4 * GB:
        yield Check("Memory", "warning", finding, "The starter model fits; a model of 1 billion parameters may not.")
    else:
        yield Check("Memory", "ok", finding)
    flags = _processor_flags()
    extras = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    finding = f"{os.cpu_count()} cores, {', '.join(extras) or 'no vector extension found'}"
    slow = platform.machine() in {"x86_64", "AMD64"} and flags and "avx2" not in flags
    advice = "4-bit training on this processor is very slow: use a machine with AVX2, or a GPU." if slow else ""
    yield Check("Processor", "warning" if slow else "ok", finding, advice)


def _home(workspace: Workspace) -> Iterator[Check]:
    from qlora_ui.settings import prepare_home

    try:
        notices = prepare_home(workspace)
    except WorkspaceError as error:
        yield Check("Home folder", "error", error.message, error.hint)
        return
    free = shutil.disk_usage(workspace.home).free
    advice = " ".join(notices) or ("A 7-billion model takes about 15 GB." if free < 20 * GB else "")
    level: Literal["ok", "warning"] = "warning" if free < 2 * GB else "ok"
    yield Check("Home folder", level, f"{workspace.home}, {free / GB:.1f} GB free", advice)


def _libraries(workspace: Workspace) -> Iterator[Check]:
    missing = []
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    yield Check("Libraries", "ok", ", ".join(found))
    if missing:
        yield Check("Libraries", "error", f"{', '.join(missing)} not installed", "Install qlora-ui again with pip.")


def _driver(workspace: Workspace) -> Iterator[Check]:
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield Check(
            "GPU",
            "warning",
            "no NVIDIA driver found",
            "Training runs on the processor: real, but slow; the starter model takes under two minutes.",
        )
        return
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            name = pynvml.nvmlDeviceGetName(handle)
            used = f"{(memory.total - memory.used) / GB:.1f} of {memory.total / GB:.1f} GB free"
            yield Check(f"GPU {index}", "ok", f"{name}, {used}, driver {pynvml.nvmlSystemGetDriverVersion()}")
    finally:
        pynvml.nvmlShutdown()


def _torch(workspace: Workspace) -> Iterator[Check]:
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "qlora_ui.worker.probe"],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_SECONDS,
            check=True,
        )
        found: dict[str, Any] = json.loads(answer.stdout.strip().splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        said = getattr(error, "stderr", "") or str(error)
        last = str(said).strip().splitlines()[-1:] or ["no word"]
        yield Check("torch", "error", f"cannot be used: {last[0]}", "Install qlora-ui again into a fresh environment.")
        return
    devices = found["cuda_devices"]
    seen = ", ".join(f"{d['name']} ({d['memory_bytes'] / GB:.0f} GB)" for d in devices) or "the processor only"
    yield Check("torch", "ok", f"{found['torch']} computes on {seen}")
    if not devices and _has_driver():
        advice = "This torch was built without CUDA. Install one that fits your driver: https://pytorch.org/get-started"
        yield Check("torch and GPU", "warning", "the driver sees a GPU, but torch does not", advice)
    if "nf4_failure" in found:
        yield Check("4-bit (NF4)", "error", found["nf4_failure"], "Install bitsandbytes again, or use another machine.")
    else:
        yield Check("4-bit (NF4)", "ok", f"computes; relative error of one layer {found['nf4_error']:.3f}")


def _standby(workspace: Workspace) -> Iterator[Check]:
    from qlora_ui.jobs.workers.standby_process import memory_of, waiting_in

    sizes = [size for pid in waiting_in(workspace.home) if (size := memory_of(pid)) is not None]
    if sizes:
        taken = ", ".join(f"{size / 1e6:.0f} MB" for size in sizes)
        yield Check("Standby worker", "ok", f"waits with its libraries loaded, in {taken} of memory")
    else:
        yield Check("Standby worker", "ok", "none waits: the app keeps one, unless it is off, while no run is at work")


def _starter(workspace: Workspace) -> Iterator[Check]:
    weights = Path(model_location(STARTER)) / "model.safetensors"
    if weights.is_file():
        yield Check("Starter model", "ok", f"{weights.stat().st_size / 1e6:.1f} MB, ready: `qlora-ui demo`")
    else:
        yield Check("Starter model", "error", f"{weights} is missing", "Install qlora-ui again.")


_LOOKS: tuple[Callable[[Workspace], Iterator[Check]], ...] = (
    _system,
    _home,
    _libraries,
    _driver,
    _torch,
    _standby,
    _starter,
)


def _has_driver() -> bool:
    from qlora_ui.jobs.workers.leases import local_devices

    return local_devices() != ("cpu",)


def _processor_flags() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    line = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "")
    return set(line.partition(":")[2].split())
