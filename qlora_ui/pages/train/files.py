"""Files of held-out rows: whether they can be read, and whether they are the training data under another name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import run

from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.paths import STARTER, dataset_location
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.contract.references import HUB
from qlora_ui.locales import _, mark, sentence

if TYPE_CHECKING:
    from qlora_ui.services import Services

COMPARED_UP_TO = 64_000_000
"""Bytes. Larger files are compared by their paths alone."""


@dataclass(frozen=True)
class FileProblem:
    """What keeps a file from measuring a model; `text` says it in the language of the page."""

    english: str
    file: str
    reason: str = ""
    """A sentence of its own, in English, for the place of that name."""

    @property
    def text(self) -> str:
        return _(self.english, file=self.file, reason=sentence(self.reason))


async def problem_of(services: Services, file: str, training: str) -> FileProblem | None:
    """What keeps a file from measuring a model that is trained on the file `training`; None when nothing does."""
    if file.startswith(HUB):
        return None
    if problem := await run.io_bound(_look, file, training):
        return problem
    if file.startswith(f"{STARTER}/"):
        return None
    try:
        await services.look(DataQuery(recipe=Recipe(sources=(Source(path=file),))), limit=1)
    except QloraUiError as error:
        return FileProblem(mark("{file} cannot be used: {reason}"), Path(file).name, error.message)
    return None


def _look(file: str, training: str) -> FileProblem | None:
    path = dataset_location(file)
    try:
        if path.is_dir():
            return None
        if not path.is_file():
            return FileProblem(mark("There is no file {file}."), file)
        with path.open("rb"):
            pass
        is_same = bool(training) and _are_same(path, dataset_location(training))
    except OSError as error:
        return FileProblem(mark("{file} cannot be read: {reason}."), file, error.strerror or "")
    if is_same:
        return FileProblem(mark("This is the training data itself: rows that were trained measure nothing."), file)
    return None


def _are_same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    if not other.is_file() or one.stat().st_size != other.stat().st_size or one.stat().st_size > COMPARED_UP_TO:
        return False
    return _digest(one) == _digest(other)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
