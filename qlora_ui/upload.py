"""A data file on its way into the workspace: streamed to the disk, and there as a whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

from qlora_ui.contract.errors import DataError, WorkspaceError
from qlora_ui.contract.files import sync_folder
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset, new_id

MAX_BYTES = 20 * 1024**3
RESERVE_BYTES = 500 * 1024**2
"""What an upload leaves free on the disk: a checkpoint must still fit."""

ENDINGS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt")
MAX_NAME_BYTES = 120

_BUFFER_BYTES = 4 * 1024**2
PREFIX = ".upload-"
"""What the folder of a file begins with for as long as it arrives."""
ABANDONED_S = 24 * 3600


class TooLargeError(DataError):
    """This file is larger than the app takes."""


class DiskFullError(WorkspaceError):
    """This file does not fit on the disk."""


async def receive(workspace: Workspace, name: str, chunks: AsyncIterator[bytes], length: int | None = None) -> Dataset:
    """Store what `chunks` brings as `datasets/<id>/<name>`, in memory that does not grow with the file.

    `length` is what the sender announced, in bytes; with it, a file that cannot fit is refused before it is sent.
    Raises DataError for a name or an empty file, TooLargeError, DiskFullError or WorkspaceError. Then, and when
    `chunks` itself raises, nothing of the file is left behind.
    """
    name = clean_name(name)
    _check_size(length or 0)
    await asyncio.to_thread(_check_room, length or 0, workspace.datasets)
    draft = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=PREFIX, dir=workspace.datasets))
    try:
        size = await _write(draft / name, chunks)
        if size == 0:
            raise DataError(f"The file {name} is empty.", "Choose a file with rows in it.", place=name)
        dataset_id = new_id(Path(name).stem)
        folder = workspace.datasets / dataset_id
        await asyncio.to_thread(_settle, draft, folder)
    except OSError as error:
        raise _unwritable(name, error) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    return Dataset(id=dataset_id, name=name, path=str(folder / name), bytes=size)


def clean_name(name: str) -> str:
    """A name that is safe as a file's: the last part of a path, without control or path characters.

    Raises DataError when nothing is left of it or its ending is none of `ENDINGS`.
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    base = re.sub(r'[\x00-\x1f\x7f<>:"|?*]', "_", base).strip(" .")
    stem, ending = os.path.splitext(base)  # noqa: PTH122  # Path would read `..` and the like as parts
    if not stem.strip(" ._") or ending.lower() not in ENDINGS:
        shown = base[:80] or "without a name"
        raise DataError(
            f"A file {shown} cannot be taken in.", f"Its name must end in one of {', '.join(ENDINGS)}.", place=shown
        )
    room = MAX_NAME_BYTES - len(ending)
    return stem.encode()[:room].decode(errors="ignore").strip(" .") + ending


def remove_abandoned(workspace: Workspace) -> None:
    """Delete what uploads left behind whose server was killed, once it is a day old."""
    for draft in workspace.datasets.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if draft.stat().st_mtime < time.time() - ABANDONED_S:
                shutil.rmtree(draft, ignore_errors=True)


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> int:
    """Write and flush to the disk; gives the size. Collects a few megabytes before it troubles a thread."""
    size, buffer = 0, bytearray()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            buffer += chunk
            size += len(chunk)
            _check_size(size)
            if len(buffer) >= _BUFFER_BYTES:
                await asyncio.to_thread(_append, file, bytes(buffer), path.parent)
                buffer.clear()
        await asyncio.to_thread(_finish, file, bytes(buffer), path.parent)
    return size


def _append(file: IO[bytes], block: bytes, folder: Path) -> None:
    _check_room(len(block), folder)  # each time anew: others write to the disk meanwhile
    file.write(block)


def _finish(file: IO[bytes], rest: bytes, folder: Path) -> None:
    _append(file, rest, folder)
    file.flush()
    os.fsync(file.fileno())


def _settle(draft: Path, folder: Path) -> None:
    sync_folder(draft)
    draft.rename(folder)
    sync_folder(folder.parent)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise TooLargeError(
            f"The file is larger than {MAX_BYTES // 1024**3} GB, the most that is taken in.",
            "Split it, or give its path on this machine instead of uploading it.",
        )


def _check_room(size: int, folder: Path) -> None:
    if size > shutil.disk_usage(folder).free - RESERVE_BYTES:
        raise DiskFullError(
            "The file does not fit on the disk of the home folder.",
            f"Free some space: {RESERVE_BYTES // 1024**2} MB are kept back for checkpoints.",
        )


def _unwritable(name: str, error: OSError) -> WorkspaceError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError("The disk with the home folder is full, so the file was not kept.", "Free some space.")
    return WorkspaceError(f"The file {name} could not be stored: {error.strerror}.", "Check the home folder.")
