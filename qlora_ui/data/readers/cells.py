"""A record batch of columns → rows of Python values.

Values that JSON does not know become text: dates, times and decimals as they are written, bytes where they are UTF-8.
Other bytes (pictures, sounds) stay bytes.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.blocks import Numbering
from qlora_ui.data.readers.json_values import json_decoders
from qlora_ui.data.readers.rows import BadRow, Row

if TYPE_CHECKING:
    import pyarrow


def rows_of_batch(batch: pyarrow.RecordBatch, numbering: Numbering) -> Iterator[Row | BadRow]:
    import pyarrow

    odd = [name for name, kind in zip(batch.schema.names, batch.schema.types, strict=True) if _is_odd(kind)]
    try:
        rows = batch.to_pylist()
    except (pyarrow.ArrowException, ValueError, OverflowError):  # such as a date after the year 9999
        yield from rows_one_by_one(batch, numbering)
        return
    decoders = json_decoders(batch.schema)
    for values in rows:
        for name in odd:
            values[name] = _plain(values[name])
        for name, decode in decoders.items():
            values[name] = decode(values[name])
        yield _row(values, numbering)


def rows_one_by_one(batch: pyarrow.RecordBatch, numbering: Numbering) -> Iterator[Row | BadRow]:
    """Rows of a batch of which some cannot be read."""
    import pyarrow

    decoders = json_decoders(batch.schema)
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
