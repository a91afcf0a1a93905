"""How far a download is, as told by what has arrived on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

OnNote = Callable[[str], None]
"""Called now and then, from a thread of its own too, with a sentence on what is being waited for."""
_SECONDS = 1.0


@contextmanager
def telling_bytes(what: str, folder: Path, total: int | None, on_note: OnNote) -> Iterator[None]:
    """While the block runs, say once a second how much has been added to the folder, of `total` bytes where known."""
    before, ended = _size(folder), Event()

    def watch() -> None:
        last = -1
        while not ended.wait(_SECONDS):
            if (arrived := max(0, _size(folder) - before)) != last:
                on_note(_sentence(what, arrived, total))
            last = arrived

    thread = Thread(target=watch, name="download-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _sentence(what: str, arrived: int, total: int | None) -> str:
    if total is None:
        return f"Fetching {what}: {_megabytes(arrived)}."
    if arrived >= total:
        return f"Unpacking {what}."
    return f"Fetching {what}: {_megabytes(arrived)} of {_megabytes(total)}."


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count < 1e7 else f"{count / 1e6:,.0f} MB"


def _size(folder: Path) -> int:
    """Of the files right in the folder, whole or still on their way."""
    total = 0
    try:
        for path in folder.iterdir():
            total += path.lstat().st_size
    except OSError:  # not there yet, or a file was renamed at this moment: the next look is better
        pass
    return total
