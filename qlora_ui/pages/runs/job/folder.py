"""The files of a run on the disk. Reads folders: call it in a thread."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FILES_SHOWN = 500


@dataclass(frozen=True)
class RunFile:
    """One file of a run folder."""

    path: str
    """Below the run folder, with `/`."""
    bytes: int


@dataclass(frozen=True)
class RunFiles:
    """What lies in a run folder."""

    files: list[RunFile]
    """The first `FILES_SHOWN`, by path."""
    count: int
    bytes: int
    """Of all of them together; a checkpoint that two runs share on the disk counts for each."""


def files_of(folder: Path) -> RunFiles:
    """Regular files only: a link could lead anywhere. What goes away meanwhile is left out."""
    found: list[RunFile] = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            try:
                if not path.is_symlink() and path.is_file():
                    found.append(RunFile(path.relative_to(folder).as_posix(), path.stat().st_size))
            except OSError:
                continue
    found.sort(key=lambda file: (file.path.count("/"), _by_number(file.path.rpartition("/")[0]), file.path))
    return RunFiles(found[:FILES_SHOWN], len(found), sum(file.bytes for file in found))


def _by_number(folder: str) -> tuple[str, int]:
    """`checkpoint-900` before `checkpoint-1200`."""
    stem, _dash, number = folder.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (folder, 0)
