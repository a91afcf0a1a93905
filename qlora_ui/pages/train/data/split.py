"""Which rows are held out: they are never trained, and measure how well the model does on what it has not seen."""

from __future__ import annotations

from functools import partial
from typing import Any

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.knob_field import KnobField
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.forms.select_field import SelectField
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS

_FIELDS = {"validation_share": "share", "validation_rows": "count", "validation_path": "file"}
"""Knob → the way of holding out that asks for it."""


def way_of(form: TrainForm) -> str:
    """How rows are held out by the settings as they are: `file`, `count`, `share` or `none`."""
    if form.get("validation_path"):
        return "file"
    if form.get("validation_rows") is not None:
        return "count"
    return "none" if str(form.get("validation_share")) in {"0", "0.0"} else "share"


class SplitCard(Card):
    """The way, and what it asks for. A way that is not filled in yet leaves the one before in force."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Held-out rows"))
        self._session, self._form = session, session.form
        self._way = self._known_way = way_of(session.form)
        with self.head:
            ways = {"share": _("A share"), "count": _("A number"), "file": _("A file"), "none": _("None")}
            label = _("How rows are held out")
            self._ways = Segmented(ways, label=label, value=self._way, on_change=self._choose)
        with self:
            self._summary = Text(tag="p", classes="qu-sm qu-muted qu-num")
            self._pending = Text(_("This holds as soon as it is filled in."), "p", classes="qu-sm qu-strong")
            Live(self._form.changed, self._is_never_measured, self._no_evaluation)
            with ui.element("div").classes("qu-knobs") as self._fields_room:
                self._fields = {name: self._field(name) for name in _FIELDS}
                self._column = _ColumnField(session)
                self._fields["seed"] = self._field("seed")
            listen(self._form.changed, self._follow)
        self._follow()

    def _field(self, name: str) -> KnobField:
        goes = {"validation_path": ""} if name == "validation_rows" else {}  # a file goes before a number
        return KnobField(KNOBS[name], self._form.get(name), lambda value: self._session.change({**goes, name: value}))

    async def _choose(self, way: str) -> None:
        self._way = way
        changes = self._changes(way)
        if changes:
            await self._session.change(changes)
        self._follow()

    def _changes(self, way: str) -> dict[str, Any]:
        """What makes this way the one in force; as many rows as before, where a number is asked for."""
        survey = self._form.data.survey
        match way:
            case "share":
                share = self._form.get("validation_share") if self._known_way != "none" else None
                return {"validation_path": "", "validation_rows": None, "validation_share": share}
            case "count":
                rows = survey.examples_held_out if survey is not None else 0
                return {"validation_path": "", "validation_rows": rows} if rows else {}
            case "none":
                return {"validation_path": "", "validation_rows": None, "validation_share": 0}
            case _:
                return {}  # the file has to be named first, as has a number where none is known

    def _follow(self) -> None:
        form, known = self._form, way_of(self._form)
        if known != self._known_way:
            self._way = self._known_way = known
        if self._ways.value != self._way:
            self._ways.show(self._way)
        for name, field in self._fields.items():
            field.show(form.get(name), form.error_of(name))
            field.set_visibility(self._way != "none" if name == "seed" else _FIELDS[name] == self._way)
        by_chance = self._way in {"share", "count"}
        self._fields["seed"].set_visibility(by_chance)
        self._column.set_visibility(by_chance)
        self._fields_room.set_visibility(self._way != "none")
        self.set_visibility(bool(form.sources))
        self._summary.text = _in_words(form)
        self._pending.set_visibility(self._way != known)

    def _is_never_measured(self) -> bool:
        return way_of(self._form) in {"share", "count"} and str(self._form.get("evaluations")) == "0"

    def _no_evaluation(self) -> None:
        if not self._is_never_measured():
            return
        times = KNOBS["evaluations"].default
        hint = _("The settings say that the evaluation loss is measured 0 times.")
        label = n_("Measure it {count} time", "Measure it {count} times", times)
        with Notice(_("Nothing is held out."), "info", hint=hint).body:
            Button(label, lambda: self._session.set("evaluations", times), size="sm").style("margin-top:8px")


class _ColumnField(SelectField):
    """Rows that are related stay on one side."""

    def __init__(self, session: TrainSession) -> None:
        knob = KNOBS["split_column"]
        take = partial(session.set, "split_column")
        super().__init__(sentence(knob.title), take, help=sentence(knob.help), marker="split-column")
        self._form = session.form
        with self:
            listen(session.form.changed, self._follow)
        self._follow()

    def _follow(self) -> None:
        look, chosen = self._form.data.look, str(self._form.get("split_column"))
        columns = look.understanding.columns if look is not None else []
        names = dict.fromkeys([*columns, *([chosen] if chosen else [])])
        is_gone = bool(chosen and columns and chosen not in columns)
        error = _("The data have no column {name}.", name=chosen) if is_gone else ""
        self.show({"": _("each row by itself")} | {name: name for name in names}, chosen, error)


def _in_words(form: TrainForm) -> str:
    """What is held out, with figures as soon as all rows were counted."""
    purpose = _("Held-out rows are never trained: they measure the evaluation loss.")
    survey = form.data.survey
    if survey is None:
        return purpose
    trained, held_out = number(survey.examples_train), number(survey.examples_held_out)
    figures = _("Examples to train: {trained}. Held out: {held_out}.", trained=trained, held_out=held_out)
    return _("{first} {second}", first=figures, second=purpose)
