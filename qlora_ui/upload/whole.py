"""A file, or a text that somebody pasted, that comes in one request: taken in as a whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import IO

from filelock import FileLock

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.files import sync_folder
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Dataset, new_id
from qlora_ui.contract.uploads import MAX_TEXT_BYTES, ending_of
from qlora_ui.upload import room
from qlora_ui.upload.draft import PREFIX, hold, let_go
from qlora_ui.upload.names import clean_name

PASTED = "pasted"
"""What a text is called that nobody gave a name."""
BUFFER_BYTES = 4 * 1024**2
"""What is collected before a thread is troubled with it."""

_LOOKED_AT = 64 * 1024
_RECORDS_COMPARED = 20
_LONGEST_HEADING = 64


async def receive(workspace: Workspace, name: str, chunks: AsyncIterator[bytes], length: int | None = None) -> Dataset:
    """Store what `chunks` brings as `datasets/<id>/<name>`, in memory that does not grow with the file.

    `length` is what the sender announced, in bytes; with it, a file that cannot fit is refused before it is sent.
    Raises DataError for a name or an empty file, TooLargeError, DiskFullError or WorkspaceError. Then, and when
    `chunks` itself raises, nothing of the file is left behind.
    """
    name = clean_name(name)
    room.check_size(length or 0)
    await asyncio.to_thread(room.check_room, length or 0, workspace.datasets)
    draft = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=PREFIX, dir=workspace.datasets))
    try:
        lock = await asyncio.to_thread(hold, draft)
        size = await _write(draft / name, chunks)
        if size == 0:
            raise DataError(f"The file {name} is empty.", "Choose a file with rows in it.", place=name)
        dataset_id = new_id(Path(name).stem)
        folder = workspace.datasets / dataset_id
        await asyncio.to_thread(_settle, draft, lock, folder)
    except OSError as error:
        raise room.unwritable(name, error) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
    return Dataset(id=dataset_id, name=name, path=str(folder / name), bytes=size)


async def receive_text(workspace: Workspace, text: str, name: str = "") -> Dataset:
    """Store a text as a data file; unless `name` ends as a data file does, a look at the text tells its kind.

    Raises as `receive` does, and TooLargeError for more than `MAX_TEXT_BYTES`.
    """
    content = await asyncio.to_thread(text.encode, errors="replace")
    if len(content) > MAX_TEXT_BYTES:
        raise room.TooLargeError(
            f"The text is longer than {MAX_TEXT_BYTES // 1024**2} MB, the most that can be pasted.",
            "Save it as a file and upload that.",
        )
    if not text.strip():
        raise DataError("The text is empty.", "Paste at least one example.")
    if not ending_of(name):
        name = (name or PASTED) + kind_of(text)

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return await receive(workspace, name, chunks(), len(content))


def kind_of(text: str) -> str:
    """The ending that suits a text: `.jsonl`, `.json`, `.tsv`, `.csv`, or `.txt` when it is nothing of these.

    Looks at its beginning only, so that the longest text is judged as fast as a short one.
    """
    start = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        return ".json"
    if start.startswith("{"):
        line, _, rest = start.partition("\n")
        is_cut = not rest and len(text) > _LOOKED_AT  # a line longer than what is looked at
        return ".jsonl" if is_cut or _is_json(line) else ".json"
    for delimiter, ending in (("\t", ".tsv"), (",", ".csv"), (";", ".csv"), ("|", ".csv")):
        if _is_table(start, delimiter):
            return ending
    return ".txt"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str, delimiter: str) -> bool:
    """A line of different short headings, and records that all have as many fields as it."""
    if len(text) > _LOOKED_AT // 2:
        text = text[: text.rfind("\n") + 1] or text  # the last line may be cut
    try:
        records = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
        headings, *others = islice((record for record in records if record), _RECORDS_COMPARED)
    except (csv.Error, ValueError):
        return False
    are_headings = all(0 < len(heading.strip()) <= _LONGEST_HEADING for heading in headings)
    is_regular = bool(others) and all(len(record) == len(headings) for record in others)
    return len(headings) > 1 and len(set(headings)) == len(headings) and are_headings and is_regular


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> int:
    """Write and flush to the disk; gives the size."""
    size, buffer = 0, bytearray()
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            buffer += chunk
            size += len(chunk)
            room.check_size(size)
            if len(buffer) >= BUFFER_BYTES:
                await asyncio.to_thread(_append, file, bytes(buffer), path.parent)
                buffer.clear()
        await asyncio.to_thread(_finish, file, bytes(buffer), path.parent)
    return size


def _append(file: IO[bytes], block: bytes, folder: Path) -> None:
    room.check_room(len(block), folder)  # each time anew: others write to the disk meanwhile
    file.write(block)


def _finish(file: IO[bytes], rest: bytes, folder: Path) -> None:
    _append(file, rest, folder)
    file.flush()
    os.fsync(file.fileno())


def _settle(draft: Path, lock: FileLock, folder: Path) -> None:
    let_go(draft, lock)
    sync_folder(draft)
    draft.rename(folder)
    sync_folder(folder.parent)
