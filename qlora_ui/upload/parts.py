"""Uploads in parts: each goes on where the one before it ended, also after a broken connection or a new start."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple, Self

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset
from qlora_ui.contract.uploads import UploadedFile, UploadState
from qlora_ui.upload import room
from qlora_ui.upload.draft import Draft, StoredFile, UploadConflictError

BUFFER_BYTES = 4 * 1024**2
"""What is collected before a thread is troubled with it."""
KEPT_BYTES = 64 * 1024**2
"""How much of one part may get lost with the server; at the end of a part nothing does."""
STALL_S = 30.0
"""A sender that is silent for so long is gone, and the upload is free for its next request."""
CANCEL_WAIT_S = 10.0
"""How long a cancel waits for a part that is just being written."""

_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")


class ContentRange(NamedTuple):
    """Which bytes of a file a part holds."""

    start: int
    end: int
    """The last byte, included."""
    total: int

    @classmethod
    def parse(cls, header: str) -> Self:
        """Read `bytes 0-99/200`. Raises DataError for anything else, and for a range that cannot be."""
        match = _RANGE.fullmatch(header.strip())
        if match is None:
            raise DataError(
                f"The header Content-Range says {header[:60] or 'nothing'}, which is no range of bytes.",
                "It must be like bytes 0-99/200: first byte, last byte and size of the file.",
            )
        start, end, total = map(int, match.groups())
        if not start <= end < total:
            raise DataError(
                f"The range of bytes {start}-{end} does not lie in a file of {total} bytes.",
                "The last byte is included, so a whole file of 200 bytes is bytes 0-199/200.",
            )
        return cls(start, end, total)

    @property
    def length(self) -> int:
        return self.end - self.start + 1


async def write_part(
    workspace: Workspace, token: str, path: str, part: ContentRange, chunks: AsyncIterator[bytes]
) -> UploadedFile:
    """Write the next part of a file; gives how far the file has come.

    What arrived is kept when `chunks` raises, or is silent for `STALL_S`. Raises DataError, TooLargeError,
    DiskFullError, WorkspaceError, and UploadConflictError for a part that does not follow what is there.
    """
    draft = Draft(workspace, token)
    await asyncio.to_thread(draft.make)
    async with _locked(draft):
        try:
            await asyncio.to_thread(room.check_room, part.total - part.start, workspace.datasets)
            file = await asyncio.to_thread(draft.begin, path, part.start, part.total)
            writer = await asyncio.to_thread(_Writer, draft, file)
            await _receive(writer, part, chunks)
        except OSError as error:
            raise room.unwritable(path, error) from error
    return UploadedFile(path=path, offset=writer.file.offset, total=part.total)


async def state(workspace: Workspace, token: str) -> UploadState:
    """How far each file of an upload has come. Raises UnknownUploadError."""
    files = await asyncio.to_thread(Draft(workspace, token).files)
    return UploadState(files=[UploadedFile(path=file.path, offset=file.offset, total=file.total) for file in files])


async def finish(
    workspace: Workspace, token: str, *, files: int | None = None, sha256: Mapping[str, str] | None = None
) -> Dataset:
    """Make a dataset of what has arrived; asked again, it gives the same dataset.

    `files` is how many there must be, `sha256` the checksum of each path that is to be checked, in hexadecimal.
    Raises UnknownUploadError, UploadConflictError when something is missing, DataError for a wrong checksum.
    """
    draft = Draft(workspace, token)
    if not await asyncio.to_thread(draft.exists):
        return await asyncio.to_thread(draft.settled, workspace)
    async with _locked(draft):
        try:
            return await asyncio.to_thread(_settle, workspace, draft, files, sha256 or {})
        except OSError as error:
            raise room.unwritable("of this upload", error) from error


async def cancel(workspace: Workspace, token: str) -> None:
    """Delete what has arrived. Raises UploadConflictError while a part keeps on being written."""
    draft = Draft(workspace, token)
    if await asyncio.to_thread(draft.exists):
        async with _locked(draft, CANCEL_WAIT_S):
            await asyncio.to_thread(draft.remove)


@asynccontextmanager
async def _locked(draft: Draft, wait_s: float = 0.0) -> AsyncIterator[None]:
    lock = await asyncio.to_thread(draft.lock, wait_s)
    try:
        yield
    finally:
        await asyncio.to_thread(lock.release)


async def _receive(writer: _Writer, part: ContentRange, chunks: AsyncIterator[bytes]) -> None:
    """Write a part as it comes; what came before it broke off is kept, too."""
    received, buffer = 0, bytearray()
    try:
        async for chunk in _unless_silent(chunks):
            received += len(chunk)
            if received > part.length:
                buffer.clear()
                await _to_its_end(partial(writer.cut, part.start))
                raise DataError(
                    f"This part holds more than the {part.length} bytes of its range.",
                    "Its body and its header Content-Range must agree.",
                )
            buffer += chunk
            if len(buffer) >= BUFFER_BYTES:
                block, buffer = bytes(buffer), bytearray()
                await _to_its_end(partial(writer.write, block))
    finally:
        await _to_its_end(partial(writer.end, bytes(buffer)))
    if received < part.length:
        raise UploadConflictError(
            f"This part broke off after {received} of its {part.length} bytes.",
            "Ask how far the upload has come, and go on there.",
        )


async def _to_its_end(call: Callable[[], None]) -> None:
    """Call it in a thread and wait for its end, also when cancelled: two of them at once would spoil the file."""
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(asyncio.shield(running), return_exceptions=True)
        raise


async def _unless_silent(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes, until nothing comes for `STALL_S`."""
    while True:
        try:
            async with asyncio.timeout(STALL_S):
                chunk = await anext(chunks)
        except (StopAsyncIteration, TimeoutError):
            return
        yield chunk


class _Writer:
    """A file of an upload that is open at its end. Every method blocks."""

    def __init__(self, draft: Draft, file: StoredFile) -> None:
        self.file = file
        self._draft = draft
        self._open: IO[bytes] = (draft.folder / file.stored).open("ab", buffering=0)
        self._size = self._noted = file.offset
        self._open.truncate(file.offset)  # what came after it was not yet safe when the server ended

    def write(self, block: bytes) -> None:
        room.check_room(len(block), self._draft.folder)  # each time anew: others write to the disk meanwhile
        while block:
            written = self._open.write(block)
            self._size += written
            block = block[written:]
        if self._size - self._noted >= KEPT_BYTES:
            self._note()

    def cut(self, size: int) -> None:
        self._open.truncate(size)
        self._size = size

    def end(self, rest: bytes) -> None:
        try:
            self.write(rest)
        finally:
            try:
                self._note()
            finally:
                self._open.close()

    def _note(self) -> None:
        os.fsync(self._open.fileno())
        self.file = self.file.model_copy(update={"offset": self._size})
        self._draft.keep(self.file)
        self._noted = self._size


def _settle(workspace: Workspace, draft: Draft, files: int | None, sha256: Mapping[str, str]) -> Dataset:
    arrived, expected_files = draft.files(), files or max(1, draft.files_begun())
    if len(arrived) != expected_files:
        raise UploadConflictError(
            f"{len(arrived)} of the {expected_files} files of this upload are here.", "Send the others first."
        )
    for file in arrived:
        if file.offset != file.total:
            raise UploadConflictError(
                f"Only {file.offset} of the {file.total} bytes of {file.path} are here.", "Send the rest of it first."
            )
    by_path = {file.path: file for file in arrived}
    for path, expected in sha256.items():
        if path not in by_path:
            raise UploadConflictError(f"There is no file {path} in this upload.", "Send it first.")
        _check(draft, by_path[path], expected)
    return draft.settle(workspace)


def _check(draft: Draft, file: StoredFile, expected: str) -> None:
    """Raises DataError when a file is not what was sent; then it has to be sent anew."""
    location: Path = draft.folder / file.stored
    with location.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != expected.lower():
        os.truncate(location, 0)
        draft.keep(file.model_copy(update={"offset": 0}))
        raise DataError(
            f"The checksum of {file.path} is {found} and should be {expected}: it was damaged on its way.",
            "Send it again.",
            place=file.path,
        )
