"""What can be done with a finished training: score its adapter, merge it, train again."""

from __future__ import annotations

import asyncio
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components import reader
from qlora_ui.components.button import Button
from qlora_ui.components.field import Field
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import heading, paragraph
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.paths import STARTER, is_starter
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.contract.references import FileReference, Reference, parse_reference
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark

if TYPE_CHECKING:
    from qlora_ui.services import Services

_HELDOUT = f"{STARTER}/heldout"


def build(services: Services, job: Job) -> None:
    """The card, as soon as the training is completed."""

    def show() -> None:
        if job.status is JobStatus.COMPLETED and isinstance(job.parameters, TrainingParameters):
            _Next(services, job, job.parameters)

    Live(job.changed, lambda: job.status, show, classes="qu-contents")


class _Next(Card):
    def __init__(self, services: Services, job: Job, training: TrainingParameters) -> None:
        super().__init__(_("What next"))
        self._services, self._job, self._training = services, job, training
        with self:
            paragraph(_("Find out how good the adapter is, or make it a model of its own."), muted=True, size="sm")
            with row(wrap=True):
                Button(_("Score on a file"), self._ask_file, icon="chart-column", variant="primary")
                Button(_("Merge", context="verb"), self._merge, icon="git-merge")
                Button(_("Train again"), self._train_again, icon="rotate-ccw")

    async def _ask_file(self) -> None:
        known = [dataset.path for dataset in await self._services.datasets()]
        with self:
            path = await _FileDialog(self._training.dataset_path, known)
        if path:
            await self._open(JobKind.EVALUATION, evaluation_of(self._job, self._training, path))

    async def _merge(self) -> None:
        folder = reader.preferences().merged_folder
        output = await asyncio.to_thread(_free_folder, Path(folder), self._job.name) if folder else ""
        await self._open(JobKind.MERGE, merge_of(self._job, self._training, output))

    async def _train_again(self) -> None:
        await self._open(JobKind.TRAINING, self._training)

    async def _open(
        self, kind: JobKind, parameters: EvaluationParameters | MergeParameters | TrainingParameters
    ) -> None:
        job = await self._services.jobs.submit(kind, parameters)
        ui.navigate.to(f"/activity/{job.id}")


class _FileDialog(ui.dialog):
    """Asks for the file with the rows to score; the answer is None when a person changes their mind."""

    def __init__(self, trained: str, known: list[str]) -> None:
        super().__init__()
        self._trained = trained
        self._props["aria-label"] = _("Score on a file")
        self.on("hide", self.delete)
        first = _HELDOUT if is_starter(trained) else next((path for path in known if path != trained), "")
        with self, ui.element("div").classes("qu-dialog"):
            heading(_("Score on a file"))
            paragraph(_("Base and adapter answer the same rows, side by side."), muted=True)
            help = _("A file on this machine, in the same form as your data, with rows that were not trained.")
            with Field(_("Test file"), help=help) as self._field:
                suggestions = [_HELDOUT, *(path for path in known if path != trained)]
                self._path = self._field.hold(ui.input(value=first, autocomplete=suggestions))
            self._path.props("autofocus spellcheck=false").mark("score-path")
            self._path.on("keydown.enter", self._take, [])
            with row().style("justify-content:flex-end"):
                Button(_("Cancel"), lambda: self.submit(None))
                Button(_("Score", context="verb"), self._take, variant="primary")

    async def _take(self) -> None:
        path = str(self._path.value or "").strip()
        problem = await asyncio.to_thread(file_problem, path, self._trained)
        if self.is_deleted:  # it was closed meanwhile
            return
        self._field.set_error(_(problem, path=path) if problem else "")
        if not problem:
            self.submit(path)


def file_problem(path: str, trained: str) -> str:
    """Why the adapter cannot be scored on this file, for `_` with the path; empty when it can. It looks at the disk."""
    if not path:
        return mark("Name a file.")
    try:
        rows, learnt = parse_reference(path), parse_reference(trained)
    except ParameterError:
        return mark("{path} names no data.")
    if isinstance(rows, FileReference) and not _is_there(rows.location):
        return mark("There is no file {path}.")
    if _same(rows, learnt):
        return mark(
            "This is the file it was trained on, which would only show what it knows by heart. Name another one."
        )
    return ""


def _same(one: Reference, other: Reference) -> bool:
    if isinstance(one, FileReference) and isinstance(other, FileReference):
        return one.location == other.location
    return one == other


def _is_there(path: Path) -> bool:
    """False also where nobody may look, and for a name that no file can have."""
    try:
        return path.exists()
    except OSError:
        return False


def evaluation_of(job: Job, training: TrainingParameters, path: str) -> EvaluationParameters:
    """What scores the adapter of a training on a file: rows are read and cut as they were in the training."""
    return EvaluationParameters.of(
        training, name=_named(job, "score"), adapter_path=str(job.paths.adapter), dataset_path=path
    )


def merge_of(job: Job, training: TrainingParameters, output_dir: str = "") -> MergeParameters:
    """What merges the adapter of a training; the proof uses rows that were not trained where some come along.

    `output_dir` is the folder that it makes; empty for one among the models of the home folder.
    """
    return MergeParameters(
        output_dir=output_dir,
        name=_named(job, "merge"),
        model_name=training.model_name,
        adapter_path=str(job.paths.adapter),
        dataset_path=_HELDOUT if is_starter(training.dataset_path) else "",
        max_length=training.max_length,
        device=training.device,
        compute_type=training.compute_type,
        offline=training.offline,
    )


def _free_folder(folder: Path, name: str) -> str:
    """A folder in `folder` that is not there yet, named after the run. It looks at the disk."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
    numbered = (f"{stem}-merged" if number == 1 else f"{stem}-merged-{number}" for number in count(1))
    return str(next(path for path in map(folder.joinpath, numbered) if not path.exists()))


def _named(job: Job, word: str) -> str:
    """The job's name and a word, within what a name may take."""
    return f"{job.name[: 79 - len(word)]} {word}"
