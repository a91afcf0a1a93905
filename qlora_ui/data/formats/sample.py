"""The first rows, asked what their columns are called and hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qlora_ui.data.formats.shapes import CONTENT_KEYS, ROLE_KEYS, Kind, Names, Shape
from qlora_ui.data.formats.values import is_missing, label_of, text_of, unpacked
from qlora_ui.data.readers.rows import Row

SAMPLE = 100
"""How many rows are looked at to tell the format."""

_MOSTLY = 0.8

_NO_PROSE = {"id", "uuid", "url", "link", "date", "time", "timestamp", "lang", "language", "source", "index", "split"}
"""Columns that are never taken for a question, an answer or a text unless a person says so."""


@dataclass(frozen=True)
class Sample:
    """At most the first 100 rows."""

    rows: list[Row]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Of all rows, in their order."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.values))

    @cached_property
    def _named(self) -> dict[str, str]:
        return {str(name).strip().lower(): name for name in reversed(self.columns)}

    def column(self, names: Names) -> str:
        """The column with the first of these names, capitals and spaces around it aside; empty for none."""
        return next((self._named[name] for name in names if name in self._named), "")

    def values(self, column: str) -> list[Any]:
        """What the rows hold in a column, without the empty ones."""
        found = (row.values.get(column) for row in self.rows)
        return [value for value in found if not is_missing(value)]

    def suits(self, row: Row, shape: Shape, part: str, column: str) -> bool:
        """Whether what a row holds in a column can be what the shape wants there."""
        by_name_alone = str(column).strip().lower() == "kto_tag"  # nothing else is called so, whatever it holds
        return by_name_alone or self._has(row, column, shape.kind(part), shape.role_key)

    def is_mostly(self, column: str, kind: Kind) -> bool:
        """Whether most values that there are have the kind."""
        rows = [row for row in self.rows if not is_missing(row.values.get(column))]
        return bool(rows) and sum(self._has(row, column, kind) for row in rows) >= _MOSTLY * len(rows)

    @cached_property
    def texts(self) -> list[str]:
        """Columns of text, those with the longest texts first; of equally long ones the last."""
        lengths = {column: self._length(column) for column in reversed(self.columns) if self._is_prose(column)}
        return sorted(lengths, key=lambda column: -lengths[column])

    @cached_property
    def chats(self) -> list[str]:
        """Columns that hold lists of objects with two texts at least."""
        return [column for column in self.columns if self.is_mostly(column, "chat") and self.keys_of([column])]

    def messages(self, columns: Iterable[str]) -> list[dict[str, Any]]:
        """Every message in these columns."""
        lists = (self._messages(row, column) for column in columns for row in self.rows)
        return [message for found in lists for message in found if isinstance(message, dict)]

    def keys_of(self, columns: Iterable[str]) -> tuple[str, str] | None:
        """The keys under which messages name their speaker and hold their text, by name or else by what they hold."""
        messages = self.messages(columns)
        counts = Counter(key for message in messages for key in message if isinstance(key, str))
        common = [key for key, count in counts.items() if count >= len(messages) / 2]
        role = next((key for key in ROLE_KEYS if key in common), "")
        content = next((key for key in CONTENT_KEYS if key in common and key != role), "")
        if role and content:
            return role, content
        held = {key: [m[key] for m in messages if isinstance(m.get(key), str)] for key in common if key != role}
        texts = [key for key in held if held[key]]
        content = content or max(reversed(texts), key=lambda key: sum(map(len, held[key])), default="")
        others = [key for key in texts if key != content]
        role = role or min(others, key=lambda key: len(set(held[key])), default="")
        return (role, content) if role and content else None

    def _is_prose(self, column: str) -> bool:
        name = str(column).strip().lower()
        if name in _NO_PROSE or name.endswith(("_id", "_url", "_at")):
            return False
        values = self.values(column)
        return bool(values) and sum(isinstance(value, str) for value in values) >= _MOSTLY * len(values)

    def _length(self, column: str) -> float:
        values = [value for value in self.values(column) if isinstance(value, str)]
        return sum(map(len, values)) / max(1, len(values))

    def _has(self, row: Row, column: str, kind: Kind, role_key: str = "") -> bool:
        value = row.values[column]
        if kind == "text":
            return text_of(value) is not None
        if kind == "label":
            return label_of(value) is not None
        if kind == "answers":
            answers = self._opened(row, column)
            return isinstance(answers, list) and len(answers) > 1 and all(isinstance(text, str) for text in answers)
        first = next(iter(self._messages(row, column)), None)
        if isinstance(first, dict) and (role_key in first or not role_key):
            return True
        return kind == "side" and text_of(value) is not None

    def _messages(self, row: Row, column: str) -> list[Any]:
        """A list of messages, or a single one; empty for anything else."""
        found = self._opened(row, column)
        return found if isinstance(found, list) else [found] if isinstance(found, dict) else []

    def _opened(self, row: Row, column: str) -> Any:
        """The value, a list or an object also where it is JSON text, which may be long and is read once."""
        key = id(row), column
        if key not in self._read:
            self._read[key] = unpacked(row.values.get(column))
        return self._read[key]

    @cached_property
    def _read(self) -> dict[tuple[int, str], Any]:
        return {}
