"""Checkpoints that are whole or do not count: a marker, written last, lists their files."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from pydantic import BaseModel, ValidationError

from qlora_ui.contract.files import sync_folder, write_atomically
from qlora_ui.contract.paths import CHECKPOINT_MARKER

MARKER = CHECKPOINT_MARKER
_PREFIX = "checkpoint-"
_HASHED = 4 << 20
"""Files up to this many bytes are hashed; of larger ones the size is compared, which tells a cut-off file."""


class FileSeal(BaseModel):
    bytes: int
    sha256: str = ""


class Marker(BaseModel):
    """`complete.json`: every other file of the checkpoint, as it was when the last of them had reached the disk."""

    step: int
    files: dict[str, FileSeal]
    totals: dict[str, float] = {}
    """What was counted since the start of the run, over all attempts: `seconds` of training, trained-on `tokens`,
    the last step that was `evaluated`."""


def seal(folder: Path, step: int, totals: dict[str, float]) -> int:
    """Flush a checkpoint to the disk and mark it whole; returns its size in bytes. Raises OSError."""
    files = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != MARKER):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        files[file.relative_to(folder).as_posix()] = _seal_of(file)
    sync_folder(folder)
    write_atomically(folder / MARKER, Marker(step=step, files=files, totals=totals).model_dump_json(indent=1))
    return sum(file.bytes for file in files.values())


def is_whole(folder: Path) -> bool:
    """Every file that the marker lists is there as it was."""
    try:
        marker = Marker.model_validate_json((folder / MARKER).read_bytes())
        return all(_seal_of(folder / name) == sealed for name, sealed in marker.files.items())
    except (OSError, ValidationError):
        return False


def newest(checkpoints: Path) -> Path | None:
    """The latest whole checkpoint; ones that a crash cut off or that were damaged are passed over."""
    return next((folder for folder in reversed(_all(checkpoints)) if is_whole(folder)), None)


def totals_of(checkpoint: Path) -> dict[str, float]:
    return Marker.model_validate_json((checkpoint / MARKER).read_bytes()).totals


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_PREFIX))


def prune(checkpoints: Path, keep: int) -> None:
    """Delete all but the newest `keep`. Called after the newest was sealed, so a whole one is there at any moment."""
    for folder in _all(checkpoints)[:-keep]:
        (folder / MARKER).unlink(missing_ok=True)  # first: a half-deleted checkpoint must not look whole
        shutil.rmtree(folder, ignore_errors=True)


def discard_after(checkpoints: Path, step: int) -> None:
    """Delete the remains of checkpoints behind `step`, which training is about to write anew."""
    for folder in _all(checkpoints):
        if step_of(folder) > step:
            shutil.rmtree(folder, ignore_errors=True)


def _all(checkpoints: Path) -> list[Path]:
    """All checkpoint folders, oldest step first."""
    folders = [f for f in checkpoints.glob(f"{_PREFIX}*") if f.is_dir() and f.name.removeprefix(_PREFIX).isdecimal()]
    return sorted(folders, key=step_of)


def _seal_of(file: Path) -> FileSeal:
    size = file.stat().st_size
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if size <= _HASHED else ""
    return FileSeal(bytes=size, sha256=digest)
