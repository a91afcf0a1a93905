"""The models in some folders, told from config.json and the headers of the safetensors files alone."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qlora_ui.models.facts import ModelFacts, facts_of

DEPTH = 4
"""So many folders deep is looked: the cache of the hub keeps a model three below its own."""
FOLDERS = 5_000
"""So many folders are looked into at most, below each that is named."""
FILES = 2_000
"""So many files of one folder are looked at."""
MODELS = 500
"""So many models are listed at most."""
CONFIG_BYTES = 1 << 20
HEADER_BYTES = 4 << 20
"""A longer header is not read, for to parse it would hold up the threads beside; config.json then tells the format."""
ALL_HEADERS_BYTES = 16 << 20
"""So much of headers is read for one model."""

_INDEX = "model.safetensors.index.json"
_INDEX_BYTES = 4 << 20
_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY"))
"""As far as the system knows them: a pipe that takes the place of a file must not hold up the scan."""
_NAMES = {
    "BF16": "bfloat16", "F16": "float16", "F32": "float32", "F64": "float64", "U8": "uint8", "I8": "int8",
    "F8_E4M3": "float8", "F8_E5M2": "float8", "I32": "int32",
}  # fmt: skip


def hub_cache() -> Path:
    """Where the hub's libraries keep what they fetched; it need not be there."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


@dataclass(frozen=True)
class FoundModel:
    """A model in a folder, with all of its weights."""

    name: str
    """`owner/name` in a cache of the hub, else the name of its folder."""
    folder: Path
    facts: ModelFacts
    bytes: int
    """Of its safetensors files."""
    dtype: str
    """The number format of most of its weights; from config.json where no header could be read."""

    @property
    def location(self) -> str:
        """By what a run names it: its name on the hub, or its folder."""
        return self.name if "/" in self.name else str(self.folder)


def scan_models(folders: Iterable[Path]) -> list[FoundModel]:
    """What lies in these folders and below, ordered by name. Folders that are not there, or not readable, hold nothing.

    Bounded work, for a thread. Links are followed where they stay within the named folder, and never to other folders.
    """
    found: dict[Path, FoundModel] = {}
    for root in folders:
        try:
            root = root.expanduser().resolve(strict=True)
        except (OSError, RuntimeError):
            continue
        for folder in _folders(root):
            if len(found) >= MODELS:
                break
            if folder not in found and (model := _model(folder, root)):
                found[folder] = model
    return sorted(found.values(), key=lambda model: (model.name.lower(), str(model.folder)))


def _folders(root: Path) -> Iterator[Path]:
    """The folder and those below, nearest first."""
    waiting, seen = [(root, 0)], 0
    for folder, depth in waiting:
        yield folder
        if depth == DEPTH:
            continue
        for entry in _entries(folder):
            if seen >= FOLDERS:
                return
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                seen += 1
                waiting.append((Path(entry.path), depth + 1))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                entries.append(entry)
                if len(entries) == FILES:
                    break
    except OSError:
        return []
    return sorted(entries, key=lambda entry: entry.name)


def _model(folder: Path, root: Path) -> FoundModel | None:
    config = _json(folder / "config.json", root, CONFIG_BYTES)
    if not config:
        return None
    names = [entry.name for entry in _entries(folder) if entry.name.endswith(".safetensors")]
    sizes = {name: size for name in names if (size := _size(folder / name, root))}
    if not sizes or not _parts(folder, root) <= set(sizes):
        return None
    facts = facts_of(config)
    dtype = _most_used([folder / name for name in sizes], root) or facts.dtype
    return FoundModel(_name(folder), folder, facts, sum(sizes.values()), dtype)


def _parts(folder: Path, root: Path) -> set[str]:
    """The files that the weights are spread over, as the index says; a download that is not finished lacks some."""
    places = _json(folder / _INDEX, root, _INDEX_BYTES).get("weight_map")
    return {str(name) for name in places.values()} if isinstance(places, dict) else set()


def _name(folder: Path) -> str:
    kept = folder.parent.parent.name
    if folder.parent.name == "snapshots" and kept.startswith("models--"):
        return kept.removeprefix("models--").replace("--", "/")
    return folder.name


def _most_used(files: list[Path], root: Path) -> str:
    """The number format that takes the most bytes; empty where no header can be read."""
    sizes: Counter[str] = Counter()
    left = ALL_HEADERS_BYTES
    for file in files:
        length = int.from_bytes(_read(file, root, 8), "little")
        if not 0 < length <= min(HEADER_BYTES, left):
            continue
        left -= length
        header = _parsed(_read(file, root, 8 + length)[8:])
        for name, tensor in header.items():
            if name != "__metadata__" and isinstance(tensor, dict):
                sizes[str(tensor.get("dtype"))[:16]] += _bytes_of(tensor.get("data_offsets"))
    return _NAMES.get(kind := sizes.most_common(1)[0][0], kind.lower()) if sizes else ""


def _bytes_of(offsets: object) -> int:
    match offsets:
        case [int(start), int(end)]:
            return max(0, end - start)
    return 0


def _json(file: Path, root: Path, limit: int) -> dict[str, object]:
    content = _read(file, root, limit + 1)
    return _parsed(content) if len(content) <= limit else {}


def _parsed(content: bytes) -> dict[str, object]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _size(file: Path, root: Path) -> int:
    """The size of an ordinary file within the root in bytes; 0 for anything else."""
    try:
        target = file.resolve(strict=True)
        status = target.stat()
    except (OSError, RuntimeError):
        return 0
    return status.st_size if target.is_relative_to(root) and stat.S_ISREG(status.st_mode) else 0


def _read(file: Path, root: Path, limit: int) -> bytes:
    """The first bytes of an ordinary file within the root; none of anything else."""
    if not _size(file, root):
        return b""
    try:
        with os.fdopen(os.open(file.resolve(), _FLAGS), "rb") as opened:
            return opened.read(limit)
    except (OSError, RuntimeError):
        return b""
