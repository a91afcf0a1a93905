"""Which format rows are in, told from the names of their columns and from the kinds of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.formats.detected import Detected, Sureness, to_conversation
from qlora_ui.data.formats.guess import guessed
from qlora_ui.data.formats.overrides import check_mapping, check_roles
from qlora_ui.data.formats.sample import SAMPLE, Sample
from qlora_ui.data.formats.shapes import NAMES, PARTS, SHAPES, Shape, required_parts
from qlora_ui.data.formats.values import listed
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.rows import Row

__all__ = ["SAMPLE", "Detected", "detect", "to_conversation", "understand"]

_NONE: Mapping[str, str] = MappingProxyType({})


def understand(
    rows: Iterable[Row],
    data_format: DataFormat = "auto",
    mapping: Mapping[str, str] = _NONE,
    roles: Mapping[str, str] = _NONE,
) -> Detected:
    """Tell from the first 100 rows how all are read.

    A named format is not looked for, only its columns are; what a `mapping` (part → column, or empty to take an
    optional part away) and `roles` (speaker's name → role) say goes before what is found. The answer to a named format
    may lack columns for parts that are needed (`missing`), so that a person can assign them.

    Raises DataError when there are no rows, when nothing in them can be understood or learnt, and for a mapping that
    names a part, a column or a role that is not there.
    """
    sample = Sample(list(islice(rows, SAMPLE)))
    if not sample.rows:
        raise DataError("There are no rows.", "Add at least one example.")
    check_mapping(mapping, data_format, sample)
    check_roles(roles)
    wanted = {part: column for part, column in mapping.items() if column}
    candidates = [_Candidate.of(shape, sample, wanted) for shape in _shapes(data_format, wanted)]
    best = _best(candidates, sample)
    if best is None:
        return _completed(guessed(sample, data_format, wanted), data_format, mapping, roles, sample)
    found = Detected(
        best.shape.format,
        best.columns,
        sureness="certain" if best.shape.documented and best.suited else "likely",
        seen=_seen(best, mapping, sample),
        alternatives=_alternatives(candidates, best, sample),
    )
    return _completed(found, data_format, mapping, roles, sample)


def detect(rows: Iterable[Row], data_format: DataFormat = "auto") -> Detected:
    """`understand` where nobody can be asked: a guess, or a format whose columns are not there, raises DataError."""
    sample = list(islice(rows, SAMPLE))
    detected = understand(sample, data_format)
    if detected.sureness == "unsure" or detected.missing:
        raise _unknown(sample[0], data_format)
    return detected


@dataclass(frozen=True)
class _Candidate:
    """A form that the columns may have."""

    shape: Shape
    columns: Mapping[str, str]
    """Part → column, for the parts of the shape that have one."""
    named: int
    """Rows that have every required column."""
    suited: int
    """Rows in which these columns also hold what they should."""

    @classmethod
    def of(cls, shape: Shape, sample: Sample, wanted: Mapping[str, str]) -> _Candidate:
        required = {part: wanted.get(part) or sample.column(names) for part, names in shape.required.items()}
        columns = {part: column for part, column in required.items() if column}
        if len(columns) < len(required):
            return cls(shape, columns, 0, 0)
        having = [row for row in sample.rows if all(column in row.values for column in columns.values())]
        suited = sum(all(sample.suits(row.values[c], shape, part) for part, c in columns.items()) for row in having)
        optional = {part: sample.column(names) for part, names in shape.optional.items()}
        taken = set(columns.values())
        also = {part: column for part, column in optional.items() if column and column not in taken}
        return cls(shape, {**columns, **also}, len(having), suited)


def _shapes(data_format: DataFormat, wanted: Mapping[str, str]) -> list[Shape]:
    """The shapes of the named format; of any, those whose format knows every part that a person assigned."""
    return [shape for shape in SHAPES if data_format in ("auto", shape.format) and wanted.keys() <= set(PARTS[shape.format])]


def _best(candidates: list[_Candidate], sample: Sample) -> _Candidate | None:
    """The first that suits nearly as many rows as any does; else the first whose columns are there."""
    for counted in ("suited", "named"):
        most = max((getattr(candidate, counted) for candidate in candidates), default=0)
        if most:
            return next(c for c in candidates if getattr(c, counted) >= 0.8 * most)
    return None
