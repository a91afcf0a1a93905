"""A person's settings as a file that can be kept, moved to another machine and taken in again.

It holds preferences only: no token, no webhook address, nothing of runs or data. What is read from a file is checked
field by field before any of it is applied.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from qlora_ui import __version__, locales
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.preferences import AccessibilityPreferences, NotificationPreferences, UserPreferences
from qlora_ui.contract.records import now
from qlora_ui.locales import mark

FORMAT = "qlora-ui settings"
VERSION = 1
MAX_BYTES = 64 * 1024
"""A hundred times what such a file needs."""
LONGEST_TEXT = 300
FILE_NAME = "qlora-ui-settings.json"

_NOT_TAKEN_ALONG: dict[str, Any] = {"dismissed": True, "notifications": {"seen_until"}}
"""What has been read, or was put away, is no setting."""


@dataclass(frozen=True)
class Change:
    """One setting that a file would change."""

    field: str
    """Its name in the file, with a dot before what is nested: `accessibility.high_contrast`."""
    before: bool | str
    after: bool | str


def export(preferences: UserPreferences) -> bytes:
    """The file's content: JSON with two keys that say what it is, one that says when, and the preferences."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"qlora-ui {__version__}",
        "written_at": now().isoformat(timespec="seconds"),
        "preferences": preferences.model_dump(mode="json", exclude=_NOT_TAKEN_ALONG),
    }
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def read(content: bytes | str) -> dict[str, Any]:
    """The preferences that a file sets, as `People.change` takes them; what it does not name stays as it is.

    Raises ParameterError, with the fields at fault, for a file that is none of ours, from a newer version or damaged.
    """
    preferences = _document(content).get("preferences")
    if not isinstance(preferences, dict):
        raise ParameterError("The file has no settings in it.", "Export them again where they come from.")
    try:
        checked = _FilePreferences.model_validate(preferences)
    except ValidationError as error:
        raise _at_fault({_path(problem["loc"]): _problem(problem) for problem in error.errors()}) from None
    given = checked.model_dump(exclude_unset=True)
    if problems := _unusable(given):
        raise _at_fault(problems)
    return given


def changes(preferences: UserPreferences, given: dict[str, Any]) -> list[Change]:
    """What these preferences would be changed to by what a file sets."""
    before, after = _flat(preferences.model_dump()), _flat(given)
    return [Change(field, before[field], value) for field, value in after.items() if before[field] != value]


def too_large() -> ParameterError:
    """What is said of a file that is not even read."""
    return ParameterError(f"The file is larger than {MAX_BYTES // 1024} KB, so it cannot be one of settings.")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _strict(model: type[BaseModel], *without: str, **nested: Any) -> type[BaseModel]:
    """The model with every field optional, nothing else allowed, and no value taken for another type's."""
    fields: dict[str, Any] = {
        name: (nested.get(name, info.annotation), None)
        for name, info in model.model_fields.items()
        if name not in without
    }
    return create_model(f"File{model.__name__}", __base__=_Strict, **fields)


def _document(content: bytes | str) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise too_large()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise ParameterError("The file is not JSON.", f"Choose one that was exported here: {FILE_NAME}.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ParameterError("The file holds no settings of qlora-ui.", f"Choose one such as {FILE_NAME}.")
    version = document.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ParameterError("The file does not say which version of the settings it holds.", "Export them again.")
    if version > VERSION:
        raise ParameterError(
            f"The file was written by a newer qlora-ui (version {version}; this one reads up to {VERSION}).",
            "Update qlora-ui, then import it again.",
        )
    return document


def _unusable(given: dict[str, Any]) -> dict[str, str]:
    """What has the right type and still cannot be used."""
    problems = {
        field: mark("it is too long, or has characters in it that cannot be shown")
        for field, value in _flat(given).items()
        if isinstance(value, str) and (len(value) > LONGEST_TEXT or not value.isprintable())
    }
    language = given.get("language", "")
    if language and language not in locales.languages():
        problems["language"] = mark("this language is not here")
    return problems


def _at_fault(fields: dict[str, str]) -> ParameterError:
    listed = "; ".join(f"{name}: {problem}" for name, problem in list(fields.items())[:5])
    return ParameterError(f"Nothing was imported. {listed}.", "Mend the file, or export it again.", fields)


def _problem(problem: Any) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return mark("there is no such setting")
        case "bool_type":
            return mark("it must be true or false")
        case "literal_error":
            return mark("it must be one of {choices}").format(choices=problem["ctx"]["expected"])
        case "string_type":
            return mark("it must be a text")
        case _:
            return mark("it must be a group of settings")


def _path(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:40] for part in place)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


_FilePreferences = _strict(
    UserPreferences,
    "dismissed",
    notifications=_strict(NotificationPreferences, "seen_until"),
    accessibility=_strict(AccessibilityPreferences),
)
