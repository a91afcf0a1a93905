"""A record batch of columns → rows of Python values.

Values that JSON does not know become text: dates, times and decimals as they are written, bytes where they are UTF-8.
Other bytes (pictures, sounds) stay bytes. Columns of JSON texts, in which the library `datasets` keeps objects whose
keys differ from row to row, become those objects.
"""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.blocks import Numbering
from qlora_ui.data.readers.rows import BadRow, Row

if TYPE_CHECKING:
    import pyarrow

_Decode = Callable[[Any], Any]


def rows_of_batch(batch: pyarrow.RecordBatch, numbering: Numbering) -> Iterator[Row | BadRow]:
    import pyarrow

    odd = [name for name, kind in zip(batch.schema.names, batch.schema.types, strict=True) if _is_odd(kind)]
    try:
        rows = batch.to_pylist()
    except (pyarrow.ArrowException, ValueError, OverflowError):  # such as a date after the year 9999
        yield from rows_one_by_one(batch, numbering)
        return
    decoders = _json_decoders(batch.schema)
    for values in rows:
        for name in odd:
            values[name] = _plain(values[name])
        for name, decode in decoders.items():
            values[name] = decode(values[name])
        yield _row(values, numbering)


def rows_one_by_one(batch: pyarrow.RecordBatch, numbering: Numbering) -> Iterator[Row | BadRow]:
    """Rows of a batch of which some cannot be read."""
    import pyarrow

    decoders = _json_decoders(batch.schema)
    for index in range(batch.num_rows):
        name = ""
        place = f"{numbering.name}, row {numbering.number + 1}"
        try:
            values = {}
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                cell = column.slice(index, 1)
                cell.validate(full=True)
                values[name] = _plain(cell[0].as_py())
                if name in decoders:
                    values[name] = decoders[name](values[name])
        except UnicodeDecodeError as error:
            yield numbering.bad(_bad_cell(f"{place}, column {name}", f"it is not UTF-8 ({error.reason})"))
        except (pyarrow.ArrowException, ValueError, OverflowError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
            yield numbering.bad(_bad_cell(f"{place}, column {name}", reason))
        else:
            yield _row(values, numbering)


def _row(values: dict[str, Any], numbering: Numbering) -> Row | BadRow:
    if values:
        return numbering.row(values)
    place = f"{numbering.name}, row {numbering.number + 1}"
    return numbering.bad(data_error(place, "the row has no columns.", "Export the file again, with its columns."))


def _bad_cell(place: str, reason: str) -> DataError:
    return data_error(place, f"the value cannot be read: {reason}.", "Export the file again, with text as UTF-8.")


def _is_odd(kind: pyarrow.DataType) -> bool:
    """Whether values of this type, or inside it, may be what JSON does not know."""
    import pyarrow.types as types

    if types.is_map(kind):
        return True  # pairs, which are tuples
    if types.is_nested(kind):
        return any(_is_odd(kind.field(index).type) for index in range(kind.num_fields))
    is_plain = types.is_string(kind) or types.is_large_string(kind) or types.is_integer(kind) or types.is_boolean(kind)
    return not (is_plain or types.is_floating(kind) or types.is_null(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta | decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    return value


def _json_decoders(schema: pyarrow.Schema) -> dict[str, _Decode]:
    """Column → how to make the objects of its texts, for columns with `arrow.json` in them, however deep."""
    return {field.name: decode for field in schema if (decode := _decoder(field.type))}


def _decoder(kind: pyarrow.DataType) -> _Decode | None:
    import pyarrow.types as types

    if getattr(kind, "extension_name", "") == "arrow.json":
        return _parsed
    if types.is_struct(kind):
        return _of_struct({field.name: decode for field in kind if (decode := _decoder(field.type))})
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _of_list(_decoder(kind.value_type))
    return None


def _parsed(text: Any) -> Any:
    """A text that is no JSON stays what it is: whoever needs an object there says that it is none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _of_struct(decoders: dict[str, _Decode]) -> _Decode | None:
    def decode(value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is None:
            return None
        return {key: decoders[key](item) if key in decoders else item for key, item in value.items()}

    return decode if decoders else None


def _of_list(inner: _Decode | None) -> _Decode | None:
    if inner is None:
        return None
    return lambda values: None if values is None else [inner(value) for value in values]
