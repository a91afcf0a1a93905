"""Which column plays which part, and who the speakers are."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.field import Field
from qlora_ui.components.layout import column
from qlora_ui.components.select_list import amend_list
from qlora_ui.components.text import Text, heading
from qlora_ui.contract.inspection import PartView, Understanding
from qlora_ui.locales import _, n_
from qlora_ui.pages.train.data.words import ROLES, part_meaning, part_name, role_name
from qlora_ui.pages.train.session import TrainSession

NOTHING = ""
MOST_SPEAKERS = 30
"""Speakers' names that have a field; where there are more, another key says who speaks."""


class MappingEditor(ui.element, default_classes="qu-col qu-gap-4"):
    """A field for each part of the format and for each speaker. It is drawn anew only where there are other ones."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__("div")
        self._session = session
        self._shape: object = None
        self._parts: dict[str, _PartField] = {}
        self._speakers: dict[str, _SpeakerField] = {}

    def show(self, understanding: Understanding) -> None:
        """Follow what is known now, without taking the focus from a field that stays."""
        roles = dict(list(understanding.roles.items())[:MOST_SPEAKERS])
        shape = (understanding.format, [part.name for part in understanding.parts], list(roles))
        if shape != self._shape:
            self._shape = shape
            self.clear()
            with self:
                self._build(understanding, roles)
        for part in understanding.parts:
            self._parts[part.name].show(part)
        for name, role in roles.items():
            self._speakers[name].show(role)

    def _build(self, understanding: Understanding, roles: dict[str, str]) -> None:
        """What has to be said stands first."""
        self._parts, self._speakers = {}, {}
        if all(roles.values()):
            self._build_parts(understanding)
            self._build_speakers(roles)
        else:
            self._build_speakers(roles)
            self._build_parts(understanding)

    def _build_parts(self, understanding: Understanding) -> None:
        used = [part for part in understanding.parts if part.required or part.column]
        others = [part for part in understanding.parts if part not in used]
        with column(gap=3):
            heading(_("Columns"), 3).classes("qu-sm")
            self._fields_of(used, understanding.format)
            if others:
                words = n_(
                    "{count} part more that a row can have", "{count} parts more that a row can have", len(others)
                )
                with ui.element("details").classes("qu-more"):
                    Text(words, "summary", classes="qu-sm")
                    self._fields_of(others, understanding.format)

    def _fields_of(self, parts: list[PartView], data_format: str) -> None:
        with ui.element("div").classes("qu-parts"):
            self._parts |= {part.name: _PartField(self._session, part, data_format) for part in parts}

    def _build_speakers(self, roles: dict[str, str]) -> None:
        if roles:
            with column(gap=3):
                heading(_("Speakers"), 3).classes("qu-sm")
                with ui.element("div").classes("qu-parts"):
                    self._speakers = {name: _SpeakerField(self._session, name) for name in roles}


class _PartField(Field):
    """One part of a row: what it means, and the column that plays it."""

    def __init__(self, session: TrainSession, part: PartView, data_format: str) -> None:
        needed = _("needed", context="a part of a row") if part.required else ""
        super().__init__(part_name(part.name), help=part_meaning(part.name), unit=needed)
        self._session, self._part, self._format = session, part, data_format
        self._select = self.hold(ui.select({}, on_change=lambda event: self._take(str(event.value or NOTHING))))
        amend_list(self._select, self.label.text)
        self._select.mark(f"part-{part.name}")

    def show(self, part: PartView) -> None:
        self._part = part
        columns = dict.fromkeys([*([part.column] if part.column else []), *part.options])
        nothing = {} if part.required and part.column else {NOTHING: _empty(part)}
        options = nothing | {name: name for name in columns}
        if self._select.options != options or self._select.value != part.column:
            self._select.set_options(options, value=part.column)
        is_missing = part.required and not part.column
        error = _("Choose the column that holds it.") if is_missing else ""
        if error != self.error.text:
            self.set_error(error)

    async def _take(self, column: str) -> None:
        """A format that was found is kept with it: other columns could speak for another one."""
        if column == self._part.column:
            return  # it only follows what is known
        mapping = {**self._session.form.get("data_mapping"), self._part.name: column}
        await self._session.change({"data_format": self._format, "data_mapping": mapping})


class _SpeakerField(Field):
    """What a speaker is called in the data, and who that is."""

    def __init__(self, session: TrainSession, name: str) -> None:
        super().__init__(name)
        self._session, self._name, self._role = session, name, NOTHING
        self._select = self.hold(ui.select({}, on_change=lambda event: self._take(str(event.value or NOTHING))))
        amend_list(self._select, name)
        self._select.mark(f"speaker-{name}")

    def show(self, role: str) -> None:
        self._role = role
        nothing = {} if role else {NOTHING: _("not known yet")}
        options = nothing | {name: role_name(name) for name in ROLES}
        if self._select.options != options or self._select.value != role:
            self._select.set_options(options, value=role)
        error = "" if role else _("Choose who this is.")
        if error != self.error.text:
            self.set_error(error)

    async def _take(self, role: str) -> None:
        if role and role != self._role:
            roles = {**self._session.form.get("data_roles"), self._name: role}
            await self._session.change({"data_roles": roles})


def _empty(part: PartView) -> str:
    return _("not chosen yet") if part.required else _("none", context="no column")
