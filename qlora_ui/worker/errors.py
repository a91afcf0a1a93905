"""What an exception means to the person: what kind of thing went wrong, one sentence, and what to do about it."""

from __future__ import annotations

import errno
import re
import shutil
import traceback
from pathlib import Path
from typing import NamedTuple

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.records import EndCause

_NEARLY_NOTHING = 1 << 20
"""Bytes left on a disk that counts as full."""
_TRACEBACK_CHARACTERS = 30_000

_LESS_MEMORY = "Lower the batch size or the longest example, or switch activation checkpointing on; then try again."
_MORE_MEMORY = "Close other programs, or lower the batch size or the longest example; then try again."
_DEVICE_IS_FULL = "The device ran out of memory."
_TRY_AGAIN = "Try again; if it happens once more, restart the machine, and then run `qlora-ui doctor`."
_DOCTOR = "`qlora-ui doctor` says what fits this machine; install that, then try again."


class Explanation(NamedTuple):
    """Why a job failed, in words."""

    cause: EndCause
    message: str
    hint: str


def explain(error: BaseException, folder: Path) -> Explanation:
    """The cause, the message and the hint for whatever ended a job whose files lie in `folder`."""
    chain = list(_chain(error))
    disk_is_full = any(_is_disk_full(link) for link in chain)
    if isinstance(error, QloraUiError):
        return Explanation(EndCause.DISK if disk_is_full else EndCause.INPUT, error.message, error.hint)
    for link in chain:
        if (found := _of_memory(link) or _of_device(link)) is not None:
            return found
    if disk_is_full or _disk_is_full(folder):
        hint = "Make room, then try again: the run goes on from its last whole checkpoint."
        return Explanation(EndCause.DISK, f"The disk that holds {folder} is full.", hint)
    if isinstance(error, PermissionError):
        message = f"{error.filename or folder} cannot be written: permission denied."
        return Explanation(EndCause.INPUT, message, "Check who owns the folder.")
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        message = f"{error.filename or folder} lies on a disk that can only be read."
        return Explanation(EndCause.INPUT, message, "Make that disk writable, then try again.")
    if isinstance(error, OSError) and error.errno == errno.EIO:
        hint = "The disk may be failing, or a network drive is gone. Look after it, then try again."
        return Explanation(EndCause.DISK, f"The disk that holds {error.filename or folder} reported an error.", hint)
    lines = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    message = f"Something unforeseen happened ({said})."
    return Explanation(EndCause.PROGRAM, message, "The console log of the run has the details.")


def traceback_of(error: BaseException) -> str:
    """What Python says of an error, of a very long one the end."""
    return "".join(traceback.format_exception(error))[-_TRACEBACK_CHARACTERS:].strip()


def _chain(error: BaseException | None) -> list[BaseException]:
    links: list[BaseException] = []
    while error is not None and error not in links:
        links.append(error)
        error = error.__cause__ or error.__context__
    return links


def _of_memory(error: BaseException) -> Explanation | None:
    # torch.OutOfMemoryError by name: this module must not import torch, which may not be there yet
    text = str(error)
    if type(error).__name__ == "OutOfMemoryError" or any(sign in text for sign in _DEVICE_OUT_OF_MEMORY):
        wanted = re.search(r"Tried to allocate ([\d.]+ [KMGT]iB)", text)
        message = f"The device ran out of memory: {wanted[1]} more would not fit." if wanted else _DEVICE_IS_FULL
        return Explanation(EndCause.DEVICE_MEMORY, message, _LESS_MEMORY)
    if isinstance(error, MemoryError) or "DefaultCPUAllocator: can't allocate memory" in text:
        return Explanation(EndCause.MEMORY, "The machine ran out of memory.", _MORE_MEMORY)
    return None


_DEVICE_OUT_OF_MEMORY = (
    "CUDA out of memory",
    "HIP out of memory",
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_DEVICE_ERROR = re.compile(
    r"CUDA error|CUDA driver error|HIP error|CUDA driver version|CUDA initialization|CUDNN_STATUS|cuDNN error"
    r"|CUBLAS_STATUS|CUSOLVER_STATUS|CUSPARSE_STATUS|NCCL error|NVML"
)
_DEVICE_ERRORS = (
    (
        "device-side assert",
        "The GPU stopped at a check in its own code: most often, a token's number is beyond the model's vocabulary.",
        "Choose the tokenizer that belongs to the model; on the device `cpu` the same error names its place.",
    ),
    (
        "illegal memory access",
        "The GPU reported an access to memory that is not its own: an error in a library or in the driver.",
        _TRY_AGAIN,
    ),
    (
        "ECC error",
        "The GPU's memory has a fault that it could not correct (ECC).",
        "Restart the machine, then try again. If that happens again, the GPU is failing.",
    ),
    (
        "no kernel image is available",
        "The installed PyTorch was not built for this GPU.",
        _DOCTOR,
    ),
    (
        "driver version is insufficient",
        "The GPU's driver is too old for the installed PyTorch.",
        "Update the driver, or run `qlora-ui doctor` to see which PyTorch fits it; then try again.",
    ),
    (
        "busy or unavailable",
        "The GPU lets no other program in: one that uses it has it for itself.",
        "End that program, or choose another device; then try again.",
    ),
    (
        "launch timed out",
        "The system ended a computation on the GPU because it took too long, as it does where a screen hangs on it.",
        "Lower the batch size or the longest example, or use a GPU without a screen; then try again.",
    ),
    (
        "unspecified launch failure",
        "A computation on the GPU failed, and its driver does not say why.",
        _TRY_AGAIN,
    ),
    (
        "system not yet initialized",
        "The GPU's driver is not ready: the service that connects several GPUs is not running.",
        "Start the NVIDIA Fabric Manager, then try again.",
    ),
    (
        "GPU is lost",
        "The connection to the GPU was lost.",
        "Restart the machine, then try again. If that happens again, look after its power and cooling.",
    ),
)
"""A sign in the driver's or a library's text → what it means, what to do."""


def _of_device(error: BaseException) -> Explanation | None:
    # torch.AcceleratorError by name, for the same reason
    text = str(error)
    if type(error).__name__ != "AcceleratorError" and not _DEVICE_ERROR.search(text):
        return None
    for sign, message, hint in _DEVICE_ERRORS:
        if sign in text:
            return Explanation(EndCause.DEVICE, message, hint)
    said = (text.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return Explanation(EndCause.DEVICE, f"The GPU or its driver reported an error ({said}).", _TRY_AGAIN)


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
