"""Columns of JSON texts, in which the library `datasets` keeps objects whose keys differ from row to row."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow

Decode = Callable[[Any], Any]


def json_decoders(schema: pyarrow.Schema) -> dict[str, Decode]:
    """Column → how to make the objects of its texts, for columns with `arrow.json` in them, however deep."""
    return {field.name: decode for field in schema if (decode := _decoder(field.type))}


def _decoder(kind: pyarrow.DataType) -> Decode | None:
    import pyarrow.types as types

    if getattr(kind, "extension_name", "") == "arrow.json":
        return _value
    if types.is_struct(kind):
        return _of_struct({field.name: decode for field in kind if (decode := _decoder(field.type))})
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_list(_decoder(kind.value_type))
    return None


def _value(text: Any) -> Any:
    """A text that is no JSON stays what it is: whoever needs an object there says that it is none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _of_struct(decoders: dict[str, Decode]) -> Decode | None:
    def decode(value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        return {key: decoders[key](item) if key in decoders else item for key, item in value.items()}

    return decode if decoders else None


def _of_list(inner: Decode | None) -> Decode | None:
    if inner is None:
        return None
    return lambda values: None if values is None else [inner(value) for value in values]
