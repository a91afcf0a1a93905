"""The cupboard of prepared data: a folder for each fingerprint, which appears whole and is checked before it is used.
The one that was not used for longest goes when room is needed.

Several processes may use it at once: each writes into a folder of its own, and the first to finish gives it the name.
Nothing in it is ever unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import PREPARED_MARKER

MOST_BYTES = 20 << 30
"""What all entries together may take; the newest stays even when it is larger."""
NOTES = "notes.json"
YOUNG_S = 60.0
"""An unfinished folder younger than this may just be about to be locked by its maker."""
_BUSY = ".making"
_KNOWN, _MOST_KNOWN = "files", 2_000
_NOW_AND_THEN = "00"
"""How the name of one note in 256 begins: only then are they counted."""
_SMALL = 64 << 20
"""Files up to this size are checked byte by byte, larger ones by their size."""


class Cache:
    """A folder of prepared data."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def find(self, fingerprint: str) -> tuple[Path, dict[str, Any]] | None:
        """The folder of this entry, and what was noted of it; None where there is none that is whole."""
        folder = self._folder / fingerprint
        try:
            manifest = json.loads((folder / PREPARED_MARKER).read_bytes())
            if manifest["fingerprint"] != fingerprint or any(
                _check(folder / name, check) is False for name, check in manifest["files"].items()
            ):
                return None
            notes = json.loads((folder / NOTES).read_bytes())
            os.utime(folder)  # it was used
            return folder, notes
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    @contextmanager
    def making(self, fingerprint: str) -> Iterator[Path]:
        """An empty folder for `keep`; it is gone at the end unless it was kept. Raises WorkspaceError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{fingerprint[:16]}.", suffix=".tmp", dir=self._folder))
        except OSError as error:
            raise _unwritable(error, self._folder) from error
        try:
            with FileLock(folder / _BUSY):
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, made: Path, fingerprint: str, notes: dict[str, Any]) -> Path:
        """Give a folder that was made its name, and make room. Raises OSError."""
        (made / NOTES).write_text(json.dumps(notes), encoding="utf-8")
        files = {file.name: _describe(file) for file in made.iterdir() if file.name != _BUSY}
        write_atomically(made / PREPARED_MARKER, json.dumps({"fingerprint": fingerprint, "files": files}))
        (made / _BUSY).unlink(missing_ok=True)
        folder = self._folder / fingerprint
        try:
            made.rename(folder)
        except OSError:  # there is one already: another process was faster, or it is damaged
            if self.find(fingerprint) is None:
                _remove(folder)
                made.rename(folder)
        self._make_room(folder)
        return folder

    def remembered(self, stamp: str, fingerprint: Callable[[], str]) -> str:
        """The fingerprint of a file with this stamp, worked out only once."""
        note = self._folder / _KNOWN / hashlib.sha256(stamp.encode()).hexdigest()
        with contextlib.suppress(OSError):
            known = note.read_text(encoding="ascii", errors="replace")
            if len(known) == 64 and set(known) <= set("0123456789abcdef"):
                return known
        found = fingerprint()
        with contextlib.suppress(OSError):  # it is only quicker with it
            note.parent.mkdir(parents=True, exist_ok=True)
            draft = note.with_suffix(f".{os.getpid()}")
            draft.write_text(found, encoding="ascii")
            draft.replace(note)  # not forced to the disk: there may be ten thousand files, and half a note is none
            if note.name.startswith(_NOW_AND_THEN):
                _thin_out(note.parent)
        return found

    def _make_room(self, newest: Path) -> None:
        """Remove what was not used for longest, and what a process left that died while it was making it."""
        entries = []
        with contextlib.suppress(OSError):
            for folder in self._folder.iterdir():
                if folder.name.endswith(".tmp"):
                    _remove_if_abandoned(folder)
                elif folder.name != _KNOWN and folder != newest and folder.is_dir():
                    entries.append((folder.stat().st_mtime, _size(folder), folder))
        room = self._most_bytes - _size(newest)
        for _, size, folder in sorted(entries, reverse=True):
            room -= size
            if room < 0:
                _remove(folder)


def _describe(file: Path) -> list[Any]:
    size = file.stat().st_size
    return [size, _digest(file) if size <= _SMALL else ""]


def _check(file: Path, expected: list[Any]) -> bool:
    size, digest = expected
    return file.stat().st_size == size and (not digest or _digest(file) == digest)


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "blake2b").hexdigest()


def _size(folder: Path) -> int:
    with contextlib.suppress(OSError):
        return sum(file.stat().st_size for file in folder.iterdir())
    return 0


def _remove(folder: Path) -> None:
    """Take its name away first, so that nobody opens half of it. Who has it mapped keeps what is mapped."""
    gone = folder.with_name(f".{folder.name[:16]}.{os.getpid()}.gone.tmp")
    with contextlib.suppress(OSError):
        folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _remove_if_abandoned(folder: Path) -> None:
    with contextlib.suppress(Timeout, OSError):
        if time.time() - folder.stat().st_mtime < YOUNG_S:
            return
        with FileLock(folder / _BUSY).acquire(blocking=False):
            shutil.rmtree(folder, ignore_errors=True)


def _thin_out(folder: Path) -> None:
    notes = list(folder.iterdir())
    if len(notes) > _MOST_KNOWN:
        for note in sorted(notes, key=lambda file: file.stat().st_mtime)[: len(notes) - _MOST_KNOWN // 2]:
            note.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say it plainly where the disk takes no more. Raises WorkspaceError."""
    try:
        yield
    except OSError as error:
        raise _unwritable(error, folder) from error


def _unwritable(error: OSError, folder: Path) -> WorkspaceError:
    return WorkspaceError(
        f"{folder} cannot take the prepared data: {error.strerror or error}.", "Make room on the disk."
    )
