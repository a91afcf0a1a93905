"""Folders that `save_to_disk` of the library `datasets` wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.files import open_file
from qlora_ui.data.readers.rows import DataFile
from qlora_ui.data.sources.splits import choose_split, split_note

_SPLITS, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"


def is_saved(folder: Path) -> bool:
    """Whether `DatasetDict.save_to_disk` (a folder for each split) or `Dataset.save_to_disk` wrote it."""
    return (folder / _SPLITS).is_file() or ((folder / _STATE).is_file() and (folder / _INFO).is_file())


def open_saved(folder: Path, split: str = "") -> tuple[list[DataFile], list[str]]:
    """The Arrow files of one split, in their order, and a note on the split. Raises DataError."""
    if not (folder / _SPLITS).is_file():
        if split and split != _read(folder / _STATE).get("_split"):
            raise data_error(str(folder), f"the folder has no split {split}.", "It was saved as one table.")
        return _arrow_files(folder, folder.name), []
    splits = _read(folder / _SPLITS).get("splits")
    if not isinstance(splits, list) or not splits or not all(_is_plain(name) for name in splits):
        raise _damaged(folder / _SPLITS)
    chosen = choose_split(folder, sorted(splits), split)
    return _arrow_files(folder / chosen, f"{folder.name}/{chosen}"), [split_note(chosen, sorted(splits))]


def _arrow_files(folder: Path, name: str) -> list[DataFile]:
    listed = _read(folder / _STATE).get("_data_files")
    if not isinstance(listed, list) or not listed:
        raise _damaged(folder / _STATE)
    files = [item.get("filename") if isinstance(item, dict) else None for item in listed]
    if not all(_is_plain(file) for file in files):
        raise _damaged(folder / _STATE)
    return [open_file(folder / str(file), f"{name}/{file}") for file in files]


def _read(path: Path) -> dict[str, object]:
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


def _damaged(path: Path) -> DataError:
    hint = "Save the dataset again with save_to_disk, or export it as .jsonl or .parquet."
    return data_error(str(path), "this is not what save_to_disk writes.", hint)
