"""A folder → the data files in it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.files import open_archive, open_file
from qlora_ui.data.readers.kinds import is_data_name
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.sources.saved import is_saved, open_saved
from qlora_ui.data.sources.splits import take_split

MAX_ENTRIES = 100_000
"""Files and folders that are looked at: a home folder chosen by mistake is told, not walked through for minutes."""
_PROSE = {".txt", ".md", ".markdown"}


def open_folder(folder: Path, split: str = "") -> tuple[list[DataFile], str]:
    """The files of a folder and the folders in it, in the order of their paths, and a note on what was left out.

    Where it was saved by `datasets`, or the names of its files tell of several splits, one is taken: the one that is
    asked for, or else `train`. Raises DataError when there is nothing to take, or nothing says which split.
    """
    if is_saved(folder):
        files, notes = open_saved(folder, split)
        return files, " ".join(notes)
    found = _walk(folder)
    paths, notes = take_split(folder, found.files, split)
    files = [file for path in paths for file in open_path(path, _name(folder, path))]
    return files, " ".join([*notes, *found.notes(), *_mixed_kinds(paths)])


def open_path(path: Path, name: str) -> list[DataFile]:
    """The data files that one file stands for: itself, or those in an archive. Raises DataError."""
    return open_archive(path, name) if _is_zip(path.name) else [open_file(path, name)]


def _name(folder: Path, path: Path) -> str:
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


@dataclass
class _Found:
    """What a walk through a folder came upon."""

    files: list[Path] = field(default_factory=list)
    hidden: int = 0
    other: int = 0
    """Files that hold no rows, such as a README or a picture; links that lead nowhere; pipes."""

    def notes(self) -> list[str]:
        notes = [f"Files left out because they are no data: {self.other}."] if self.other else []
        return notes + ([f"Hidden files and folders left out: {self.hidden}."] if self.hidden else [])


def _walk(folder: Path) -> _Found:
    found = _Found()
    for path in _plain_files(folder, found):
        if is_data_name(path.name) or _is_zip(path.name):
            found.files.append(path)
        else:
            found.other += 1
    found.files.sort(key=lambda path: path.relative_to(folder).parts)
    if found.files:
        return found
    hint = "Choose a folder with .jsonl, .json, .csv, .parquet or .txt files in it."
    raise data_error(str(folder), "the folder holds no file of a known kind.", hint)


def _plain_files(folder: Path, found: _Found) -> Iterator[Path]:
    """Every file below the folder. Links are followed, each folder once, so that a loop of them ends."""
    waiting, seen, entries = [folder], {_identity(folder.stat())}, 0
    while waiting:
        for entry in _entries(waiting.pop()):
            if (entries := entries + 1) > MAX_ENTRIES:
                problem = f"the folder holds more than {MAX_ENTRIES:,} files."
                raise data_error(str(folder), problem, "Choose a folder that holds the data only.")
            if entry.name.startswith("."):
                found.hidden += 1
                continue
            status = _status(entry)
            if status is not None and stat.S_ISREG(status.st_mode):
                yield Path(entry.path)
            elif status is None or not stat.S_ISDIR(status.st_mode):
                found.other += 1
            elif _identity(status) not in seen:
                seen.add(_identity(status))
                waiting.append(Path(entry.path))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        hint = "Give the user that runs this program the right to read it."
        raise data_error(str(folder), f"the folder cannot be opened: {error.strerror}.", hint) from None


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """None for a link that leads nowhere, or back to itself."""
    try:
        return entry.stat()
    except OSError:
        return None


def _mixed_kinds(paths: list[Path]) -> list[str]:
    """Prose and tables have no columns in common."""
    kinds = sorted({Path(path.name.lower().removesuffix(".gz")).suffix for path in paths})
    if len({kind in _PROSE for kind in kinds}) < 2:
        return []
    return [f"Its files are of several kinds ({', '.join(kinds)}), of which one format fits some only."]
