"""What happens on /train: the data is read whenever it or its reading changes, and a start becomes jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import app, background_tasks

from qlora_ui.contract.errors import ModelError, ParameterError, QloraUiError
from qlora_ui.contract.inspection import Inspection, RowView
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.paths import STARTER, dataset_location
from qlora_ui.contract.records import Dataset, JobKind
from qlora_ui.demo import STARTER_SETTINGS
from qlora_ui.jobs.job import Job
from qlora_ui.pages.model_check import ModelNote, look_at
from qlora_ui.pages.train_form import KNOBS, READS_DATA_ANEW, TrainForm

if TYPE_CHECKING:
    from qlora_ui.services import Services

ROWS_AT_ONCE = 20
"""How many rows are shown from one reading of the file."""


@dataclass(eq=False)
class TrainSession:
    """One person's way through /train. It belongs to the browser tab, so a look at another page loses nothing."""

    services: Services
    form: TrainForm = field(default_factory=lambda: TrainForm(starter_settings=STARTER_SETTINGS))
    models: list[str] = field(default_factory=list)
    datasets: list[Dataset] = field(default_factory=list)
    row: int = 1
    """The number of the row that is shown."""
    _reading: asyncio.Task[None] | None = None

    async def set(self, name: str, value: object) -> None:
        """Take over what was typed or chosen in one field."""
        await self._follow(lambda: self.form.set(name, value))

    async def load_yaml(self, text: str) -> None:
        """Take over an edited file as a whole."""
        await self._follow(lambda: self.form.load_yaml(text))

    async def _follow(self, change: Callable[[], None]) -> None:
        """Look at a new model, and read the data anew where something changed that decides about tokens."""
        before = {name: self.form.get(name) for name in READS_DATA_ANEW}
        change()
        changed = {name for name, value in before.items() if value != self.form.get(name)}
        if changed & {"model_name", "offline"}:
            await self._look_at_model()
        if changed:
            self.read_data()

    async def _look_at_model(self) -> None:
        name = self.form.get("model_name")
        offline = bool(self.services.settings.offline or self.form.get("offline"))
        note = await asyncio.to_thread(look_at, str(name), offline) if name else None
        if name == self.form.get("model_name"):  # else another one was chosen meanwhile
            self.form.model_note = note
            self.form.changed.emit()

    async def refresh_choices(self) -> None:
        """Look again for models and data files in the workspace."""
        self.models, self.datasets = await self.services.models(), await self.services.datasets()

    def read_data(self, first_row: int = 1) -> None:
        """Read the chosen file in the background; a reading that is still under way is given up."""
        if self._reading is not None:
            self._reading.cancel()
        self.form.data_problem = None
        if not self.form.get("dataset_path"):
            self.form.inspection, self.form.is_inspecting = None, False
            self.form.changed.emit()
            return
        self.form.is_inspecting = True
        self.form.changed.emit()
        self._reading = background_tasks.create(self._read(first_row), name="read the data of a run")

    async def _read(self, first_row: int) -> None:
        form, model = self.form, str(self.form.get("model_name") or "")
        has_good_model = bool(model) and form.model_note is not None and not form.model_note.is_problem
        try:
            try:
                form.inspection = await self._inspect(model if has_good_model else None, first_row)
            except ModelError as error:  # the data can be looked at without the model's tokens
                form.model_note = ModelNote(error.message, error.hint, is_problem=True)
                form.inspection = await self._inspect(None, first_row)
            self.row = first_row
        except QloraUiError as error:
            form.inspection, form.data_problem, self.row = None, (error.message, error.hint), 1
        form.is_inspecting = False
        form.changed.emit()

    async def _inspect(self, model: str | None, first_row: int) -> Inspection:
        """Settings that are wrong at the moment are taken at their defaults, so that the data can be seen meanwhile."""
        form, problems = self.form, self.form.problems
        given = {name: KNOBS[name].default if name in problems else form.get(name) for name in READS_DATA_ANEW}
        wanted = {"model_name": STARTER, "dataset_path": STARTER}  # are not read from it
        usable = parse_parameters(JobKind.TRAINING, given | wanted)
        assert isinstance(usable, TrainingParameters)
        return await self.services.inspect(
            str(dataset_location(str(form.get("dataset_path")))),
            model,
            start=first_row,
            limit=ROWS_AT_ONCE,
            max_length=usable.max_length,
            data_format=usable.data_format,
            train_on=usable.train_on,
            offline=usable.offline,
        )

    @property
    def view(self) -> RowView | None:
        """The shown row, where it was read."""
        views = self.form.inspection.views if self.form.inspection else []
        return next((view for view in views if view.number == self.row), None)

    def show_row(self, number: int) -> None:
        """Show another row, reading the file again where that row is not at hand."""
        inspection = self.form.inspection
        if inspection is None or not 1 <= number <= inspection.rows:
            return
        if any(view.number == number for view in inspection.views):
            self.row = number
            self.form.changed.emit()
        else:
            self.read_data(first_row=number)

    async def start(self) -> Job:
        """Queue the training and, where wanted, its scoring. Raises ParameterError, WorkspaceError, JobError."""
        form = self.form
        parameters = form.parameters()
        if form.score_after and form.test_file and not await asyncio.to_thread(_is_file, form.test_file):
            raise ParameterError(f"There is no file {form.test_file}.", "Name another file for the scoring, or none.")
        form.is_submitting = True
        form.changed.emit()
        try:
            job = await self.services.jobs.submit(JobKind.TRAINING, parameters)
            evaluation = form.evaluation(parameters, job.paths)
            if evaluation is not None:
                await self.services.jobs.submit(JobKind.EVALUATION, evaluation, after=job.id)
        finally:
            form.is_submitting = False
            form.changed.emit()
        form.set("name", "")
        form.go_to(0)
        return job


def session_of(services: Services) -> TrainSession:
    """The session of the browser tab that is being served."""
    known = app.storage.client.get("train")
    if not isinstance(known, TrainSession):
        known = TrainSession(services)
        app.storage.client["train"] = known
    return known


def _is_file(name: str) -> bool:
    path: Path = dataset_location(name)
    return path.is_file()
