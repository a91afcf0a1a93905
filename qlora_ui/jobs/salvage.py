"""A run whose `job.json` a power cut or a person has spoilt: what its other files still tell of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

import yaml
from pydantic import ValidationError

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import PARAMETERS
from qlora_ui.contract.parsing import parse_parameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord
from qlora_ui.jobs.workers.endings import last_events

_ID = re.compile(r"(\d{8}-\d{6})-(.+)-(?:[0-9a-f]{4}){1,2}")
_MOMENT = "%Y%m%d-%H%M%S"


def salvaged(paths: RunPaths) -> JobRecord | None:
    """The record as far as it can be told from the name of the folder, the parameters, the events and the end.

    A run that had begun counts as launched, and its worker, should it live, is found. One that had not waits for a
    person: nobody knows any more where it stood in the queue. None where the parameters are spoilt too.
    """
    kind, name = _kind_and_name(paths)
    if kind is None or (made := _ID.fullmatch(paths.id)) is None:
        return None
    try:
        moment = datetime.strptime(made[1], _MOMENT).replace(tzinfo=UTC)
    except ValueError:  # a name that only looks like one of ours
        return None
    _, started = last_events(paths)
    attempt = max(started.attempt if started is not None else 0, _ended_attempt(paths))
    state: Literal["launched", "held"] = "launched" if attempt else "held"
    return JobRecord(
        id=paths.id,
        kind=kind,
        name=name or made[2],
        created_at=moment,
        queued_at=moment,
        state=state,
        attempt=attempt,
        process=started.process if started is not None and started.attempt == attempt else None,
    )


def _kind_and_name(paths: RunPaths) -> tuple[JobKind | None, str]:
    """The kind whose settings these are: each kind refuses those of the others."""
    try:
        values = yaml.safe_load(paths.parameters.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None, ""
    for kind in PARAMETERS:
        try:
            return kind, parse_parameters(kind, values).name
        except (ParameterError, TypeError):
            continue
    return None, ""


def _ended_attempt(paths: RunPaths) -> int:
    try:
        return ExitRecord.model_validate_json(paths.exit.read_bytes()).attempt
    except (OSError, ValidationError):
        return 0
