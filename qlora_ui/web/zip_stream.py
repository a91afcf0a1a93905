"""A folder as a zip file that is made while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO

BLOCK_BYTES = 1024**2


def zip_folder(folder: Path) -> Iterator[bytes]:
    """The regular files below `folder`, not compressed (weights hardly shrink), about a megabyte at a time.

    All are opened before this returns, so that they arrive whole where the folder is deleted meanwhile: the end of a
    stream that breaks off looks to a browser like the end of the file. Raises OSError.
    """
    with ExitStack() as opened:
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        files = [(_entry(folder, path), opened.enter_context(path.open("rb"))) for path in paths]
        return _zipped(files, opened.pop_all())


def _entry(folder: Path, path: Path) -> zipfile.ZipInfo:
    name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
    return zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)


def _zipped(files: Sequence[tuple[zipfile.ZipInfo, IO[bytes]]], opened: ExitStack) -> Iterator[bytes]:
    sink = _Sink()
    with opened, zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for entry, source in files:
            with archive.open(entry, "w", force_zip64=entry.file_size >= 2**31) as target:
                while block := source.read(BLOCK_BYTES):
                    target.write(block)
                    yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """Takes what is written and hands it on; it cannot go back, so `zipfile` writes its sizes behind each file."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        block = bytes(data)  # type: ignore[call-overload]  # `zipfile` writes bytes alone
        self._held += block
        return len(block)

    def take(self) -> bytes:
        block = bytes(self._held)
        self._held.clear()
        return block
