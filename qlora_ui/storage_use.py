"""What the home folder's content takes on the disk, by kind and by run."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from qlora_ui.contract.paths import RunPaths, Workspace

Kind = Literal["runs", "checkpoints", "logs", "datasets", "prepared", "models", "cache", "other"]

LARGEST_SHOWN = 5
ENTRIES_PER_LOOK = 256
"""After so many files, a measurement looks whether it is still wanted."""

Result = TypeVar("Result")


class GivenUpError(Exception):
    """Nobody waits for this measurement any more."""


@dataclass
class StorageUse:
    """Bytes in files; what links point to is not counted."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    """`runs` are adapters, reports and what else lies in run folders, without `checkpoints` and `logs`."""
    largest: list[tuple[str, int]] = field(default_factory=list)
    """The largest run folders as (id, bytes), the largest first."""
    links: list[Path] = field(default_factory=list)
    """Folders of the home that are links to elsewhere: neither measured nor cleaned."""

    @property
    def total(self) -> int:
        return self.kinds.total()


async def measure(workspace: Workspace) -> StorageUse:
    """Measure everything in a thread; cancelling the caller ends it within a few hundred files."""
    return await in_thread(lambda is_over: _measure(workspace, is_over))


async def in_thread(work: Callable[[Callable[[], bool]], Result]) -> Result:
    """Run `work` in a thread. What it is called with says whether the caller has been cancelled meanwhile."""
    over = threading.Event()
    try:
        return await asyncio.to_thread(work, over.is_set)
    finally:
        over.set()


def size_of(path: Path, is_over: Callable[[], bool] = lambda: False) -> int:
    """Bytes of a file, or of all files below a folder; a link counts as itself. What vanishes counts nothing.

    Raises GivenUpError as soon as `is_over()`.
    """
    return sum(size for _, size in _files(path, is_over))


def freed_by(folders: Iterable[Path], is_over: Callable[[], bool] = lambda: False) -> int:
    """Bytes that come free when these folders are deleted: a file with another name elsewhere stays on the disk.

    Raises GivenUpError as soon as `is_over()`.
    """
    names: Counter[tuple[int, int]] = Counter()
    freed = 0
    for folder in folders:
        for _, status in _statuses(folder, is_over):
            identity = status.st_dev, status.st_ino
            names[identity] += 1
            freed += status.st_size if names[identity] == status.st_nlink else 0
    return freed


def _measure(workspace: Workspace, is_over: Callable[[], bool]) -> StorageUse:
    use = StorageUse()
    places: dict[Path, Kind] = {
        workspace.datasets: "datasets",
        workspace.prepared: "prepared",
        workspace.models: "models",
        workspace.cache: "cache",
    }
    for entry in _entries(workspace.home):
        path = Path(entry.path)
        if entry.is_symlink():
            use.links.append(path)
        elif path == workspace.runs:
            _measure_runs(workspace, use, is_over)
        else:
            use.kinds[places.get(path, "other")] += size_of(path, is_over)
    return use


def _measure_runs(workspace: Workspace, use: StorageUse, is_over: Callable[[], bool]) -> None:
    sizes: Counter[str] = Counter()
    for entry in _entries(workspace.runs):
        run = RunPaths(Path(entry.path))
        logs = {run.events, run.log, run.console}
        for path, size in _files(run.folder, is_over):
            kind: Kind = "logs" if path in logs else "runs"
            use.kinds["checkpoints" if run.checkpoints in path.parents else kind] += size
            sizes[run.id] += size
    named = [(name, size) for name, size in sizes.most_common() if not name.startswith(".")]
    use.largest = named[:LARGEST_SHOWN]


def _files(path: Path, is_over: Callable[[], bool]) -> Iterator[tuple[Path, int]]:
    """All files at or below a path with their sizes; nothing is followed, and a file with two names counts once."""
    seen = set[tuple[int, int]]()
    for place, status in _statuses(path, is_over):
        identity = status.st_dev, status.st_ino
        if identity not in seen:
            if status.st_nlink > 1:
                seen.add(identity)
            yield place, status.st_size


def _statuses(path: Path, is_over: Callable[[], bool]) -> Iterator[tuple[Path, os.stat_result]]:
    """All files at or below a path by each of their names; links are not followed."""
    waiting, looked = [path], 0
    while waiting:
        place = waiting.pop()
        looked += 1
        if looked % ENTRIES_PER_LOOK == 1 and is_over():
            raise GivenUpError
        try:
            status = place.lstat()
        except OSError:
            continue
        if place.is_dir() and not place.is_symlink():
            waiting += [Path(entry.path) for entry in _entries(place)]
        else:
            yield place, status


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing where it cannot be read or is gone."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
