"""What happens on /train: the data is read whenever it or its reading changes, and a start becomes jobs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nicegui import app, ui

from qlora_ui.components import reader
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import ModelError, ParameterError, WorkspaceError
from qlora_ui.contract.other_tools import TakenOver
from qlora_ui.contract.recipe import Source
from qlora_ui.contract.records import Dataset, JobKind
from qlora_ui.demo import STARTER_SETTINGS
from qlora_ui.jobs.job import Job
from qlora_ui.models.scan import FoundModel
from qlora_ui.pages.train.data import choosing
from qlora_ui.pages.train.data.reading import DataReading
from qlora_ui.pages.train.files import problem_of
from qlora_ui.pages.train.form import READING_KNOBS, READS_DATA_ANEW, TrainForm
from qlora_ui.pages.train.model_check import ModelNote, look_at
from qlora_ui.pages.train.words import KNOBS
from qlora_ui.store.recipes import RECIPE_KNOBS, KeptRecipe

if TYPE_CHECKING:
    from qlora_ui.services import Services

_DECIDE_ABOUT_FILES = frozenset({"dataset_path", "more_data", "data_format", "data_mapping", "data_roles"})
"""Knobs by which a file of held-out rows is read, and compared with what is trained."""


@dataclass(eq=False)
class TrainSession:
    """One person's way through /train. It belongs to the browser tab, so a look at another page loses nothing."""

    services: Services
    form: TrainForm = field(default_factory=lambda: TrainForm(starter_settings=STARTER_SETTINGS))
    models: dict[str, FoundModel] = field(default_factory=dict)
    """What lies on this machine, by what a run names it."""
    datasets: list[Dataset] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    """Path of a file that was tried → why it could not be read."""
    data: DataReading = field(init=False)
    _on_the_way: dict[str, KeptRecipe] = field(default_factory=dict, init=False)
    """Name of some data → how they are read, while that is not written down yet."""
    is_closed: bool = field(default=False, init=False)
    """The browser tab is gone: nothing is read for it any more."""

    def __post_init__(self) -> None:
        self.data = DataReading(self.services, self.form.data, self._data_changed, self._model_failed)

    async def set(self, name: str, value: object) -> None:
        """Take over what was typed or chosen in one field."""
        await self.change({name: value})

    async def change(self, values: Mapping[str, object]) -> None:
        """Take over several settings at once. How data are read is remembered with them."""
        says_how_to_read = bool(values.keys() & set(RECIPE_KNOBS))
        kept: tuple[str, KeptRecipe] | None = None

        def change() -> None:
            nonlocal kept
            if says_how_to_read:
                self.form.before_recall = None
            self.form.update(values)
            kept = self._recipe_to_keep() if says_how_to_read else None  # now: other data may be chosen meanwhile
            if kept is not None:
                self._on_the_way[kept[0]] = kept[1]

        await self.follow(change)
        if kept is not None:
            await self._keep_recipe(*kept)

    async def choose_preset(self, name: str) -> None:
        """Set what a preset sets."""
        await self.follow(lambda: self.form.choose_preset(name))

    async def load_yaml(self, text: str) -> None:
        """Take over an edited file as a whole."""
        await self.follow(lambda: self.form.load_yaml(text))

    async def take_foreign(self, found: TakenOver) -> None:
        """Take over the settings of another tool's file."""
        await self.follow(lambda: self.form.take_foreign(found))

    async def choose_data(self, path: str, *, more: bool = False) -> None:
        """Take these data in place of the ones before, or (`more`) beside them; none for an empty path.

        They are read as they were the last time, which `forget_recall` takes back.
        """
        sources = [*self.form.sources, Source(path=path)] if more else [Source(path=path)] if path else []
        values = choosing.as_knobs(sources)
        kept = await self._kept_recipe(sources)
        anew = {name: self.form.get(name) if more else KNOBS[name].default for name in RECIPE_KNOBS}

        def change() -> None:
            self.form.before_recall = anew if kept is not None else None
            self.form.update({**values, **anew, **(kept.knobs if kept is not None else {})})

        await self.follow(change)

    async def remove_data(self, index: int) -> None:
        """Go on without one of several sources."""
        values = choosing.without(self.form.sources, index, self.form.get("data_steps"))
        self.form.before_recall = None
        await self.follow(lambda: self.form.update(values))

    async def forget_recall(self) -> None:
        """Read the data as if they had never been read before."""
        before = self.form.before_recall
        if before is not None:
            await self.change(before)

    async def forget_reading(self) -> None:
        """Find out by itself again how rows are read, whatever a person said of it."""
        await self.change({name: KNOBS[name].default for name in READING_KNOBS})

    async def _kept_recipe(self, sources: Sequence[Source]) -> KeptRecipe | None:
        if not sources:
            return None
        name = choosing.name_of(sources)
        if (recipe := self._on_the_way.get(name)) is not None:
            return recipe if recipe.says_something else None
        try:
            return await self.services.kept_recipe(name)
        except WorkspaceError as error:
            toast_error(error)
            return None

    def _recipe_to_keep(self) -> tuple[str, KeptRecipe] | None:
        """The name of the chosen data and how they are read; None while none are chosen, or something is wrong."""
        form = self.form
        if not form.sources or form.errors.keys() & set(RECIPE_KNOBS):
            return None
        recipe = KeptRecipe.model_validate({name: form.get(name) for name in RECIPE_KNOBS})
        return choosing.name_of(form.sources), recipe

    async def _keep_recipe(self, name: str, recipe: KeptRecipe) -> None:
        try:
            await self.services.keep_recipe(name, recipe)
        except WorkspaceError as error:
            toast_error(error)
        finally:
            if self._on_the_way.get(name) is recipe:
                del self._on_the_way[name]

    async def follow(self, change: Callable[[], None]) -> None:
        """Change the form; look at a new model, and read the data anew where what decides about tokens changed."""
        before = {name: self.form.get(name) for name in READS_DATA_ANEW}
        files = self._held_out_files()
        change()
        changed = {name for name, value in before.items() if value != self.form.get(name)}
        if changed & {"model_name", "offline"}:
            await self._look_at_model()
        if changed:
            self.read_data()
        if changed & _DECIDE_ABOUT_FILES or files != self._held_out_files():
            await self.look_at_files()

    async def _look_at_model(self) -> None:
        name, is_offline = self._model()
        note = await asyncio.to_thread(look_at, name, is_offline) if name else None
        if (name, is_offline) == self._model():  # else another one was chosen meanwhile
            self.form.model_note = note
            self.form.changed.emit()

    def _model(self) -> tuple[str, bool]:
        """The chosen model, empty for none; and whether no hub may be asked for it."""
        return str(self.form.get("model_name") or ""), bool(self.services.settings.offline or self.form.get("offline"))

    async def set_test_file(self, name: str) -> None:
        """Name the file of rows for the scoring; empty for none."""
        self.form.test_path = name
        await self.look_at_files()

    def _held_out_files(self) -> dict[str, str]:
        return {"test_path": self.form.test_path, "validation_path": str(self.form.get("validation_path") or "")}

    def _reading_of_files(self) -> dict[str, Any]:
        return {name: self.form.get(name) for name in _DECIDE_ABOUT_FILES}

    async def look_at_files(self) -> None:
        """Find out whether the files of held-out rows can be read and hold other rows than the training does."""
        files = self._held_out_files()
        asked = files, self._reading_of_files()
        query = self.form.query()
        recipe = query.recipe if query is not None else None
        problems = {name: await problem_of(self.services, file, recipe) for name, file in files.items() if file}
        if asked == (self._held_out_files(), self._reading_of_files()):  # else they are looked at anew
            self.form.file_problems = {name: problem for name, problem in problems.items() if problem is not None}
            self.form.changed.emit()

    async def restore(self) -> None:
        """Look again at everything that a draft names."""
        if self.form.get("model_name"):
            await self._look_at_model()
        self.read_data()
        await self.look_at_files()

    def close(self) -> None:
        """Give up what is being read and let go of what was read: what was set is kept for a while as a draft."""
        self.is_closed = True
        self.data.close()
        self.form.data.forget()

    async def remove(self, path: str) -> None:
        """Delete an uploaded file. Raises JobError while a job needs it, WorkspaceError."""
        dataset = next((dataset for dataset in self.datasets if dataset.path == path), None)
        if dataset is not None:  # else it is gone already
            await self.services.delete_dataset(dataset)
        self.unreadable.pop(path, None)
        await self.refresh_choices()
        places = [place for place, source in enumerate(self.form.sources) if source.path == path]
        for place in reversed(places):
            await self.remove_data(place)
        self.form.changed.emit()

    async def refresh_choices(self) -> None:
        """Look again for models and data files in the workspace."""
        self.models, self.datasets = await self.services.found_models(), await self.services.datasets()

    def read_data(self) -> None:
        """Look at the chosen data, and go through them in the background; what is still under way is given up."""
        if not self.is_closed:
            self.data.read(self.form.query())

    def _data_changed(self) -> None:
        """Among several sources nobody knows here which one the problem is about."""
        paths, state = [source.path for source in self.form.sources], self.form.data
        if state.problem is not None and len(paths) == 1:
            self.unreadable[paths[0]] = state.problem[0]
        elif state.problem is None and state.look is not None:
            for path in paths:
                self.unreadable.pop(path, None)
        self.form.changed.emit()

    def _model_failed(self, error: ModelError) -> None:
        self.form.model_note = ModelNote.of_error(error)

    async def start(self) -> Job:
        """Queue the training and, where wanted, its scoring. Raises ParameterError, WorkspaceError, JobError."""
        form = self.form
        parameters = form.parameters()
        form.is_submitting = True
        form.changed.emit()
        try:
            await self.look_at_files()
            if form.obstacle:
                raise ParameterError(form.obstacle)
            job = await self.services.jobs.submit(JobKind.TRAINING, parameters)
            evaluation = form.evaluation(parameters, job.name, job.paths)
            if evaluation is not None:
                await self.services.jobs.submit(JobKind.EVALUATION, evaluation, after=job.id)
        finally:
            form.is_submitting = False
            form.changed.emit()
        form.set("name", "")
        form.origin = None
        form.go_to(0)
        return job


_DRAFTS_KEPT = 50
_drafts: OrderedDict[str, TrainSession] = OrderedDict()
"""Browser tab → its session, the one that was opened last at the end."""


async def session_of(services: Services) -> TrainSession:
    """The session of the browser tab that is being served; after a reload of the page, with what was set before it."""
    client = ui.context.client
    known = app.storage.client.get("train")
    if isinstance(known, TrainSession):
        return known
    await client.connected()
    session = TrainSession(services)
    tab = client.tab_id or client.id
    left = _drafts.get(tab)
    if left is not None and left.services is services:
        session = TrainSession(services, form=left.form.draft(), unreadable=left.unreadable)
    preferred = reader.preferences().default_model
    if preferred and not session.form.get("model_name"):
        session.form.set("model_name", preferred)
    app.storage.client["train"] = session
    client.on_delete(session.close)
    _drafts[tab] = session
    _drafts.move_to_end(tab)
    while len(_drafts) > _DRAFTS_KEPT:
        _drafts.popitem(last=False)
    await session.restore()
    return session
