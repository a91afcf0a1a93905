"""A folder as a zip file that is made while it is sent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

BLOCK_BYTES = 1024**2


def zip_folder(folder: Path) -> Iterator[bytes]:
    """The regular files below `folder`, not compressed (weights hardly shrink), about a megabyte at a time."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            size = path.stat().st_size
            entry = zipfile.ZipInfo.from_file(path, name)
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=size >= 2**31) as target:
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
