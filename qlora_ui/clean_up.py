"""Freeing the disk of what nobody needs: first a list of what would go, then exactly that, looked at once more.

What runs have not finished with stays: checkpoints of paused, stopped, failed and interrupted runs, from which they go
on, and data that any run names. Nothing is reached through a link. Each thing is first renamed, in one step, to a name
that nobody looks for; only then, if still no run wants it, it is deleted, and otherwise it gets its name back. A run
that is submitted meanwhile looks once more for its data after it can be seen, so one of the two sees the other. It does
not cover a person who moves folders about by hand at the same moment.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from filelock import FileLock, Timeout

from qlora_ui import upload
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import PREPARED_MARKER, RunPaths, Workspace
from qlora_ui.contract.records import JobRecord, JobStatus
from qlora_ui.jobs import run_folder
from qlora_ui.jobs.workers.leases import is_held
from qlora_ui.storage_use import in_thread, size_of
from qlora_ui.store.datasets import dataset_in

Category = Literal["checkpoints", "datasets", "prepared", "cache", "uploads", "leftovers"]

NEW_DATA_S = 3600.0
"""A data file that is no older than this may be about to be used."""
BURIED_S = 60.0
"""What was renamed that long ago is not on its way out any more: something stopped in the middle."""
GRAVE = ".deleted-"

_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Item:
    """One thing that would go."""

    category: Category
    path: Path
    name: str
    """What a person knows it by: the run, the data file, or the name of the folder."""
    bytes: int


@dataclass(frozen=True)
class Findings:
    """What could go."""

    items: list[Item]
    """The largest first."""
    obstacle: str = ""
    """Why data and checkpoints are not among them; empty when nothing is in the way."""


@dataclass
class Outcome:
    """What a clean-up did."""

    deleted: list[Item] = field(default_factory=list)
    kept: dict[Item, str] = field(default_factory=dict)
    """What was left after all → why, in a sentence."""

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.deleted)


async def find(workspace: Workspace) -> Findings:
    """Everything that could go, in all categories. Deletes nothing."""

    def look(is_over: Callable[[], bool]) -> Findings:
        wanted = _Wanted(workspace)
        found = [
            Item(category, path, name, size_of(path, is_over))
            for category, path, name in _candidates(workspace, wanted)
        ]
        return Findings(sorted(found, key=lambda item: -item.bytes), wanted.unknown)

    return await in_thread(look)


async def clean(workspace: Workspace, items: list[Item]) -> Outcome:
    """Delete these items, as far as they may still go; once begun, it ends even if the caller is cancelled.

    Raises WorkspaceError when the queue cannot be locked; then nothing was touched.
    """

    def work() -> Outcome:
        outcome = Outcome()
        graves = _bury(workspace, items, outcome)
        _delete(workspace, graves, outcome)
        return outcome

    return await asyncio.to_thread(work)


# ---- what may go ----


def _candidates(workspace: Workspace, wanted: _Wanted) -> Iterator[tuple[Category, Path, str]]:
    """What may go now, as (category, path, name)."""
    for folder in _folders(workspace.runs):
        run = RunPaths(folder)
        if _is_forgotten_grave(folder) or (folder.name.startswith(".new-") and _is_older(folder, NEW_DATA_S)):
            yield "leftovers", folder, folder.name
        elif folder.name.startswith(".") or not _is_real(run.checkpoints) or wanted.by_open_runs(run):
            continue
        elif (record := _completed(run)) is not None:
            yield "checkpoints", run.checkpoints, record.name
    for folder in _folders(workspace.datasets):
        name = _data_name(folder)
        if _is_forgotten_grave(folder):
            yield "leftovers", folder, folder.name
        elif folder.name.startswith(upload.PREFIX) and _is_older(folder, upload.ABANDONED_S):
            yield "uploads", folder, name or folder.name
        elif (
            name and not folder.name.startswith(".") and _is_older(folder, NEW_DATA_S) and not wanted.by_any_run(folder)
        ):
            yield "datasets", folder, name

    for folder in _folders(workspace.prepared):
        if _is_forgotten_grave(folder):
            yield "leftovers", folder, folder.name
        elif not folder.name.startswith(".") and (folder / PREPARED_MARKER).is_file():
            yield "prepared", folder, f"{folder.name[:12]}…"
    for folder in _folders(workspace.cache):
        yield "cache", folder, folder.name


class _Wanted:
    """The paths that runs name in their parameters, as the run folders have them at this moment."""

    def __init__(self, workspace: Workspace) -> None:
        self._by_run: dict[str, set[Path]] = {}
        self._open: set[str] = set()
        self.unknown = ""
        """Why it cannot be told what runs want, in a sentence; then they may want anything."""
        try:
            for folder in workspace.runs.iterdir():
                if folder.is_dir() and not folder.name.startswith(GRAVE):
                    self._read(RunPaths(folder))
        except OSError as error:
            self.unknown = f"The folder {workspace.runs} cannot be read: {error.strerror}."

    def by_any_run(self, folder: Path) -> bool:
        return bool(self.unknown) or self._is_named(folder, self._by_run)

    def by_open_runs(self, run: RunPaths) -> bool:
        """Whether a run that is not completed names something below the run's checkpoints."""
        return bool(self.unknown) or self._is_named(run.checkpoints, self._open)

    def _is_named(self, folder: Path, runs: Iterable[str]) -> bool:
        return any(path == folder or folder in path.parents for run in runs for path in self._by_run[run])

    def _read(self, run: RunPaths) -> None:
        if not run.parameters.exists() and not run.job.exists():
            return  # not a run
        try:
            values = yaml.load(run.parameters.read_text(encoding="utf-8"), _YAML_LOADER)  # noqa: S506  # a safe one
            paths = [_path_of(text) for text in _texts(values)]
            self._by_run[run.id] = {path.resolve() for path in paths if path.is_absolute()}
        except (OSError, ValueError, AttributeError, RuntimeError, yaml.YAMLError):
            self._by_run[run.id] = set()
            self.unknown = f"The parameters of the run {run.id} cannot be read, and it might need any of them."
        if _completed(run) is None:
            self._open.add(run.id)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a parameter, however deep: `more_data` is a list of tables."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _path_of(text: str) -> Path:
    """What a text would name as a path, without the split that may be chosen of a folder."""
    return Path(text.partition("?split=")[0]).expanduser()


def _completed(run: RunPaths) -> JobRecord | None:
    """The record of a run that ended by itself with its result, and whose worker is gone; None of any other."""
    try:
        record = run_folder.read_record(run)
    except WorkspaceError:
        return None
    status = run_folder.status_of(record, alive=True, ended=run_folder.read_exit(run))
    is_over = status is JobStatus.COMPLETED and not (run.lock.exists() and is_held(run.lock))
    return record if is_over else None


# ---- taking it away ----


def _bury(workspace: Workspace, items: list[Item], outcome: Outcome) -> dict[Item, Path]:
    """Rename what may still go, while no job can be started or changed; gives the new names."""
    graves: dict[Item, Path] = {}
    try:
        with FileLock(workspace.queue_lock, timeout=run_folder.QUEUE_LOCK_SECONDS):
            candidates = _candidates(workspace, _Wanted(workspace))
            allowed = {(category, path) for category, path, _ in candidates}
            for item in items:
                if (item.category, item.path) not in allowed:
                    outcome.kept[item] = _why_kept(item)
                    continue
                try:
                    grave = _grave_of(workspace, item.path)
                    item.path.rename(grave)
                    graves[item] = grave
                except OSError as error:
                    outcome.kept[item] = f"It could not be moved: {error.strerror}."
    except Timeout:
        raise WorkspaceError("Another qlora-ui is busy with the queue of this home folder.", "Ask again.") from None
    except OSError as error:
        raise WorkspaceError(f"The queue in {workspace.devices} cannot be used: {error.strerror}.") from error
    return graves


def _delete(workspace: Workspace, graves: dict[Item, Path], outcome: Outcome) -> None:
    """Delete what was renamed; give its name back to what a run has come to want meanwhile."""
    wanted = _Wanted(workspace)
    for item, grave in graves.items():
        is_wanted = (item.category == "datasets" and wanted.by_any_run(item.path)) or (
            item.category == "checkpoints" and wanted.by_open_runs(RunPaths(item.path.parent))
        )
        try:
            if is_wanted:
                grave.rename(item.path)
                outcome.kept[item] = "A run has come to need it."
                continue
            size = size_of(grave)
            shutil.rmtree(grave)  # follows no link, and refuses to begin at one
            outcome.deleted.append(replace(item, bytes=size))
        except FileNotFoundError:
            outcome.deleted.append(item)  # another server tidied it away at its start
        except OSError as error:
            outcome.kept[item] = f"It could not be deleted as a whole: {error.strerror}."


def _grave_of(workspace: Workspace, path: Path) -> Path:
    """A name beside the runs or the data that nothing but a clean-up and the start of the app looks for."""
    if path.name.startswith(GRAVE):
        return path
    places = (workspace.datasets, workspace.prepared)
    parent = next((place for place in places if place in path.parents), workspace.runs)
    owner = path.parent.name if path.parent != parent else path.name.strip(".")
    return parent / f"{GRAVE}{owner}-{os.urandom(4).hex()}"


def _why_kept(item: Item) -> str:
    if not item.path.is_dir():
        return "It is gone already."
    return "A run needs it, or it changed since the list was made."


def _folders(parent: Path) -> list[Path]:
    """The real folders in a real folder, by name: nothing that is a link or lies behind one."""
    if not _is_real(parent):
        return []
    try:
        with os.scandir(parent) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _data_name(folder: Path) -> str:
    """The name of the data in a folder, as the index of the data has it; empty without any."""
    dataset = dataset_in(folder)
    return dataset.name if dataset is not None else ""


def _is_real(folder: Path) -> bool:
    """It is a folder, and neither it nor what it lies in is a link. The home folder itself is given without links."""
    try:
        return folder.is_dir() and folder.resolve(strict=True) == folder
    except OSError:
        return False


def _is_forgotten_grave(folder: Path) -> bool:
    """It was renamed in order to be deleted, and whoever did that would be done by now."""
    try:
        return folder.name.startswith(GRAVE) and folder.lstat().st_ctime <= time.time() - BURIED_S
    except OSError:
        return False


def _is_older(folder: Path, seconds: float) -> bool:
    """Neither the folder nor a file in it was written to for so long."""
    try:
        newest = max(path.lstat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return False
    return newest < time.time() - seconds
