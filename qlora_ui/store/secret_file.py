"""A secret that a person entered, in a file that only its owner can read: never in the database or a log."""

from __future__ import annotations

import errno
from pathlib import Path

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically

MAX_BYTES = 16_384


class SecretFile:
    """One secret. Every method waits for the disk, so call it in a thread; each raises WorkspaceError.

    It does not cover other programs of the same user, nor backups of the home folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self) -> str:
        """The secret; empty when there is none. A file that others could read is closed to them on the way."""
        try:
            if self._path.stat().st_mode & 0o077:
                self._path.chmod(0o600)
            with self._path.open("rb") as file:
                return file.read(MAX_BYTES).decode("utf-8", errors="replace").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise _unusable(self._path, error) from error

    def set(self, value: str) -> None:
        """Keep this in place of what was kept, in one step; nothing is kept when it is empty."""
        if not value:
            self.remove()
            return
        try:
            write_atomically(self._path, value + "\n")  # readable by its owner only from the start
        except OSError as error:
            raise _unusable(self._path, error) from error

    def remove(self) -> None:
        """Delete it, and what a crash in the middle of a save left of it."""
        try:
            for file in (self._path, *self._path.parent.glob(f".{self._path.name}.*.tmp")):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from error


def _unusable(path: Path, error: OSError) -> WorkspaceError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return WorkspaceError(
            f"The disk with {path.parent} is full, so this change was not saved.",
            "Everything saved before is still there. Free some space and try again.",
        )
    return WorkspaceError(
        f"The file {path} cannot be used: {error.strerror}.", "Check the permissions of the home folder."
    )
