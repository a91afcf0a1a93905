"""The folder of an upload that comes in parts: what has arrived of it, and a note of how far each file has come.

    datasets/.upload-<digest of the token>/<file>, or <folder>/<relative path>     what has arrived
                                          /.upload/upload.json                     what all of it comes to
                                          /.upload/<digest of the path>.json       how far one file has come
                                          /.upload/lock                            held while a part is written

Whoever knows the token goes on with the upload; it is made by the sender and only its digest is on the disk. When all
has arrived, the folder gets its name among the datasets in one step. The methods of `Draft` block: call them in a
thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from qlora_ui.contract.errors import DataError, WorkspaceError
from qlora_ui.contract.files import sync_folder
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset, new_id
from qlora_ui.contract.uploads import MAX_FILES, UploadedFile
from qlora_ui.store.datasets import dataset_in
from qlora_ui.upload import room
from qlora_ui.upload.names import clean_path

PREFIX = ".upload-"
"""What the folder of an upload begins with for as long as it arrives."""
ABANDONED_S = 24 * 3600

_NOTES = ".upload"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,128}")
_ID_DIGITS = 12
"""So much of the token's digest goes into the dataset's id, by which an upload is known when it was finished before."""


class UploadConflictError(WorkspaceError):
    """This part does not go on where the upload stands."""


class UnknownUploadError(WorkspaceError):
    """There is no such upload, or it was given up."""


class StoredFile(UploadedFile):
    """The note of one file."""

    stored: str
    """Where it lies, relative to the draft's folder."""


class _Sum(BaseModel):
    """The note of the whole upload."""

    top: str = ""
    """The file, or the folder with all files."""
    files: int = 0
    bytes: int = 0


class Draft:
    """One upload that is under way."""

    def __init__(self, workspace: Workspace, token: str) -> None:
        """Raises DataError for a token that could be guessed."""
        if not _TOKEN.fullmatch(token):
            raise DataError(
                "The name of the upload must be 22 to 128 random letters, digits, hyphens or underscores.",
                "Make a new one for each upload.",
            )
        digest = hashlib.sha256(token.encode()).hexdigest()
        self.folder = workspace.datasets / f"{PREFIX}{digest[:32]}"
        self._finished = f"*-{digest[:_ID_DIGITS]}"
        self._digits = digest[:_ID_DIGITS]
        self._notes = self.folder / _NOTES

    def lock(self, wait_s: float = 0.0) -> FileLock:
        """Keep every other request away from the upload until the lock is released. Raises UploadConflictError."""
        lock = FileLock(self._notes / "lock", thread_local=False)
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            raise UploadConflictError(
                "Another request is sending a part of this upload.",
                "Wait for it to end, or for its connection to break.",
            ) from None
        return lock

    def make(self) -> None:
        """Make the folder where it is not there yet."""
        self._notes.mkdir(parents=True, exist_ok=True)

    def exists(self) -> bool:
        return self._notes.is_dir()

    def files(self) -> list[StoredFile]:
        """What has arrived, in the order of the paths. Raises UnknownUploadError."""
        if not self.exists():
            raise UnknownUploadError("There is no such upload.", "What is left unfinished for a day is removed.")
        found = (self._read(note) for note in self._all_notes())
        return sorted((file for file in found if file is not None), key=lambda file: file.path)

    def files_begun(self) -> int:
        """How many files there are, with those whose note a power cut tore."""
        return sum(1 for _note in self._all_notes())

    def begin(self, path: str, start: int, total: int) -> StoredFile:
        """The note of the file whose next part begins at `start`; the first part makes it. Call it under the lock.

        Raises DataError for a path that cannot be stored, TooLargeError, and UploadConflictError for a `start` that is
        not where the file ends so far and for another `total` than before.
        """
        known = self._read(self._note(path))
        if known is not None and known.total != total:
            raise UploadConflictError(
                f"{path} was announced with {known.total} bytes before, and with {total} bytes now.",
                "A file that has changed is a new upload.",
            )
        here = known.offset if known is not None else 0
        if start != here:
            raise UploadConflictError(
                f"{here} bytes of {path} are here, but this part begins at byte {start}.",
                "Ask how far the upload has come, and go on there.",
            )
        return known or self._add(path, total)

    def keep(self, file: StoredFile) -> None:
        """Write down how far a file has come; its bytes are on the disk already."""
        _write(self._note(file.path), file)

    def settle(self, workspace: Workspace) -> Dataset:
        """Give the folder its name among the datasets. Call it under the lock, when all has arrived."""
        top = self._sum().top
        target = workspace.datasets / f"{new_id(Path(top).stem)}-{self._digits}"
        for inner, _, _ in os.walk(self.folder):
            sync_folder(Path(inner))
        self.folder.rename(target)
        sync_folder(target.parent)
        shutil.rmtree(target / _NOTES, ignore_errors=True)
        return self._described(target)

    def settled(self, workspace: Workspace) -> Dataset:
        """The dataset that this upload became before, whose answer may have got lost. Raises UnknownUploadError."""
        for folder in workspace.datasets.glob(self._finished):
            return self._described(folder)
        raise UnknownUploadError("There is no such upload.", "What is left unfinished for a day is removed.")

    def remove(self) -> None:
        """Delete what has arrived."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add(self, path: str, total: int) -> StoredFile:
        stored, whole = clean_path(path), self._sum()
        if whole.files and whole.top != stored.parts[0]:
            raise DataError(f"{path} lies outside the folder {whole.top} of this upload.", "Make an upload of its own.")
        if whole.files >= MAX_FILES:
            raise room.TooLargeError(
                f"The folder holds more than {MAX_FILES} files, the most that are taken in.",
                "Pack the rows into fewer files, or give its path on this machine instead of uploading it.",
            )
        room.check_size(whole.bytes + total)
        target = self.folder / stored
        if os.path.lexists(target):
            if not self._note(path).exists():
                raise DataError(f"Two files of this upload would both be stored as {stored}.", "Rename one of them.")
            target.unlink()  # it is this file, whose note a power cut tore
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise DataError(f"{path} lies in a folder that is a file of this upload.", "Rename one of them.") from None
        file = StoredFile(path=path, offset=0, total=total, stored=str(stored))
        _write(self._notes / "upload.json", _Sum(top=stored.parts[0], files=whole.files + 1, bytes=whole.bytes + total))
        self.keep(file)
        target.touch()
        return file

    def _sum(self) -> _Sum:
        try:
            return _Sum.model_validate_json((self._notes / "upload.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return _Sum()

    def _all_notes(self) -> Iterator[Path]:
        return (note for note in self._notes.glob("*.json") if note.name != "upload.json")

    def _note(self, path: str) -> Path:
        return self._notes / f"{hashlib.sha256(path.encode(errors='replace')).hexdigest()[:32]}.json"

    def _read(self, note: Path) -> StoredFile | None:
        """The note of a file; None when there is none, or one that a power cut tore: then the file is sent again."""
        try:
            file = StoredFile.model_validate_json(note.read_bytes())
            size = (self.folder / file.stored).stat().st_size
        except (FileNotFoundError, ValidationError):
            return None
        return file.model_copy(update={"offset": min(file.offset, size)})

    def _described(self, folder: Path) -> Dataset:
        dataset = dataset_in(folder)
        if dataset is None:
            raise WorkspaceError(f"The folder {folder} cannot be read.", "Check the home folder.")
        return dataset


def remove_abandoned(workspace: Workspace) -> None:
    """Delete uploads that nobody went on with for a day; one that a part arrives for now is none, whatever the time."""
    for draft in workspace.datasets.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            newest = max(path.stat().st_mtime for path in (draft, draft / _NOTES) if path.exists() or path == draft)
            if newest < time.time() - ABANDONED_S and not _is_in_use(draft):
                shutil.rmtree(draft, ignore_errors=True)


def hold(draft: Path) -> FileLock:
    """Keep the new folder of an upload that comes at once from being taken for an abandoned one. Raises OSError."""
    lock = FileLock(draft / _NOTES / "lock", thread_local=False)
    (draft / _NOTES).mkdir()
    lock.acquire(blocking=False)
    return lock


def let_go(draft: Path, lock: FileLock) -> None:
    """End what `hold` began; only what was uploaded is left. Raises OSError."""
    shutil.rmtree(draft / _NOTES)
    lock.release()


def _is_in_use(draft: Path) -> bool:
    """Somebody writes to it. A clock that was put forward makes it look old all the same."""
    if not (draft / _NOTES).is_dir():
        return False
    lock = FileLock(draft / _NOTES / "lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return True
    lock.release()
    return False


def _write(note: Path, content: BaseModel) -> None:
    """In one step for readers. A power cut may lose it, which costs no more than sending the file again."""
    temporary = note.with_suffix(".tmp")
    temporary.write_text(content.model_dump_json(), encoding="utf-8")
    temporary.replace(note)
