"""Splits told by the names of files and folders, as on the hub: `data/train-00000-of-00002.parquet`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from qlora_ui.data.places import data_error

_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Split → the words in names that stand for it."""


def take_split(folder: Path, files: list[Path], split: str) -> tuple[list[Path], list[str]]:
    """The files of the split that is asked for, or of `train` where the names tell of several, and a note on it."""
    by_split: dict[str, list[Path]] = {}
    for path in files:
        by_split.setdefault(_split_of(path.relative_to(folder)), []).append(path)
    named = sorted(set(by_split) - {""})
    if not split and len(named) < 2:
        return files, []
    chosen = choose_split(folder, named, split)
    notes = [split_note(chosen, named)]
    if "" in by_split:
        notes.append(f"Files left out because they belong to no split: {len(by_split[''])}.")
    return by_split[chosen], notes


def choose_split(folder: Path, splits: Sequence[str], split: str) -> str:
    """The split that is asked for, else the only one, else `train`. Raises DataError when there is none of these."""
    chosen = split or (splits[0] if len(splits) == 1 else "train")
    if chosen in splits:
        return chosen
    names = ", ".join(splits)
    if not split:
        hint = f"Write one of them behind the path: {folder}?split={splits[0]}."
        raise data_error(str(folder), f"the folder holds several splits ({names}), and none is named train.", hint)
    hint = f"It has {names}." if splits else "The names of its files tell of no splits."
    raise data_error(str(folder), f"the folder has no split {split}.", hint)


def split_note(chosen: str, splits: Sequence[str]) -> str:
    others = ", ".join(split for split in splits if split != chosen)
    return f"Split {chosen}; there is {others} as well." if others else f"Split {chosen}."


def _split_of(path: PurePath) -> str:
    """Empty where nothing tells; the name of the file goes before those of its folders, the nearest first."""
    for part in reversed(path.parts):
        words = set(re.split(r"[^a-z]+", part.lower()))
        for split, spellings in _WORDS.items():
            if words & set(spellings):
                return split
    return ""
