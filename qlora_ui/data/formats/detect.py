"""Which format rows are in, told from the names of their columns and from the kinds of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import MappingProxyType

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.formats.detected import Detected, Sureness, to_conversation
from qlora_ui.data.formats.guess import guessed, unknown
from qlora_ui.data.formats.overrides import check_mapping, check_roles, overridden
from qlora_ui.data.formats.sample import SAMPLE, Sample
from qlora_ui.data.formats.shapes import NAMES, PARTS, SHAPES, Shape
from qlora_ui.data.formats.speakers import with_speakers
from qlora_ui.data.formats.values import listed
from qlora_ui.data.readers.rows import Row

__all__ = ["SAMPLE", "Detected", "detect", "doubt", "to_conversation", "understand"]

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
    best = _best(candidates)
    if best is None:
        found = guessed(sample, data_format, wanted)
    else:
        found = Detected(
            best.shape.format,
            best.columns,
            sureness=_sureness(best, sample),
            seen=_seen(best, wanted),
            alternatives=_alternatives(candidates, best, sample),
        )
    found = replace(found, mapping=overridden(found.mapping, mapping), columns=sample.columns)
    is_named = data_format != "auto" and found.sureness != "unsure"
    is_chosen = is_named or all(part in wanted for part in found.required)
    found = with_speakers(found, sample, mapping, roles)
    return replace(found, sureness="chosen") if is_chosen else found


def detect(
    rows: Iterable[Row],
    data_format: DataFormat = "auto",
    mapping: Mapping[str, str] = _NONE,
    roles: Mapping[str, str] = _NONE,
) -> Detected:
    """`understand` where nobody can be asked: a guess, or a format whose columns are not there, raises DataError."""
    sample = list(islice(rows, SAMPLE))
    detected = understand(sample, data_format, mapping, roles)
    if problem := doubt(detected, sample, data_format):
        raise problem
    return detected


def doubt(detected: Detected, rows: Sequence[Row], data_format: DataFormat) -> DataError | None:
    """What a person has to be asked before rows that are read so are trained; None for nothing."""
    return unknown(Sample(list(rows)), data_format) if detected.sureness == "unsure" or detected.missing else None


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
        suited = sum(all(sample.suits(row, shape, part, c) for part, c in columns.items()) for row in having)
        optional = {part: sample.column(names) for part, names in shape.optional.items()}
        taken = set(columns.values())
        also = {part: column for part, column in optional.items() if column and column not in taken}
        return cls(shape, {**columns, **also}, len(having), suited)


def _shapes(data_format: DataFormat, wanted: Mapping[str, str]) -> list[Shape]:
    """The shapes of the named format; of any, those whose format knows every part that a person assigned."""
    return [
        shape for shape in SHAPES if data_format in ("auto", shape.format) and wanted.keys() <= set(PARTS[shape.format])
    ]


def _best(candidates: list[_Candidate]) -> _Candidate | None:
    """The first that suits nearly as many rows as any does; else the first whose columns are there."""
    most = max((candidate.suited for candidate in candidates), default=0)
    if most:
        return next(candidate for candidate in candidates if candidate.suited >= 0.8 * most)
    most = max((candidate.named for candidate in candidates), default=0)
    return next((c for c in candidates if most and c.named >= 0.8 * most and not c.shape.ranked), None)


def _sureness(best: _Candidate, sample: Sample) -> Sureness:
    if not best.shape.documented or not best.suited:
        return "likely"
    label = best.columns.get("label", "")
    if label.strip().lower() == "label" and any(
        isinstance(value, int | float) and not isinstance(value, bool) for value in sample.values(label)
    ):
        return "likely"  # 0 and 1 under this name may be classes of anything
    return "certain"


def _alternatives(candidates: list[_Candidate], best: _Candidate, sample: Sample) -> tuple[DataFormat, ...]:
    """Other formats that suit most rows; without loose readings of the very columns that are used already."""
    used = set(best.columns.values())
    formats = (
        candidate.shape.format
        for candidate in candidates
        if candidate.suited >= 0.8 * len(sample.rows)
        and (candidate.shape.documented or not set(candidate.columns.values()) <= used)
    )
    return tuple(dict.fromkeys(name for name in formats if name != best.shape.format))


def _seen(best: _Candidate, wanted: Mapping[str, str]) -> str:
    """Which columns spoke for the format."""
    required = {column: None for part, column in best.columns.items() if part in best.shape.required}
    also = [column for part, column in best.columns.items() if part not in best.shape.required and part not in wanted]
    columns, name = listed(required), NAMES[best.shape.format]
    if not best.suited:
        return f"By the name of its columns ({columns}) this is {name}, but their values have another form."
    one, several = f"The column {columns} has the form of {name}.", f"The columns {columns} have the form of {name}."
    used = f"Also used: {', '.join(also)}."
    return " ".join([several if len(required) > 1 else one, *[used] * bool(also)])
