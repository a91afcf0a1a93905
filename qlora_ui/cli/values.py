"""`--set key=value`: what a person types, as values."""

from __future__ import annotations

from typing import Any

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import knobs
from qlora_ui.contract.parameters import PARAMETERS
from qlora_ui.contract.parsing import parse_yaml_value
from qlora_ui.contract.records import JobKind


def assignments(changes: list[str], kind: JobKind) -> dict[str, Any]:
    """`key=value` pairs, the values read as YAML (so `3`, `2e-4`, `true` and `null` mean what they look like).

    Raises ParameterError.
    """
    known = knobs(PARAMETERS[kind])
    values: dict[str, Any] = {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals or not key.strip():
            raise ParameterError(f"--set {change} cannot be read.", "Write it as --set key=value.")
        name = key.strip()
        is_structure = name in known and known[name].kind == "structure"
        values[name] = parse_yaml_value(value, f"--set {name}") if is_structure else scalar(value)
    return values


def scalar(text: str) -> Any:
    """A value as a person types it. YAML takes `2e-4` for text, so numbers are tried first."""
    import yaml

    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    try:
        return yaml.safe_load(text) if text.strip() in {"true", "false", "null", ""} else text
    except yaml.YAMLError:
        return text
