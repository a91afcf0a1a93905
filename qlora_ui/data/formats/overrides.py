"""What a person says of the columns and the speakers, which goes before what is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.formats.detected import ROLE_NAMES
from qlora_ui.data.formats.sample import Sample
from qlora_ui.data.formats.shapes import KEY_PARTS, NAMES, PARTS
from qlora_ui.data.formats.values import listed


def check_mapping(mapping: Mapping[str, str], data_format: DataFormat, sample: Sample) -> None:
    """Raise DataError for a part that the format does not have, and for a column that the data does not have."""
    if not formats_with(mapping, data_format):
        raise _no_such_part(mapping, data_format)
    for part, name in mapping.items():
        if not name:
            continue
        known = _keys(sample) if part in KEY_PARTS else sample.columns
        if name not in known:
            kind = "key of messages" if part in KEY_PARTS else "column"
            problem = f"The mapping names the {kind} {name} for {part}, but the data has none of that name."
            raise DataError(problem, _nearest(name, known), sample.rows[0].file)


def check_roles(roles: Mapping[str, str]) -> None:
    """Raise DataError for a role that there is not."""
    for speaker, role in roles.items():
        if role and role not in ROLE_NAMES:
            problem = f"The mapping gives the speaker {speaker} the role {role}, which there is not."
            raise DataError(problem, f"Roles are {listed(ROLE_NAMES)}.")


def formats_with(parts: Iterable[str], data_format: DataFormat) -> list[DataFormat]:
    """The formats, or the named one, that have all these parts."""
    formats = PARTS if data_format == "auto" else (data_format,)
    return [name for name in formats if set(parts) <= set(PARTS[name])]


def overridden(found: Mapping[str, str], mapping: Mapping[str, str]) -> dict[str, str]:
    """What was found with what a person says laid over it; a column taken so is given back by what else had it."""
    taken = set(mapping.values())
    kept = {part: column for part, column in found.items() if part not in mapping and column not in taken}
    return kept | {part: column for part, column in mapping.items() if column}


def _no_such_part(mapping: Mapping[str, str], data_format: DataFormat) -> DataError:
    if data_format == "auto":
        known = dict.fromkeys(part for parts in PARTS.values() for part in parts)
        problem = f"The mapping assigns {listed(mapping)}, which no format has together."
        return DataError(problem, f"Parts are {listed(known)}.")
    parts = PARTS[data_format]
    unknown = [part for part in mapping if part not in parts]
    problem = f"The mapping assigns {listed(unknown)}, which the format {NAMES[data_format]} does not have."
    return DataError(problem, f"Its parts are {listed(parts)}.")


def _keys(sample: Sample) -> list[str]:
    """Every key of an object that may be a message."""
    return list(dict.fromkeys(str(key) for message in sample.messages(sample.columns) for key in message))


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), [word.lower() for word in known], n=1)
    if close:
        return f"Did you mean {next(word for word in known if word.lower() == close[0])}?"
    return f"There are {listed(known)}." if known else "There are none."
