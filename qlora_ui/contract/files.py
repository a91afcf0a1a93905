"""Files that others read: written to a temporary name, flushed to the disk and put in place in one step."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` so that a reader, or a power cut, sees the old or the new file, never half of one.

    Raises OSError (a full disk, say); the old file is then untouched and the temporary one is gone.
    """
    data = content.encode() if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, which keeps its bytes when the first is deleted; a copy where links cannot be made.

    Only for files that nobody writes into. Both survive a power cut from then on. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        with source.open("rb") as original, target.open("xb") as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the names inside `folder` survive a power cut; does nothing where the system cannot (Windows, a share)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # what a file system says that flushes no folders
            raise
    finally:
        os.close(descriptor)
