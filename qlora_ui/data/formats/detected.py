"""How the rows of some data are read, and each row read so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, cast, get_args

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.inspection import PartView, Understanding
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation, Role
from qlora_ui.data.formats.cells import Cells
from qlora_ui.data.formats.conversion import CONVERTERS
from qlora_ui.data.formats.messages import ROLES, Speech
from qlora_ui.data.formats.shapes import KEY_PARTS, NAMES, PARTS, required_parts
from qlora_ui.data.formats.values import listed
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.rows import Row

Sureness = Literal["certain", "likely", "unsure", "chosen"]

ROLE_NAMES = get_args(Role)[:4]
"""The roles that a speaker can have: system, user, assistant, tool."""


@dataclass(frozen=True)
class Detected:
    """The format of some data, and which of its columns plays which part. It can be pickled."""

    format: DataFormat
    """Never `auto`."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Part (`instruction`, `answer`, `turns` …) → the column that plays it; `role_key` and `content_key` → the key of a
    message. A part that nothing plays is left out."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Every speaker's name in the first rows, and those that a person named → `system`, `user`, `assistant`, `tool`;
    empty for one that is not known."""
    sureness: Sureness = "certain"
    """`certain`: a published form; `likely`: the names fit; `unsure`: guessed from values; `chosen`: by a person."""
    seen: str = ""
    """A few sentences: what spoke for this format."""
    alternatives: tuple[DataFormat, ...] = ()
    """Formats that the columns would fit as well."""
    columns: tuple[str, ...] = ()
    """Of the first rows, in their order."""
    message_keys: tuple[str, ...] = ()
    """Keys of the messages in the first rows, in their order."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The parts that are needed, but that no column plays: no row can be read before they are assigned."""
        return tuple(part for part in self.required if part not in self.mapping)

    @cached_property
    def required(self) -> tuple[str, ...]:
        return required_parts(self.format, self.mapping)

    @cached_property
    def speech(self) -> Speech:
        """How messages are written."""
        named = {name.strip().lower(): cast(Role, role) for name, role in self.roles.items() if role}
        keys = self.mapping.get("role_key", "role"), self.mapping.get("content_key", "content")
        return Speech(*keys, {**ROLES, **named})

    @cached_property
    def needed(self) -> frozenset[str]:
        """The columns that every row must have."""
        return frozenset(self.mapping[part] for part in self.required if part in self.mapping)

    def view(self) -> Understanding:
        """The same for people."""
        return Understanding(
            format=self.format,
            sureness=self.sureness,
            seen=self.seen,
            alternatives=list(self.alternatives),
            columns=list(self.columns),
            parts=[self._part(name) for name in PARTS[self.format]],
            roles=dict(self.roles),
        )

    def _part(self, name: str) -> PartView:
        options = self.message_keys if name in KEY_PARTS else self.columns
        return PartView(
            name=name, column=self.mapping.get(name, ""), required=name in self.required, options=list(options)
        )


def to_conversation(row: Row, detected: Detected) -> Conversation:
    """The row as turns. Raises DataError with the row's place when its columns or values do not suit the format.

    The order of the turns and empty ones are left to `require_trainable`, for steps may mend them before.
    """
    place = row.place
    if detected.missing or not detected.needed <= row.values.keys():
        raise _unread(row, detected)
    return CONVERTERS[detected.format](Cells(row.values, detected.mapping, detected.speech, place, row.number))


def _unread(row: Row, detected: Detected) -> DataError:
    name = NAMES[detected.format]
    if detected.missing:
        problem = f"no column plays the part {listed(detected.missing)}, which {name} needs."
        return data_error(row.place, problem, "Assign a column to it in the mapping, or choose another format.")
    absent = [
        column for column in dict.fromkeys(detected.mapping.values()) if column in detected.needed - row.values.keys()
    ]
    problem = (
        f"this row has the columns {listed(row.values)}, but the first ones were read as {name}, "
        f"which needs {listed(absent)}."
    )
    return data_error(row.place, problem, "Put rows of another form into a file of their own, and add it as more data.")
