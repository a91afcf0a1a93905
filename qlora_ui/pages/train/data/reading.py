"""The data are looked at at once, and gone through in the background, whenever something changes about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nicegui import background_tasks

from qlora_ui.contract.errors import ModelError, QloraUiError
from qlora_ui.contract.inspection import Finding, Look, SurveyProgress
from qlora_ui.contract.recipe import DataQuery
from qlora_ui.contract.references import HUB
from qlora_ui.pages.train.data.state import DataState

if TYPE_CHECKING:
    from qlora_ui.services import Services

ROWS_AT_ONCE = 20
"""How many rows are fetched by one look."""


class DataReading:
    """Keeps a DataState in step with the query. One look and one survey are under way at most."""

    def __init__(
        self,
        services: Services,
        state: DataState,
        changed: Callable[[], object],
        model_failed: Callable[[ModelError], object],
    ) -> None:
        """`changed` is called after each change of the state; `model_failed` where only the model keeps back tokens."""
        self.state = state
        self._services = services
        self._changed = changed
        self._model_failed = model_failed
        self._query: DataQuery | None = None
        self._looking: asyncio.Task[None] | None = None
        self._surveying: asyncio.Task[None] | None = None

    @property
    def max_length(self) -> int:
        """The longest length that what is known was made with, in tokens."""
        return self._query.recipe.max_length if self._query is not None else 0

    def read(self, query: DataQuery | None) -> None:
        """Look at other data, or at the same with other settings; None forgets what was read."""
        self.close()
        state, self._query, self._surveying = self.state, query, None
        state.survey = state.progress = state.problem = state.among = None
        state.was_given_up, state.note = False, ""
        state.views.clear()
        if query is None:
            state.look, state.row, state.example = None, 1, 0
            self._changed()
            return
        if state.look is None or _other_data(state.look, query):
            state.look, state.row, state.example = None, 1, 0
        state.is_looking = state.is_surveying = True
        self._looking = background_tasks.create(self._read(query), name="read the data of a run")
        self._changed()

    async def _read(self, query: DataQuery) -> None:
        """The shown rows first; then all of them. What is on the hub has to be fetched before."""
        try:
            if any(source.path.startswith(HUB) for source in query.recipe.sources):
                await self._services.fetch(query, self._tell_note)
                self._tell_note("")
            await self._look_from(query, max(1, self.state.row))
        except ModelError as error:  # the data can be looked at without the model's tokens
            self._model_failed(error)
            query = self._query = query.model_copy(update={"model": ""})
            if not await self._tried(self._look_from(query, max(1, self.state.row))):
                return
        except QloraUiError as error:
            self._fail(error)
            return
        self.state.is_looking = False
        self._changed()
        if self.state.is_surveying and self._surveying is None:  # else it was given up before it began
            self._surveying = background_tasks.create(self._survey(query), name="go through the data of a run")

    def _tell_note(self, note: str) -> None:
        self.state.note = note
        self._changed()

    async def _survey(self, query: DataQuery) -> None:
        state = self.state

        def tell(progress: SurveyProgress) -> None:
            state.progress = progress
            self._changed()

        try:
            state.survey = await self._services.survey(query, tell)
        except QloraUiError as error:
            state.problem = (error.message, error.hint)
        state.is_surveying, state.progress = False, None
        self._changed()

    async def _look_from(self, query: DataQuery, start: int, rows: list[int] | None = None) -> None:
        seen = await self._services.look(query, start=start, limit=ROWS_AT_ONCE, rows=rows or [])
        state = self.state
        if not rows or state.look is None:
            state.look = seen
        state.keep(seen.views)

    async def _tried(self, work: Awaitable[None]) -> bool:
        try:
            await work
        except QloraUiError as error:
            self._fail(error)
            return False
        return True

    def _fail(self, error: QloraUiError) -> None:
        state = self.state
        state.look, state.problem = None, (error.message, error.hint)
        state.is_looking = state.is_surveying = False
        self._changed()

    def show_row(self, number: int, *, among: Finding | None = None) -> None:
        """Show a row, fetching it where it is not at hand; `among`: go on through the rows of this finding."""
        state = self.state
        if number < 1 or (state.survey is not None and number > state.survey.rows):
            return
        state.row, state.example, state.among = number, 0, among
        self._changed()
        if number in state.views or self._query is None:
            return
        if self._looking is not None:
            self._looking.cancel()
        state.is_looking = True
        wanted = [row for row in among.rows if row >= number][:ROWS_AT_ONCE] if among is not None else None
        is_begun = self._surveying is not None  # else the first look is still under way: it goes on from this row
        work = self._fetch(self._query, number, wanted) if is_begun else self._read(self._query)
        self._looking = background_tasks.create(work, name="fetch rows")

    async def _fetch(self, query: DataQuery, number: int, rows: list[int] | None) -> None:
        await self._tried(self._look_from(query, number, rows))
        self.state.is_looking = False
        self._changed()

    def show_example(self, index: int) -> None:
        """Show another one of the examples that came of the row."""
        self.state.example = index
        self._changed()

    def give_up_survey(self) -> None:
        """Stop going through all rows; the first ones stay."""
        if self._surveying is not None:
            self._surveying.cancel()
        self.state.is_surveying, self.state.progress, self.state.was_given_up = False, None, True
        self._changed()

    def survey_again(self) -> None:
        """Go through all rows after it was given up."""
        if self._query is not None and not self.state.is_surveying:
            self.state.is_surveying, self.state.was_given_up = True, False
            self._surveying = background_tasks.create(self._survey(self._query), name="go through the data of a run")
            self._changed()

    def close(self) -> None:
        """Give up what is under way."""
        for task in (self._looking, self._surveying):
            if task is not None:
                task.cancel()
        self.state.is_looking = self.state.is_surveying = False


def _other_data(look: Look, query: DataQuery) -> bool:
    return [source.path for source in look.sources] != [source.path for source in query.recipe.sources]
