"""Files of held-out rows: whether they can be read, and whether they are the training data under another name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import run

from qlora_ui.contract.errors import ParameterError, QloraUiError
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.contract.references import HUB, FileReference, HubReference, parse_reference
from qlora_ui.locales import _, mark, sentence

if TYPE_CHECKING:
    from qlora_ui.services import Services

COMPARED_UP_TO = 64_000_000
"""Bytes. Larger files are compared by their paths alone."""
_THE_SAME = mark("This is the training data itself: rows that were trained measure nothing.")


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


async def problem_of(services: Services, file: str, training: Recipe | None) -> FileProblem | None:
    """What keeps a file from measuring a model that is trained by this recipe; None when nothing does.

    It is read as the training data are: with the same format, columns and speakers.
    """
    trained = [source.path for source in training.sources] if training is not None else []
    if problem := await run.io_bound(_look, file, trained):
        return problem
    if file.startswith((f"{STARTER}/", HUB)):
        return None
    recipe = (training or Recipe(sources=())).model_copy(update={"sources": (Source(path=file),), "steps": ()})
    try:
        await services.look(DataQuery(recipe=recipe), limit=1)
    except QloraUiError as error:
        return FileProblem(mark("{file} cannot be used: {reason}"), Path(file).name, error.message)
    return None


def _look(file: str, training: Sequence[str]) -> FileProblem | None:
    if file in training:
        return FileProblem(_THE_SAME, file)
    try:
        reference = parse_reference(file)
    except ParameterError as error:
        return FileProblem(mark("{file} cannot be used: {reason}"), file, error.message)
    if isinstance(reference, HubReference):
        return None
    path = reference.location
    try:
        if path.is_dir():
            return None
        if not path.is_file():
            return FileProblem(mark("There is no file {file}."), file)
        with path.open("rb"):
            pass
        is_same = any(_are_same(path, other) for other in _files(training))
    except OSError as error:
        return FileProblem(mark("{file} cannot be read: {reason}."), file, error.strerror or "")
    return FileProblem(_THE_SAME, file) if is_same else None


def _files(references: Iterable[str]) -> Iterator[Path]:
    """The places of those that are on this machine; what cannot be understood is said where it was chosen."""
    for text in references:
        with suppress(ParameterError):
            reference = parse_reference(text)
            if isinstance(reference, FileReference):
                yield reference.location


def _are_same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    if not other.is_file() or one.stat().st_size != other.stat().st_size or one.stat().st_size > COMPARED_UP_TO:
        return False
    return _digest(one) == _digest(other)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
