"""From what a person wrote (a YAML file, a form, `--set`) to checked parameters, with errors that name the place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import ConflictError, Knob, knobs
from qlora_ui.contract.parameters import PARAMETERS, JobParameters
from qlora_ui.contract.paths import RunPaths, is_starter
from qlora_ui.contract.records import JobKind, JobRecord

_READ = ("dataset_path", "validation_path", "adapter_path", "model_name")
"""The settings that name something to be read."""


def parse_parameters(kind: JobKind, values: dict[str, Any]) -> JobParameters:
    """Check values from a file, a form or a command line. Raises ParameterError, naming every bad field."""
    model = PARAMETERS[kind]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        known = knobs(model)
        fields = {_field_of(e): _explain(known, e) for e in error.errors()}
        listed = "; ".join(f"{name}: {problem}" if name else problem for name, problem in fields.items())
        end = "" if listed.endswith("?") else "."
        raise ParameterError(f"These settings cannot be used: {listed}{end}", fields=fields) from None


def _field_of(error: Any) -> str:
    """The field that is wrong, or that has to do with what is wrong with several; empty for none."""
    if error["loc"]:
        return str(error["loc"][0])
    conflict = error.get("ctx", {}).get("error")
    return conflict.field if isinstance(conflict, ConflictError) else ""


def _explain(known: dict[str, Knob], error: Any) -> str:
    name, given = _field_of(error), error.get("input")
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, known, n=1)
        return "there is no such setting" + (f"; did you mean {near[0]}?" if near else "")
    if error["type"] == "missing":
        return "it is missing"
    if name not in known or len(error["loc"]) != 1:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"][1:])
        if place:
            return f"{place.lstrip('.')}: {error['msg'][:1].lower()}{error['msg'][1:]}"
        return str(error["msg"]).removeprefix("Value error, ")
    return known[name].refusal(given)


def read_parameters(file: Path, kind: JobKind, changes: dict[str, Any] | None = None) -> JobParameters:
    """The parameters in a YAML file, with `changes` (`--set`) laid over them.

    A relative path inside the file is taken from the folder of the file where it exists there, so that a file and its
    data can be moved together. Raises ParameterError.
    """
    content = parse_yaml(_read(file), f"The file {file}")
    content = _with_paths(content, _READ, lambda value: _beside(file, value))
    return parse_parameters(kind, {**content, **(changes or {})})


def read_frozen_parameters(paths: RunPaths, record: JobRecord) -> JobParameters:
    """What a run was made with, where its home folder is now. Raises ParameterError."""
    content = parse_yaml(_read(paths.parameters), f"The file {paths.parameters}")
    return parse_parameters(record.kind, rebased(content, record.home, paths.folder.parents[1]))


def rebased(values: dict[str, Any], old_home: str, home: Path) -> dict[str, Any]:
    """The same values with every path below a home folder that was moved or renamed as it is called now.

    `old_home`: as it was called when the values were written down; empty when nobody knows.
    """
    old = old_home.rstrip("/\\")
    if not old or old == str(home) or old == (new := str(home.resolve())):
        return values

    def rebase(value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith(old):
            return value
        rest = value[len(old) :]
        return new + rest if not rest or rest[0] in "/\\" else value

    return _with_paths(values, (*_READ, "output_dir"), rebase)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"The file {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ParameterError(f"The file {file} is not UTF-8 text.") from None


def parse_yaml(text: str, source: str = "This text") -> dict[str, Any]:
    """The settings in a YAML text by name, not yet checked. Raises ParameterError, naming `source`, line and column."""
    content = parse_yaml_value(text, source)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ParameterError(f"{source} must hold lines of the form `setting: value`.")
    return {str(key): value for key, value in content.items()}


def parse_yaml_value(text: str, source: str) -> Any:
    """A list, a table or a scalar in YAML. Raises ParameterError, naming `source`, line and column."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # it is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ParameterError(f"{source} is not valid YAML{place}: {getattr(error, 'problem', error)}.") from None
    except ValueError as error:  # what looks like a date, and is none
        raise ParameterError(f"{source} is not valid YAML: {error}.", "Put a date or a time in quotes.") from None
    except RecursionError:
        raise ParameterError(f"{source} is nested too deeply.", "No setting needs more than a few levels.") from None


def key_lines(text: str) -> dict[str, int]:
    """The line, counted from 1, of every setting in a YAML text that `parse_yaml` takes."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {str(key.value): key.start_mark.line + 1 for key, _ in pairs}


class _Loader(yaml.SafeLoader):
    """Reads plain values, and takes no key twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            name, mark = str(key.value), key.start_mark
            if name in first:
                problem = f"{name} is set twice, first in line {first[name]}"
                raise yaml.constructor.ConstructorError(None, None, problem, mark)
            first[name] = mark.line + 1
        return super().construct_mapping(node, deep=deep)


def _with_paths(content: dict[str, Any], fields: Iterable[str], change: Callable[[Any], Any]) -> dict[str, Any]:
    """The values with every path in these fields, and of further data, changed."""
    changed = content | {field: change(content[field]) for field in fields if field in content}
    if isinstance(more := content.get("more_data"), list):
        changed["more_data"] = [
            source | {"path": change(source["path"])} if isinstance(source, dict) and "path" in source else source
            for source in more
        ]
    return changed


def _beside(file: Path, value: Any) -> Any:
    if not isinstance(value, str) or not value or Path(value).is_absolute() or is_starter(value):
        return value
    beside = file.resolve().parent / value
    return str(beside) if beside.exists() else value


def dump_parameters(parameters: JobParameters) -> str:
    """YAML from which `read_parameters` makes the same parameters again."""
    return yaml.safe_dump(parameters.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
