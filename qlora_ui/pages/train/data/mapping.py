"""Which column plays which part, and who the speakers are."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.forms.select_field import SelectField
from qlora_ui.components.layout import column
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
            self._parts[part.name].follow(part)
        for name, role in roles.items():
            self._speakers[name].follow(role)

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


class _PartField(SelectField):
    """One part of a row: what it means, and the column that plays it."""

    def __init__(self, session: TrainSession, part: PartView, data_format: str) -> None:
        unit = _("needed", context="a part of a row") if part.required else ""
        meaning, marker = part_meaning(part.name), f"part-{part.name}"
        super().__init__(part_name(part.name), self._assign, help=meaning, unit=unit, marker=marker)
        self._session, self._name, self._format = session, part.name, data_format

    def follow(self, part: PartView) -> None:
        columns = dict.fromkeys([*([part.column] if part.column else []), *part.options])
        nothing = {} if part.required and part.column else {NOTHING: _empty(part)}
        error = _("Choose the column that holds it.") if part.required and not part.column else ""
        self.show(nothing | {name: name for name in columns}, part.column, error)

    async def _assign(self, column: str) -> None:
        """A format that was found is kept with it: other columns could speak for another one."""
        mapping = {**self._session.form.get("data_mapping"), self._name: column}
        await self._session.change({"data_format": self._format, "data_mapping": mapping})


class _SpeakerField(SelectField):
    """What a speaker is called in the data, and who that is."""

    def __init__(self, session: TrainSession, name: str) -> None:
        super().__init__(name, self._assign, marker=f"speaker-{name}")
        self._session, self._name = session, name

    def follow(self, role: str) -> None:
        nothing = {} if role else {NOTHING: _("not known yet")}
        self.show(nothing | {name: role_name(name) for name in ROLES}, role, "" if role else _("Choose who this is."))

    async def _assign(self, role: str) -> None:
        roles = {**self._session.form.get("data_roles"), self._name: role}
        await self._session.change({"data_roles": roles})


def _empty(part: PartView) -> str:
    return _("not chosen yet") if part.required else _("none", context="no column")
