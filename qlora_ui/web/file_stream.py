"""A file as a download, also one that is still being written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

_BLOCK = 1 << 20


def download(path: Path, filename: str) -> Response:
    """The file as long as it is now: what is appended meanwhile would not fit the length that was announced.

    It is opened at once, so that it arrives whole where it is deleted meanwhile. Raises OSError.
    """
    file = path.open("rb")
    size = os.fstat(file.fileno()).st_size
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(filename, errors='replace')}",
        "content-length": str(size),
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_blocks(file, size), 200, headers, "application/octet-stream")


def _blocks(file: IO[bytes], size: int) -> Iterator[bytes]:
    with file:
        while size > 0 and (block := file.read(min(size, _BLOCK))):
            size -= len(block)
            yield block
