"""What base and adapter answered in an evaluation, row by row."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nicegui import background_tasks, ui
from pydantic import BaseModel, ValidationError

from qlora_ui.components.badge import Badge
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import Card
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.locales import _, mark, n_
from qlora_ui.locales.figures import number

ROWS_SHOWN = 12
CHARACTERS_SHOWN = 1_000
"""Longer texts are cut on the page; the file has the whole of them."""
_VIEWS = {"all": mark("All"), "gained": mark("Only adapter right"), "lost": mark("Only adapter wrong")}


class Answer(BaseModel):
    """One line of `answers.jsonl`. `base` is None where no answers were written, `adapter` also where there is none."""

    row: int
    prompt: str
    reference: str
    base: str | None = None
    base_correct: bool = False
    adapter: str | None = None
    adapter_correct: bool = False

    def fits(self, view: str) -> bool:
        """Whether it belongs to a view: `gained` is right with the adapter alone, `lost` with the base alone."""
        if view == "all":
            return True
        wanted = view == "gained"
        return self.adapter is not None and (self.adapter_correct, self.base_correct) == (wanted, not wanted)


@dataclass(frozen=True)
class Found:
    """The first answers of a view, and how many there are in it."""

    answers: list[Answer]
    total: int


def read_answers(path: Path, view: str = "all", limit: int = ROWS_SHOWN) -> Found:
    """The answers of a view; none where none were written. Raises OSError, and ValueError for a damaged file."""
    with path.open(encoding="utf-8") as lines:
        fitting = (
            one for line in lines if (one := Answer.model_validate_json(line)).base is not None and one.fits(view)
        )
        first = list(islice(fitting, limit))
        return Found(first, len(first) + sum(1 for _further in fitting))


def build(path: Path) -> None:
    """The card, as soon as the file is read; nothing for an evaluation without answers."""
    room = ui.element("div").classes("qu-contents")

    async def load() -> None:
        found = await _read(path, "all", room)
        if found is not None and found.answers and not room.is_deleted:
            with room:
                _AnswersCard(path, found)

    background_tasks.create(load(), name=f"read {path.name}", context=ui.context.client)


class _AnswersCard(Card):
    def __init__(self, path: Path, found: Found) -> None:
        super().__init__(_("Answers"))
        self._path = path
        has_adapter = found.answers[0].adapter is not None
        if has_adapter:
            with self.head:
                views = {name: _(words) for name, words in _VIEWS.items()}
                self._views = Segmented(views, label=_("Show answers"), on_change=self._switch)
                self._views.style("flex-wrap:wrap; max-width:100%")
        with self:
            self._room = ui.element("div").classes("qu-col")
        self._show(found)

    async def _switch(self, view: str) -> None:
        found = await _read(self._path, view, self._room)
        if found is not None and view == self._views.value and not self.is_deleted:
            self._show(found)

    def _show(self, found: Found) -> None:
        self._room.clear()
        with self._room:
            if not found.answers:
                Text(_("No row is like that."), "p", classes="qu-sm qu-muted")
                return
            _table(found.answers)
            if found.total > len(found.answers):
                words = n_(
                    "The first {shown} of {count} row. All of them are in {path}.",
                    "The first {shown} of {count} rows. All of them are in {path}.",
                    found.total,
                    shown=number(len(found.answers)),
                    path=self._path,
                )
                Text(words, "p", classes="qu-xs qu-muted qu-break")


def _table(answers: list[Answer]) -> None:
    has_adapter = answers[0].adapter is not None
    names = [_("Row"), _("Prompt"), _("Expected"), _("Base"), *([_("Adapter")] if has_adapter else [])]
    table = DataTable(names, label=_("Answers row by row")).classes("qu-answers")
    for answer in answers:
        entry = table.row()
        entry.cell(number(answer.row)).classes("qu-num qu-step-cell")
        for text in (answer.prompt, answer.reference):
            with entry.cell():
                Text(_cut(text), "div", classes="qu-answer qu-break")
        judged = [(answer.base, answer.base_correct), (answer.adapter, answer.adapter_correct)]
        for said, is_right in judged[: len(names) - 3]:
            with entry.cell(), ui.element("div"):
                Text(_cut(said or ""), "div", classes="qu-answer qu-break")
                Badge(_("Right", context="correct"), "success") if is_right else Badge(_("Not the same"))


async def _read(path: Path, view: str, room: ui.element) -> Found | None:
    """The answers, read in a thread; None where there is no file. A file that cannot be read is said to be so."""
    try:
        return await asyncio.to_thread(read_answers, path, view)
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        if not room.is_deleted:
            with room:
                Notice(
                    _("The answers in {path} cannot be read.", path=path), "warning", hint=str(error).splitlines()[0]
                )
        return None


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS_SHOWN else f"{text[:CHARACTERS_SHOWN].rstrip()}…"
