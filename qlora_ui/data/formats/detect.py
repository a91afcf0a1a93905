"""Which format rows are in, told from their columns; and each row as a conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.formats.conversion import CONVERTERS, parse_turns
from qlora_ui.data.places import data_error
from qlora_ui.data.readers.files import Row

SAMPLE = 100
"""How many rows are looked at to tell the format."""


@dataclass(frozen=True)
class Detected:
    """The format of a file and which of its columns plays which part."""

    format: DataFormat
    """Never `auto`."""
    mapping: Mapping[str, str] = field(default_factory=dict)
    """Part (`instruction`, `answer`, `turns` …) → the column's name in the file."""
    seen: str = ""
    """One sentence: which columns spoke for this format."""


@dataclass(frozen=True)
class _Shape:
    """Columns by which a format is known: each part with the names it may have, the first one found being taken."""

    format: DataFormat
    required: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_CHATS = ("messages", "conversations", "conversation", "chat", "dialogue")
_SYSTEM = {"system": ("system", "system_prompt")}
_CONTEXT = {"input": ("context",), **_SYSTEM}
_PAIRS = (
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("instruction", "response"),
    ("instruction", "answer"),
    ("prompt", "response"),
    ("prompt", "answer"),
    ("input", "output"),
    ("input", "target"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("q", "a"),
    ("source", "target"),
)

_SHAPES = (
    _Shape("messages", {"turns": _CHATS}, _SYSTEM),
    _Shape("sharegpt", {"turns": _CHATS}, _SYSTEM),
    _Shape("prompt_completion", {"prompt": ("prompt",), "completion": ("completion",)}, _SYSTEM),
    _Shape(
        "alpaca",
        {"instruction": ("instruction",), "output": ("output",)},
        {"input": ("input", "context"), "history": ("history",), **_SYSTEM},
    ),
    *(_Shape("question_answer", {"question": (ask,), "answer": (answer,)}, _CONTEXT) for ask, answer in _PAIRS),
    _Shape("text", {"text": ("text", "content", "document")}),
)

_NAMES: dict[str, str] = {
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
    "messages": "messages",
    "prompt_completion": "prompt and completion",
    "question_answer": "question and answer",
    "text": "plain text",
}


def detect(rows: Iterable[Row], data_format: DataFormat = "auto") -> Detected:
    """Tell the format from the first rows (the first 100 are enough).

    The first row decides; the others add the columns that not every row has, such as `input` or `system`. A format
    that is named is not looked for, only its columns are. Raises DataError when no format fits, naming the columns.
    """
    sample = [row for _, row in zip(range(SAMPLE), rows, strict=False)]
    if not sample:
        raise DataError("There are no rows.", "Add at least one example.")
    first = sample[0]
    shapes = [shape for shape in _SHAPES if data_format in ("auto", shape.format)]
    shape = next((shape for shape in shapes if _fits(shape, first)), None)
    if shape is None:
        raise _unknown(first, data_format)
    required = _columns(shape.required, first.values)
    optional = _columns(shape.optional, {name: None for row in sample for name in row.values})
    optional = {part: name for part, name in optional.items() if name not in required.values()}
    return Detected(
        shape.format, {**required, **optional}, _seen(shape.format, list(required.values()), optional.values())
    )


def _seen(data_format: DataFormat, required: list[str], optional: Iterable[str]) -> str:
    columns, also, name = _and(required), ", ".join(optional), _NAMES[data_format]
    one, several = f"The column {columns} has the form of {name}.", f"The columns {columns} have the form of {name}."
    return " ".join([several if len(required) > 1 else one, *[f"Also used: {also}."] * bool(also)])


def to_conversation(row: Row, detected: Detected) -> Conversation:
    """The row as turns. Raises DataError with the row's place when its columns or values do not suit the format."""
    shape = next(shape for shape in _SHAPES if shape.format == detected.format)
    missing = [detected.mapping[part] for part in shape.required if detected.mapping[part] not in row.values]
    if missing:
        raise data_error(
            row.place,
            f"row {row.number} has the columns {_and(row.values)}, but the rows before it were read as "
            f"{_NAMES[detected.format]}, which needs {_and(missing)}.",
            "Put rows of different formats in different files.",
        )
    values = {part: row.values.get(name) for part, name in detected.mapping.items()}
    turns = CONVERTERS[detected.format](values, row.place)
    return Conversation(tuple(turns), row.place, row.number)


def _fits(shape: _Shape, row: Row) -> bool:
    columns = _columns(shape.required, row.values)
    if len(columns) < len(shape.required):
        return False
    if shape.format not in ("messages", "sharegpt"):
        return True
    turns = parse_turns(row.values[columns["turns"]])
    key = "role" if shape.format == "messages" else "from"
    return bool(turns) and isinstance(turns, list) and isinstance(turns[0], dict) and key in turns[0]


def _columns(parts: Mapping[str, tuple[str, ...]], values: Mapping[str, Any]) -> dict[str, str]:
    """Part → column, for the parts that have one; capitals and spaces around a name do not count."""
    names = {name.strip().lower(): name for name in reversed(list(values))}
    found = ((part, next((names[n] for n in known if n in names), None)) for part, known in parts.items())
    return {part: name for part, name in found if name is not None}


def _unknown(row: Row, data_format: DataFormat) -> DataError:
    if data_format == "auto":
        wanted = "messages; conversations; prompt and completion; instruction and output; question and answer; text"
        problem = f"the columns {_and(row.values)} fit no known format."
    else:
        shapes = [shape for shape in _SHAPES if shape.format == data_format]
        wanted = "; ".join(" and ".join(names[0] for names in s.required.values()) for s in shapes)
        problem = f"the columns {_and(row.values)} do not fit the format {_NAMES[data_format]}."
    return data_error(row.place, problem, f"Looked for: {wanted}. Rename the columns, or choose another format.")


def _and(names: Iterable[str]) -> str:
    *most, last = (str(name) for name in names)
    return f"{', '.join(most)} and {last}" if most else last
