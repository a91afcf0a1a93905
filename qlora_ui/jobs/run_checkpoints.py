"""The checkpoints of a run as they lie on the disk. Reads and deletes: call it in a thread."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from qlora_ui.contract.checkpoints import Marker, all_of, name_of, read_marker, step_of
from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths, Workspace
from qlora_ui.contract.records import JobRecord
from qlora_ui.jobs.run_folder import locked_queue, read_record


@dataclass(frozen=True)
class CheckpointView:
    """One checkpoint, as far as a look at its marker and the sizes of its files tells."""

    step: int
    path: Path
    bytes: int
    """Of all its files."""
    saved_at: datetime
    metrics: dict[str, float]
    """What the newest evaluation had measured by then, by name, such as `eval_loss`."""
    is_best: bool
    """The best of those that are there, by the run's metric."""
    is_whole: bool
    """Its marker is there and every file has its size; the bytes themselves are looked at before they are used."""


def views_of(paths: RunPaths) -> list[CheckpointView]:
    """All checkpoints of a run, the oldest step first."""
    views: list[CheckpointView] = []
    for folder in all_of(paths.checkpoints):
        with contextlib.suppress(FileNotFoundError):  # its worker made room meanwhile
            views.append(_view(folder))
    best = max((view.step for view in views if view.is_best), default=None)  # a later one was better than those before
    return [replace(view, is_best=view.step == best) for view in views]


def delete(workspace: Workspace, paths: RunPaths, record: JobRecord, step: int) -> bool:
    """Delete one checkpoint of a run that is not at work, whose record was `record`.

    Does nothing and returns False when the record is another by now. Raises JobError, WorkspaceError.
    """
    folder = paths.checkpoints / name_of(step)
    with locked_queue(workspace):  # nobody launches a worker that would go on from it
        if read_record(paths) != record:
            return False
        if not folder.is_dir():
            raise JobError(f"{record.name} has no checkpoint at step {step:,}.", "It may have been deleted already.")
        try:
            (folder / CHECKPOINT_MARKER).unlink(missing_ok=True)  # first: a half-deleted one must not look whole
            shutil.rmtree(folder)
        except OSError as error:
            raise WorkspaceError(f"{folder} could not be deleted: {error.strerror}.") from error
    return True


def _view(folder: Path) -> CheckpointView:
    marker = read_marker(folder)
    sizes = {file.relative_to(folder).as_posix(): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    saved_at = (folder / CHECKPOINT_MARKER if marker else folder).stat().st_mtime
    return CheckpointView(
        step=step_of(folder),
        path=folder,
        bytes=sum(sizes.values()),
        saved_at=datetime.fromtimestamp(saved_at, UTC),
        metrics=marker.metrics if marker else {},
        is_best=marker is not None and marker.is_best,
        is_whole=marker is not None and _fits(marker, sizes),
    )


def _fits(marker: Marker, sizes: dict[str, int]) -> bool:
    return all(sizes.get(name) == sealed.bytes for name, sealed in marker.files.items())
