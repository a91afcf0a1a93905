"""Files of held-out rows: whether they can be read, and whether they are the training data under another name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import run

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.paths import STARTER, dataset_location

if TYPE_CHECKING:
    from qlora_ui.services import Services

COMPARED_UP_TO = 64_000_000
"""Bytes. Larger files are compared by their paths alone."""


async def problem_of(services: Services, file: str, training: str) -> str:
    """What keeps a file from measuring a model trained on `training`, in a sentence; empty when nothing does."""
    if problem := await run.io_bound(_look, file, training):
        return problem
    if file.startswith(f"{STARTER}/"):
        return ""
    try:
        await services.inspect(str(dataset_location(file)), limit=1)
    except QloraUiError as error:
        return f"{Path(file).name} cannot be used: {error.message}"
    return ""


def _look(file: str, training: str) -> str:
    path = dataset_location(file)
    if not path.is_file():
        return f"There is no file {file}."
    try:
        with path.open("rb"):
            pass
        is_same = bool(training) and _are_same(path, dataset_location(training))
    except OSError as error:
        return f"{file} cannot be read: {error.strerror}."
    return "This is the training data itself: rows that were trained measure nothing." if is_same else ""


def _are_same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    if not other.is_file() or one.stat().st_size != other.stat().st_size or one.stat().st_size > COMPARED_UP_TO:
        return False
    return _digest(one) == _digest(other)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
