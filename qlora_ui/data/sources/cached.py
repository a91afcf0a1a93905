"""Hub datasets that `datasets` has prepared on this machine: found, and opened without a question to the hub."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qlora_ui.contract.references import HubReference
from qlora_ui.data.places import data_error
from qlora_ui.data.sources.table import HubTable, Part

_MEDIA = {"Image", "Audio", "Video", "Pdf", "Nifti", "Mesh"}
"""Features whose values are files of their own kind, not text."""


@dataclass(frozen=True)
class Prepared:
    """One configuration of a hub dataset at one commit, as Arrow files."""

    folder: Path
    """`…/owner___name/config/version/commit`."""
    config: str

    @property
    def revision(self) -> str:
        """The commit."""
        return self.folder.name

    @property
    def since(self) -> str:
        """The day on which it was prepared, by the clock of this machine: `2026-11-23`."""
        return time.strftime("%Y-%m-%d", time.localtime((self.folder / "dataset_info.json").stat().st_mtime))


def prepared(name: str) -> list[Prepared]:
    """What there is of the dataset `owner/name`, the newest first."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    owner, _, plain = name.partition("/")
    root = Path(config.HF_DATASETS_CACHE).expanduser() / f"{owner}___{camelcase_to_snakecase(plain)}"
    found = []
    for info in root.glob("*/*/*/dataset_info.json"):
        config_name = _config_name(info)
        is_whole = not info.parent.name.endswith(".incomplete")
        if is_whole and config_name == info.parts[-4]:  # else it was made with options of its own: other rows
            found.append((info.stat().st_mtime, Prepared(info.parent, config_name)))
    return [table for _, table in sorted(found, key=lambda item: item[0], reverse=True)]


def prepared_splits(table: Prepared) -> dict[str, Any]:
    """Its splits as `datasets` describes them: `num_examples`, `num_bytes`, `shard_lengths`."""
    from datasets import DatasetInfo

    info = DatasetInfo.from_directory(str(table.folder))
    return {str(name): split for name, split in (info.splits or {}).items()}


def open_prepared(table: Prepared, reference: HubReference) -> tuple[HubTable, list[str]]:
    """The rows that the reference asks for, and notes on what was chosen and left out. Raises DataError."""
    from datasets import DatasetInfo

    try:
        info = DatasetInfo.from_directory(str(table.folder))
        splits = {str(name): split for name, split in (info.splits or {}).items()}
        split, notes = _choose_split(reference, list(splits))
        columns, media = _columns(info.features or {}, reference)
        parts = _parts(table.folder, info.dataset_name, splits, split)
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = f"Remove the folder {table.folder}, and fetch the dataset again."
        raise data_error(str(reference), f"what is cached on this machine is damaged ({error}).", hint) from None
    if not parts:
        raise data_error(str(reference), "there are no rows in this slice.", _sizes(splits))
    identity = json.dumps([reference.name, table.config, table.revision])
    if media:
        notes.append(f"Pictures, sound and the like are left out: {', '.join(media)}.")
    return HubTable(str(reference), tuple(parts), tuple(columns), identity), notes


def _choose_split(reference: HubReference, splits: list[str]) -> tuple[str, list[str]]:
    """The split, with its slice, and a note on it when nobody asked for it."""
    if reference.split:
        for part in reference.split.split("+"):
            if (name := part.split("[")[0].strip()) not in splits:
                raise data_error(str(reference), f"there is no split {name}.", f"It has {', '.join(splits)}.")
        return reference.split, []
    if len(splits) == 1:
        return splits[0], []
    if "train" not in splits:
        hint = f"Add ?split={splits[0]}, or another of them." if splits else "Choose another dataset."
        problem = f"there are several splits ({', '.join(splits)}), and none is named train."
        raise data_error(str(reference), problem, hint)
    others = ", ".join(split for split in splits if split != "train")
    return "train", [f"Split train; there is {others} as well."]


def _parts(folder: Path, dataset_name: str, splits: dict[str, Any], split: str) -> list[Part]:
    from datasets.arrow_reader import make_file_instructions

    asked = make_file_instructions(dataset_name, list(splits.values()), split, "arrow", str(folder))
    lengths = _lengths(folder, dataset_name, splits)
    parts = []
    for piece in asked.file_instructions:
        path = Path(piece["filename"])
        whole = lengths[path]
        rows = whole - piece["skip"] if piece["take"] == -1 else piece["take"]
        if rows > 0:
            parts.append(Part(path, piece["skip"], rows, path.stat().st_size * rows // whole))
    return parts


def _lengths(folder: Path, dataset_name: str, splits: dict[str, Any]) -> dict[Path, int]:
    """The rows of every Arrow file."""
    from datasets.naming import filenames_for_dataset_split

    lengths: dict[Path, int] = {}
    for name, split in splits.items():
        each = split.shard_lengths
        files = filenames_for_dataset_split(str(folder), dataset_name, name, "arrow", each)
        lengths.update(zip(map(Path, files), each or [split.num_examples], strict=True))
    return lengths


def _columns(features: dict[str, Any], reference: HubReference) -> tuple[list[str], list[str]]:
    """The columns that can be read, and those that hold pictures, sound or the like."""
    media = [name for name, feature in features.items() if _has_media(feature)]
    columns = [name for name in features if name not in media]
    if columns:
        return columns, media
    problem = f"it holds pictures, sound or the like only ({', '.join(media)}), and no text."
    raise data_error(str(reference), problem, "Choose a dataset with text.")


def _has_media(feature: Any) -> bool:
    if isinstance(feature, dict):
        return any(map(_has_media, feature.values()))
    if isinstance(feature, list | tuple):
        return any(map(_has_media, feature))
    inner = getattr(feature, "feature", None)
    return type(feature).__name__ in _MEDIA or (inner is not None and _has_media(inner))


def _config_name(info: Path) -> str:
    try:
        return str(json.loads(info.read_text(encoding="utf-8"))["config_name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _sizes(splits: dict[str, Any]) -> str:
    sizes = ", ".join(f"{name} {split.num_examples:,}" for name, split in splits.items())
    return f"Rows of its splits: {sizes}."
