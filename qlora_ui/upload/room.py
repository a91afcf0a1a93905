"""How much may be taken in: the bound of one upload, and the room on the disk."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from qlora_ui.contract.errors import DataError, WorkspaceError

MAX_BYTES = 20 * 1024**3
"""Of one upload, with all its files."""
RESERVE_BYTES = 500 * 1024**2
"""What an upload leaves free on the disk: a checkpoint must still fit."""


class TooLargeError(DataError):
    """This file is larger than the app takes."""


class DiskFullError(WorkspaceError):
    """This file does not fit on the disk."""


def check_size(size: int) -> None:
    """Raises TooLargeError when an upload of `size` bytes is not taken."""
    if size > MAX_BYTES:
        raise TooLargeError(
            f"The upload is larger than {MAX_BYTES // 1024**3} GB, the most that is taken in.",
            "Split it, or give its path on this machine instead of uploading it.",
        )


def check_room(size: int, folder: Path) -> None:
    """Raises DiskFullError when `size` more bytes do not fit on the disk with `folder`."""
    if size > shutil.disk_usage(folder).free - RESERVE_BYTES:
        raise DiskFullError(
            "The file does not fit on the disk of the home folder.",
            f"Free some space: {RESERVE_BYTES // 1024**2} MB are kept back for checkpoints.",
        )


def unwritable(name: str, error: OSError) -> WorkspaceError:
    """The sentence for what the disk refused."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFullError(
            "The disk with the home folder is full, so the file could not be stored.", "Free some space."
        )
    return WorkspaceError(f"The file {name} could not be stored: {error.strerror}.", "Check the home folder.")
