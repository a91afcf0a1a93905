"""Rows made in a test, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.detect import to_conversation, understand
from qlora_ui.data.readers.rows import Row

SYSTEM = Turn("system", "be brief")
ASK = Turn("user", "hi")
ANSWER = Turn("assistant", "ho", trained=True)
GIVEN = Turn("assistant", "ho")
CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
SHARED = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]


def rows(*values: dict[str, Any]) -> list[Row]:
    return [Row(number, value, number + 1, "train.csv") for number, value in enumerate(values, start=1)]


def read(
    *values: dict[str, Any],
    data_format: DataFormat = "auto",
    mapping: Mapping[str, str] | None = None,
    roles: Mapping[str, str] | None = None,
) -> list[Conversation]:
    """Every row as a conversation."""
    made = rows(*values)
    detected = understand(made, data_format, mapping or {}, roles or {})
    return [to_conversation(row, detected) for row in made]


def turns(value: dict[str, Any]) -> list[Turn]:
    """The turns of the only row."""
    return list(read(value)[0].turns)
