"""A folder → the data files in it: any files, a folder that `datasets` saved, or a copy of a hub dataset."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qlora_ui.data.places import data_error
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.sources.local import is_known, open_path

MAX_ENTRIES = 100_000
"""Files and folders that are looked at: a home folder chosen by mistake is told, not walked through for minutes."""
_TEXT = {".txt", ".md", ".markdown"}
_ABOUT = re.compile(r"(?i)(readme|licen[cs]e|changelog|notice)\b|dataset_infos?\.json|state\.json|dataset_dict\.json")
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Words in names of files and folders → the split that they stand for, as on the hub."""


def open_folder(folder: Path, split: str = "") -> tuple[list[DataFile], str]:
    """The files of a folder in the order of their paths, and a note on what was left out.

    Of a folder with several splits one is taken: the one that is asked for, or else `train`. Raises DataError when
    there is nothing to take, or nothing says which split.
    """
    if (folder / "dataset_dict.json").is_file():
        return _saved_splits(folder, split)
    if (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file():
        return _saved(folder, folder.name, split)
    found = _walk(folder)
    files, notes = _of_split(folder, _without_papers(found), split)
    notes += found.notes()
    opened = [file for path in files for file in open_path(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")]
    return opened, " ".join(notes)


@dataclass
class _Found:
    """What a walk through a folder came upon."""

    files: list[Path] = field(default_factory=list)
    hidden: int = 0
    unknown: int = 0
    about: int = 0
    """READMEs and the like, where the folder has other data."""

    def notes(self) -> list[str]:
        counts = {
            "hidden": self.hidden,
            "of no known kind": self.unknown,
            "about the data (such as README)": self.about,
        }
        left = [f"{count} {what}" for what, count in counts.items() if count]
        notes = [f"Left out: {', '.join(left)}."] if left else []
        kinds = sorted({path.suffix.lower() for path in self.files})
        if len({kind in _TEXT for kind in kinds}) > 1:
            notes.append(f"Its files are of several kinds ({', '.join(kinds)}), which are read with one mapping.")
        return notes


def _walk(folder: Path) -> _Found:
    found = _Found()
    for path in _plain_files(folder, found):
        if is_known(path.name):
            found.files.append(path)
        else:
            found.unknown += 1
    found.files.sort(key=lambda path: path.relative_to(folder).parts)
    if found.files:
        return found
    problem = f"the folder holds no data ({found.unknown} files of no known kind)." if found.unknown else "the folder holds no data."
    raise data_error(str(folder), problem, "Choose a folder with .jsonl, .json, .csv, .parquet or .txt files.")


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
            if status is None or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
                found.unknown += 1  # a broken link, a pipe, a device
            elif stat.S_ISREG(status.st_mode):
                yield Path(entry.path)
            elif _identity(status) not in seen:
                seen.add(_identity(status))
                waiting.append(Path(entry.path))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise data_error(str(folder), f"the folder cannot be opened: {error.strerror}.") from None


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError:
        return None


def _without_papers(found: _Found) -> list[Path]:
    """The files without those that are about the data, unless the data are texts themselves."""
    data = [path for path in found.files if not _ABOUT.match(path.name)]
    if not data or all(path.suffix.lower() in _TEXT for path in data):
        return found.files
    found.about = len(found.files) - len(data)
    found.files = data
    return data


def _of_split(folder: Path, files: list[Path], split: str) -> tuple[list[Path], list[str]]:
    """The files of the split that is asked for, or of `train` where the names tell of several."""
    by_split: dict[str, list[Path]] = {}
    for path in files:
        by_split.setdefault(_split_of(path.relative_to(folder)), []).append(path)
    named = sorted(set(by_split) - {""})
    if not split and len(named) < 2:
        return files, []
    return by_split[(chosen := _choose(folder, named, split))], [_choice(chosen, named)]


def _choose(folder: Path, splits: list[str], split: str) -> str:
    chosen = split or ("train" if "train" in splits else "")
    if chosen in splits:
        return chosen
    names = ", ".join(splits)
    if not split:
        hint = f"Write one behind the path: {folder}?split={splits[0]}."
        raise data_error(str(folder), f"the folder holds several splits ({names}), and none for training.", hint)
    problem = f"the folder has no split {split}."
    raise data_error(str(folder), problem, f"It has {names}." if splits else "The names of its files tell of no splits.")


def _choice(chosen: str, splits: list[str]) -> str:
    others = [split for split in splits if split != chosen]
    return f"Split {chosen}; there is {', '.join(others)} as well." if others else f"Split {chosen}."


def _split_of(path: Path) -> str:
    """`data/train-00000-of-00002.parquet` → `train`: the name of the file goes before those of its folders."""
    for part in reversed(path.parts):
        words = set(re.split(r"[^a-z]+", part.lower()))
        for split, spellings in _SPLITS.items():
            if words & set(spellings):
                return split
    return ""


def _saved_splits(folder: Path, split: str) -> tuple[list[DataFile], str]:
    """What `DatasetDict.save_to_disk` wrote: a folder for each split."""
    splits = _saved_json(folder / "dataset_dict.json").get("splits")
    if not isinstance(splits, list) or not splits or not all(_is_plain(name) for name in splits):
        raise _damaged(folder / "dataset_dict.json")
    chosen = split or (splits[0] if len(splits) == 1 else "")
    chosen = _choose(folder, sorted(splits), chosen)
    files, _ = _saved(folder / chosen, f"{folder.name}/{chosen}", "")
    return files, _choice(chosen, sorted(splits))


def _saved(folder: Path, name: str, split: str) -> tuple[list[DataFile], str]:
    """What `Dataset.save_to_disk` wrote: Arrow files in the order that `state.json` tells."""
    state = _saved_json(folder / "state.json")
    if split and split != state.get("_split"):
        raise data_error(str(folder), f"the folder has no split {split}.", "It was saved as one table.")
    listed = state.get("_data_files")
    if not isinstance(listed, list) or not listed:
        raise _damaged(folder / "state.json")
    names = [item.get("filename") if isinstance(item, dict) else None for item in listed]
    if not all(_is_plain(file) for file in names):
        raise _damaged(folder / "state.json")
    return [file for each in names for file in open_path(folder / str(each), f"{name}/{each}")], ""


def _saved_json(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise _damaged(path) from None
    if not isinstance(content, dict):
        raise _damaged(path)
    return content


def _is_plain(name: object) -> bool:
    """Whether it names something right in the folder, and nothing outside of it."""
    return isinstance(name, str) and name not in {"", ".", ".."} and not re.search(r"[/\\\0]", name)


def _damaged(path: Path) -> Exception:
    hint = "Save the dataset again with save_to_disk, or export it as .jsonl or .parquet."
    return data_error(str(path), "this is not what save_to_disk writes.", hint)
