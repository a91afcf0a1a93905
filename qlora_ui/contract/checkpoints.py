"""A checkpoint is whole or does not count: a marker, written last, lists its files and what was known at its step."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from qlora_ui.contract.paths import CHECKPOINT_MARKER

_PREFIX = "checkpoint-"
_BLOCK = 1 << 20


def _inside(name: str) -> str:
    """A folder may come from elsewhere, and what its marker names is copied: nothing outside of it is."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError("a checkpoint has no file outside of its folder")
    return name


class FileSeal(BaseModel):
    """A file as it was when it had reached the disk."""

    bytes: int
    sha256: str = ""
    """Of all its bytes; empty in checkpoints of old versions, which hashed small files only."""


class Marker(BaseModel):
    """`complete.json`: every other file of the checkpoint, as it was when the last of them had reached the disk."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    step: int
    files: dict[Annotated[str, AfterValidator(_inside)], FileSeal]
    totals: dict[str, float] = {}
    """What was counted since the start of the run, over all attempts: `seconds` of training, trained-on `tokens`,
    the last step that was `evaluated`."""
    metrics: dict[str, float] = {}
    """What the newest evaluation measured by then, by name, such as `eval_loss`."""
    is_best: bool = False
    """Best by the run's metric when it was saved; a later one may be better."""

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(file.bytes for file in self.files.values())


def name_of(step: int) -> str:
    """The name of the folder of the checkpoint at a step."""
    return f"{_PREFIX}{step}"


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_PREFIX))


def all_of(checkpoints: Path) -> list[Path]:
    """All checkpoint folders in a run's `checkpoints/`, whole or not, the oldest step first."""
    folders = [f for f in checkpoints.glob(f"{_PREFIX}*") if f.is_dir() and f.name.removeprefix(_PREFIX).isdecimal()]
    return sorted(folders, key=step_of)


def read_marker(checkpoint: Path) -> Marker | None:
    """What is known of a checkpoint; None where it was never finished, or its marker cannot be read."""
    try:
        return Marker.model_validate_json((checkpoint / CHECKPOINT_MARKER).read_bytes())
    except (OSError, ValidationError):
        return None


def faults(checkpoint: Path) -> Iterator[str]:
    """What is wrong with a checkpoint, a sentence each; nothing for a whole one. Reads every byte of it."""
    marker = read_marker(checkpoint)
    if marker is None:
        yield f"{checkpoint.name} was never finished: it has no readable {CHECKPOINT_MARKER}."
        return
    for name, sealed in marker.files.items():
        try:
            found = seal_of(checkpoint / name)
        except OSError as error:
            yield f"{name} of {checkpoint.name} cannot be read: {error.strerror}."
            continue
        if found.bytes != sealed.bytes:
            yield f"{name} of {checkpoint.name} has {found.bytes:,} bytes, but had {sealed.bytes:,}."
        elif sealed.sha256 and found.sha256 != sealed.sha256:
            yield f"{name} of {checkpoint.name} is damaged: its bytes are not the ones that were written."


def is_whole(checkpoint: Path) -> bool:
    """Every file that the marker lists is there as it was, to the byte."""
    return next(faults(checkpoint), None) is None


def newest(checkpoints: Path) -> Path | None:
    """The latest whole checkpoint; ones that a crash cut off or that were damaged are passed over."""
    return next((folder for folder in reversed(all_of(checkpoints)) if is_whole(folder)), None)


def seal_of(file: Path) -> FileSeal:
    """Size and hash of a file as it is now. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileSeal(bytes=size, sha256=digest.hexdigest())
