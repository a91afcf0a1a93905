"""Whatever JSON the columns hold, a row becomes a conversation or is refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.formats.detect import to_conversation, understand
from qlora_ui.data.formats.requirements import require_trainable
from qlora_ui.data.formats.shapes import PARTS, SHAPES
from tests.unit.data.formats.reading import CHAT, SHARED, rows
from tests.unit.data.formats.reading import read as convert

COLUMNS = sorted({name for shape in SHAPES for names in shape.required.values() for name in names})
KEYS = ["role", "content", "from", "value", "tool_calls", "function", "name", "arguments", "type", "text", "weight"]
WORDS = ["user", "assistant", "gpt", "function_call", "tool", "text", "[", '{"name": "f", "arguments": "{"}', "true"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=12,
)
chats = st.lists(st.sampled_from([*CHAT, *SHARED]) | values, max_size=4)
cells = st.dictionaries(st.sampled_from([*COLUMNS, "system", "tools", "history", "input"]), values | chats, max_size=5)


def read(found: list[dict[str, Any]], data_format: DataFormat) -> None:
    made = rows(*found)
    try:
        detected = understand(made, data_format)
    except DataError as error:
        assert error.message.endswith(".")
        return
    assert detected.view().format == detected.format
    for row in made:
        try:
            conversation = to_conversation(row, detected)
            assert isinstance(conversation, Conversation)
            assert conversation.turns
            assert conversation.messages and conversation.fingerprint
            require_trainable(conversation)
        except DataError as error:
            assert error.message.startswith(row.place)
            assert error.hint


@given(st.lists(cells, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_values_in_any_columns(found: list[dict[str, Any]]) -> None:
    read(found, "auto")


@pytest.mark.parametrize("data_format", list(PARTS))
@given(found=st.lists(cells, min_size=1, max_size=2))
@settings(max_examples=40, deadline=None)
def test_any_values_in_a_named_format(data_format: DataFormat, found: list[dict[str, Any]]) -> None:
    read(found, data_format)


def test_an_object_too_deep_to_be_written_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"deeper": deep}
    with pytest.raises(DataError, match="the content of message 1 in the column messages must be text"):
        convert({"messages": [{"role": "tool", "content": deep}]})
    while deep:  # taken apart from the outside, for freeing it all at once would go as deep
        deep = deep["deeper"]


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({"messages": "[" * 100_000}, "the column messages must be a list of messages, but it is text"),
        ({"messages": CHAT, "tools": "[" * 100_000}, "the column tools must be a list of tools"),
        ({"instruction": 10**5000, "output": "ho"}, "the column instruction must be text, but it is a number"),
    ],
    ids=["deep text", "deep tools", "huge number"],
)
def test_values_beyond_what_can_be_parsed_are_refused(found: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        convert(found)
