"""What comes after a training: score its adapter, merge it, also while it is still under way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nicegui import ui

from qlora_ui.components import reader
from qlora_ui.components.button import Button, Variant
from qlora_ui.components.events import listen
from qlora_ui.components.forms.field import Field
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import heading, paragraph
from qlora_ui.components.toast import toast
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import STARTER, is_starter
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.contract.references import FileReference, Reference, parse_reference
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark

if TYPE_CHECKING:
    from qlora_ui.services import Services

_HELDOUT = f"{STARTER}/heldout"


def build(services: Services, job: Job, *, when: Literal["completed", "open"]) -> None:
    """The card for a training that is completed, or for one that still may be."""

    def show() -> None:
        if isinstance(job.parameters, TrainingParameters) and _stage(job) == when:
            _Next(services, job, job.parameters)

    Live(job.changed, lambda: _stage(job), show, classes="qu-contents")


def _stage(job: Job) -> str:
    if job.status is JobStatus.COMPLETED:
        return "completed"
    return "" if job.status.is_final else "open"


class _Next(Card):
    def __init__(self, services: Services, job: Job, training: TrainingParameters) -> None:
        is_completed = job.status is JobStatus.COMPLETED
        super().__init__(_("What next") if is_completed else _("After this one"))
        self._services, self._job, self._training = services, job, training
        text = (
            _("Find out how good the adapter is, or make it a model of its own.")
            if is_completed
            else _("Queue what begins by itself as soon as this training is completed.")
        )
        with self:
            paragraph(text, muted=True, size="sm")
            with row(wrap=True):
                variant: Variant = "primary" if is_completed else "secondary"
                Button(_("Score on a file"), self._score, icon="chart-column", variant=variant)
                self._merge_button = Button(_("Merge", context="verb"), self._merge, icon="git-merge")
            listen(services.jobs.jobs_changed, self._follow)
        self._follow()

    def _follow(self) -> None:
        self._merge_button.disable_because(merge_reason(self._job, self._services.jobs.jobs.values()))

    async def _score(self) -> None:
        with self:
            path = await ask_for_rows(self._services, self._training)
        if path:
            self._open(await self._services.jobs.follow_up(self._job.id, JobKind.EVALUATION, dataset_path=path))

    async def _merge(self) -> None:
        folder = reader.preferences().merged_folder
        output = await asyncio.to_thread(_free_folder, Path(folder), self._job.name) if folder else ""
        if merge_reason(self._job, self._services.jobs.jobs.values()):  # pressed once more meanwhile
            return
        self._open(await self._services.jobs.follow_up(self._job.id, JobKind.MERGE, output_dir=output))

    def _open(self, job: Job) -> None:
        """Go to what begins now; what waits for this training shows up among the runs that belong to it."""
        if self._job.status is JobStatus.COMPLETED:
            ui.navigate.to(f"/activity/{job.id}")
        else:
            toast(_("{name} begins when this training is completed.", name=job.name))


def merge_reason(job: Job, jobs: Iterable[Job]) -> str:
    """Why its adapter need not be merged once more; empty when no merge waits for it."""
    waits = {JobStatus.PENDING, JobStatus.PAUSED}
    merges = (other for other in jobs if other.kind is JobKind.MERGE and other.record.after == job.id)
    return _("A merge is queued already.") if any(merge.status in waits for merge in merges) else ""


async def ask_for_rows(services: Services, training: TrainingParameters, title: str = "") -> str | None:
    """Which file an adapter is scored on; None when a person changes their mind. `title` says which adapter."""
    known = [dataset.path for dataset in await services.datasets()]
    path = await _FileDialog(title or _("Score on a file"), training.dataset_path, known)
    return str(path) if path else None


class _FileDialog(ui.dialog):
    """Asks for the file with the rows to score; the answer is None when a person changes their mind."""

    def __init__(self, title: str, trained: str, known: list[str]) -> None:
        super().__init__()
        self._trained = trained
        self._props["aria-label"] = title
        self.on("hide", self.delete)
        first = _HELDOUT if is_starter(trained) else next((path for path in known if path != trained), "")
        with self, ui.element("div").classes("qu-dialog"):
            heading(title)
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


def _free_folder(folder: Path, name: str) -> str:
    """A folder in `folder` that is not there yet, named after the run. It looks at the disk."""
    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
    numbered = (f"{stem}-merged" if number == 1 else f"{stem}-merged-{number}" for number in count(1))
    return str(next(path for path in map(folder.joinpath, numbered) if not path.exists()))
