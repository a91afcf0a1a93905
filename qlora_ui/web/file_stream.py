"""A file as a download, also one that is still being written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

_BLOCK = 1 << 20


def download(path: Path, filename: str) -> Response:
    """The file as long as it is now: what is appended meanwhile would not fit the length that was announced.

    Looks at the disk. Raises OSError.
    """
    size = path.stat().st_size
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(filename, errors='replace')}",
        "content-length": str(size),
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_blocks(path, size), 200, headers, "application/octet-stream")


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, _BLOCK))):
            size -= len(block)
            yield block
