"""A knob is one field of a parameter model, written down once: forms, `--set`, YAML and the docs derive from it."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

KnobKind = Literal["integer", "number", "text", "switch", "choice", "structure"]
"""`structure` is a list or a table of its own, which a form shows in a way of its own."""
Items = Literal["", "choices", "texts"]
"""What a list holds: some of a few known values, texts, or tables of their own."""
GROUPS = ("basics", "LoRA", "optimiser", "data", "memory", "monitoring")
"""The order in which a form shows the groups."""
DEVICES = "auto, cpu or cuda:0, cuda:1 …"
"""What a device may be called."""


class ConflictError(ValueError):
    """Settings that are fine by themselves, but make no sense together. Its words begin small and have no full stop."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field
        """Beside which a form shows it; empty for none."""


def knob(  # the signature mirrors what a person may ask about a knob
    default: Any,
    *,
    title: str,
    help: str,
    group: str,
    unit: str = "",
    **bounds: Any,
) -> Any:
    """A pydantic field with a title, one plain sentence of help, a group and a unit; `bounds`: pydantic's ge, le …"""
    if group not in GROUPS:
        raise ValueError(f"{group!r} is no group of knobs")
    extra: dict[str, Any] = {"group": group, "unit": unit}
    return Field(default, title=title, description=help, json_schema_extra=extra, **bounds)


@dataclass(frozen=True)
class Knob:
    """What a form, a command line or a page of docs needs to know of one field."""

    name: str
    title: str
    help: str
    group: str
    unit: str
    kind: KnobKind
    default: Any
    required: bool
    optional: bool
    """May be left empty (None)."""
    choices: tuple[str, ...] = ()
    """The values that it may have, or of which a list may hold some."""
    items: Items = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    longest: int | None = None
    """How many characters a text, or items a list may have."""

    @property
    def bounds(self) -> str:
        """The allowed range in English words, empty when there is none; pages have those of `components.knob_field`."""
        low = f"{'more than' if self.exclusive_minimum else 'at least'} {_plain(self.minimum or 0)}"
        if self.minimum is not None and self.maximum is not None:
            return f"{low}, at most {_plain(self.maximum)}"
        if self.minimum is not None:
            return low
        return f"at most {_plain(self.maximum)}" if self.maximum is not None else ""

    def refusal(self, given: Any) -> str:
        """What is said in English of a value that cannot be used."""
        return f"{reprlib.repr(given)} was given, but it must be {self._wanted()}"

    def _wanted(self) -> str:
        if self.name == "device":
            return DEVICES
        kinds = {
            "integer": "a whole number",
            "number": "a number",
            "switch": "true or false",
            "choice": f"one of {', '.join(self.choices)}",
            "structure": self._wanted_items(),
            "text": f"text of at most {self.longest} characters" if self.longest else "text",
        }
        return f"{kinds[self.kind]}, {self.bounds}" if self.bounds else kinds[self.kind]

    def _wanted_items(self) -> str:
        if self.items == "choices":
            return f"some of {', '.join(self.choices)}"
        return f"a list of at most {self.longest} texts" if self.items else "a list or a table, as its help says"


def _plain(number: float) -> str:
    """`1,048,576`, `0.5`: never the short form 1e+06, which is not exact."""
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


def knobs(model: type[BaseModel]) -> dict[str, Knob]:
    """All knobs of a parameter model by name, in the order of its definition."""
    return {name: _knob(name, field) for name, field in model.model_fields.items()}


def _knob(name: str, field: FieldInfo) -> Knob:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(f"the field {name} was not made with knob()")
    kind, choices, optional = _kind(field.annotation)
    items = _items(field.annotation)
    low = next((m for m in field.metadata if isinstance(m, annotated_types.Ge | annotated_types.Gt)), None)
    high = next((m for m in field.metadata if isinstance(m, annotated_types.Le)), None)
    minimum = getattr(low, "ge", getattr(low, "gt", None))
    longest = next((m.max_length for m in field.metadata if isinstance(m, annotated_types.MaxLen)), None)
    return Knob(
        name=name,
        title=field.title or name,
        help=field.description or "",
        group=str(extra["group"]),
        unit=str(extra["unit"]),
        kind=kind,
        default=None if field.default is PydanticUndefined else field.default,
        required=field.is_required(),
        optional=optional,
        choices=choices,
        items=items,
        minimum=minimum,
        maximum=getattr(high, "le", None),
        exclusive_minimum=isinstance(low, annotated_types.Gt),
        longest=longest,
    )


def _kind(
    annotation: Any,
) -> tuple[KnobKind, tuple[str, ...], bool]:
    members = [a for a in get_args(annotation) if a is not type(None)] if get_origin(annotation) is not Literal else []
    optional = len(members) > 0 and len(members) < len(get_args(annotation))
    inner = members[0] if members else annotation
    if get_origin(annotation) in (list, dict):
        known = get_args(annotation)[0]
        return "structure", tuple(get_args(known)) if get_origin(known) is Literal else (), False
    if get_origin(inner) is Literal:
        return "choice", tuple(str(choice) for choice in get_args(inner)), optional
    if inner is bool:
        return "switch", (), optional
    if inner is int:
        return "integer", (), optional
    return ("number" if inner is float else "text"), (), optional


def _items(annotation: Any) -> Items:
    if get_origin(annotation) is not list:
        return ""
    [held] = get_args(annotation)
    if get_origin(held) is Literal:
        return "choices"
    return "texts" if get_origin(held) is Annotated and get_args(held)[0] is str else ""
