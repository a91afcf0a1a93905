"""What an exception means to the person: one sentence, and what to do about it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from qlora_ui.contract.errors import QloraUiError

_NEARLY_NOTHING = 1 << 20
"""Bytes left on a disk that counts as full."""


def explain(error: BaseException, folder: Path) -> tuple[str, str]:
    """The message and the hint for whatever ended a job whose files lie in `folder`."""
    if isinstance(error, QloraUiError):
        return error.message, error.hint
    chain = list(_chain(error))
    if any(_is_out_of_memory(link) for link in chain):
        return (
            "The device ran out of memory.",
            "Lower the batch size or the longest example, or switch activation checkpointing on; then resume.",
        )
    if any(_is_disk_full(link) for link in chain) or _disk_is_full(folder):
        return (
            f"The disk that holds {folder} is full.",
            "Make room, then resume: the run goes on from its last whole checkpoint.",
        )
    if isinstance(error, PermissionError):
        return f"{error.filename or folder} cannot be written: permission denied.", "Check who owns the folder."
    lines = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return f"Something unforeseen happened ({said}).", "The console log of the run has the details."


def _chain(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


def _is_out_of_memory(error: BaseException) -> bool:
    # torch.OutOfMemoryError by name: this module must not import torch, which may not be there yet
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return "CUDA out of memory" in text or "DefaultCPUAllocator: can't allocate memory" in text


def _is_disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return "No space left on device" in str(error) or "os error 28" in str(error)


def _disk_is_full(folder: Path) -> bool:
    """torch reports a failed write without saying why, so the disk itself is asked."""
    try:
        return shutil.disk_usage(folder).free < _NEARLY_NOTHING
    except OSError:
        return False
