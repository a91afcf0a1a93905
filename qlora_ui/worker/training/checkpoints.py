"""Checkpoints as the worker writes them: sealed when they are on the disk, and pruned."""

from __future__ import annotations

import os
import shutil
from collections.abc import Container
from pathlib import Path

from qlora_ui.contract.checkpoints import Marker, all_of, seal_of, step_of
from qlora_ui.contract.files import sync_folder, write_atomically
from qlora_ui.contract.paths import CHECKPOINT_MARKER


def seal(
    folder: Path, step: int, totals: dict[str, float], metrics: dict[str, float] | None = None, *, is_best: bool = False
) -> int:
    """Flush a checkpoint to the disk and mark it whole; returns its size in bytes. Raises OSError."""
    files = {}
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != CHECKPOINT_MARKER):
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
        files[file.relative_to(folder).as_posix()] = seal_of(file)
    sync_folder(folder)
    marker = Marker(step=step, files=files, totals=totals, metrics=metrics or {}, is_best=is_best)
    write_atomically(folder / CHECKPOINT_MARKER, marker.model_dump_json(indent=1))
    return marker.bytes


def prune(checkpoints: Path, keep: int, always: Container[int] = ()) -> None:
    """Delete all but the newest `keep` and those of the steps in `always`.

    Called after the newest was sealed, so a whole one is there at any moment.
    """
    for folder in all_of(checkpoints)[:-keep]:
        if step_of(folder) not in always:
            remove(folder)


def remove(folder: Path) -> None:
    """Delete a checkpoint, its marker first: a half-deleted one must not look whole."""
    (folder / CHECKPOINT_MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def discard_after(checkpoints: Path, step: int) -> None:
    """Delete the remains of checkpoints behind `step`, which training is about to write anew."""
    for folder in all_of(checkpoints):
        if step_of(folder) > step:
            shutil.rmtree(folder, ignore_errors=True)
