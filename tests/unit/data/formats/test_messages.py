from __future__ import annotations

import json
from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Turn
from tests.unit.data.formats.reading import ANSWER, ASK, CHAT, GIVEN, SYSTEM, read, turns

CALL = {"type": "function", "id": "1", "function": {"name": "f", "arguments": {"x": 1}}}
CALLS = '[{"name": "f", "arguments": {"x": 1}}]'
SCHEMA = {"name": "f", "description": "adds", "parameters": {"type": "object"}}
WRAPPED = json.dumps([{"type": "function", "function": SCHEMA}])


def assistant(**message: Any) -> dict[str, Any]:
    return {"role": "assistant", **message}


def test_roles_of_many_names() -> None:
    names = ["system", "Human ", "function_call", "observation", "tool", "chatgpt"]
    found = turns({"conversations": [{"from": name, "value": "x"} for name in names]})
    assert [(turn.role, turn.trained) for turn in found] == [
        ("system", False),
        ("user", False),
        ("assistant", True),
        ("tool", False),
        ("tool", False),
        ("assistant", True),
    ]


@pytest.mark.parametrize(
    ("message", "turn"),
    [
        (assistant(content=[{"type": "text", "text": "h"}, {"type": "text", "text": "o"}]), ANSWER),
        (assistant(content=["h", {"text": "o", "image_url": None}]), ANSWER),
        (assistant(content=[{"type": "refusal", "refusal": "ho"}]), ANSWER),
        (assistant(content=5), Turn("assistant", "5", True)),
        (assistant(content=5, weight=0), Turn("assistant", "5")),
        (assistant(content="ho", weight=None), ANSWER),
        (assistant(content=None), Turn("assistant", "", True)),
        (assistant(content="ho", tool_calls=None, function_call=None), ANSWER),
        (assistant(content="ho", tool_calls="[]"), ANSWER),
        (
            assistant(tool_calls={}, function_call='{"name": "f", "arguments": {"x": 1}}'),
            Turn("assistant", "", True, CALLS),
        ),
        (assistant(content="ho", reasoning_content="hm\n"), Turn("assistant", "<think>\nhm\n</think>\n\nho", True)),
        (assistant(content=None, tool_calls=[CALL]), Turn("assistant", "", True, CALLS)),
        (assistant(tool_calls=[CALL]), Turn("assistant", "", True, CALLS)),
        (assistant(content="so", tool_calls=[CALL]), Turn("assistant", "so", True, CALLS)),
        (assistant(tool_calls=[{"name": "f", "arguments": '{"x": 1}'}]), Turn("assistant", "", True, CALLS)),
        (assistant(tool_calls=json.dumps([CALL])), Turn("assistant", "", True, CALLS)),
        (assistant(function_call={"name": "f", "arguments": '{"x": 1}'}), Turn("assistant", "", True, CALLS)),
        (
            assistant(tool_calls=[{"function": {"name": "f", "arguments": "{broken"}}]),
            Turn("assistant", "", True, '[{"name": "f", "arguments": "{broken"}]'),
        ),
        (assistant(tool_calls=[{"name": "f"}]), Turn("assistant", "", True, '[{"name": "f", "arguments": {}}]')),
    ],
)
def test_the_ways_to_write_an_assistant(message: dict[str, Any], turn: Turn) -> None:
    assert turns({"messages": [CHAT[0], message]}) == [ASK, turn]


def test_what_a_tool_gives_back_may_be_an_object() -> None:
    results = [
        {"role": "tool", "content": {"ü": 1}},
        {"role": "tool", "content": [1, 2]},
        {"role": "tool", "content": ""},
    ]
    found = turns({"messages": [CHAT[0], assistant(tool_calls=[CALL]), *results, CHAT[1]]})
    assert [turn.content for turn in found[2:5]] == ['{"ü": 1}', "[1, 2]", ""]


def test_results_of_parallel_calls_stand_in_the_order_of_the_calls() -> None:
    calls = [{**CALL, "id": name} for name in "abc"]
    results = [{"role": "tool", "tool_call_id": name, "content": name} for name in "cab"]
    found = turns({"messages": [CHAT[0], assistant(tool_calls=calls), *results, CHAT[1]]})
    assert [turn.content for turn in found[2:5]] == ["a", "b", "c"]
    found = turns({"messages": [CHAT[0], assistant(tool_calls=json.dumps(calls)), *results, CHAT[1]]})
    assert [turn.content for turn in found[2:5]] == ["a", "b", "c"]
    unknown = [{**result, "tool_call_id": "z"} for result in results]
    found = turns({"messages": [CHAT[0], assistant(tool_calls=calls), *unknown, CHAT[1]]})
    assert [turn.content for turn in found[2:5]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("content", "turn"),
    [
        ('{"name": "f", "arguments": {"x": 1}}', Turn("assistant", "", True, CALLS)),
        ('[{"name": "f", "arguments": "{\\"x\\": 1}"}]', Turn("assistant", "", True, CALLS)),
        ({"name": "f", "arguments": {"x": 1}}, Turn("assistant", "", True, CALLS)),
        ("f(x=1)", Turn("assistant", "f(x=1)", True)),
        (
            '{"name": "f", "arguments": {}, "why": "so"}',
            Turn("assistant", '{"name": "f", "arguments": {}, "why": "so"}', True),
        ),
    ],
)
def test_function_calls_as_the_content_of_a_turn(content: Any, turn: Turn) -> None:
    said = [{"from": "human", "value": "hi"}, {"from": "function_call", "value": content}]
    assert turns({"conversations": said}) == [ASK, turn]


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([SCHEMA], WRAPPED),
        (json.dumps([SCHEMA]), WRAPPED),
        (WRAPPED, WRAPPED),
        (json.loads(WRAPPED), WRAPPED),
        (SCHEMA, WRAPPED),
        ("[]", ""),
        (" ", ""),
        (None, ""),
    ],
)
def test_tools_are_offered_as_templates_want_them(tools: Any, expected: str) -> None:
    assert read({"messages": CHAT, "tools": tools})[0].tools == expected


def test_a_system_column_that_repeats_the_system_turn_is_not_doubled() -> None:
    said = [{"role": "system", "content": "be brief"}, *CHAT]
    assert turns({"messages": said, "system": "be brief"}) == [SYSTEM, ASK, ANSWER]
    assert turns({"messages": said, "system": "other"})[:2] == [Turn("system", "other"), SYSTEM]


def test_given_messages_of_a_prompt_are_not_learnt() -> None:
    row = {"prompt": [*CHAT, {"role": "user", "content": "hi"}], "completion": CHAT[1:]}
    assert turns(row) == [ASK, GIVEN, ASK, ANSWER]


def test_text_that_is_json_stays_text() -> None:
    assert turns({"prompt": '[{"a": 1}', "completion": '[{"b": 2}]'}) == [
        Turn("user", '[{"a": 1}'),
        Turn("assistant", '[{"b": 2}]', True),
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"messages": "no list"}, "the column messages must be a list of messages, but it is text."),
        ({"messages": None}, "the column messages must be a list of messages, but it is nothing."),
        ({"messages": []}, "the column messages must be a list of messages, but it is an empty list."),
        ({"messages": 5}, "the column messages must be a list of messages, but it is a number."),
        ({"messages": [CHAT[0], "ho"]}, "message 2 in the column messages must be an object, but it is text."),
        (
            {"messages": [{"role": "alien", "content": "x"}]},
            "message 1 in the column messages has the unknown role 'alien'.",
        ),
        (
            {"messages": [{"role": ["user"], "content": "x"}]},
            "the role of message 1 in the column messages must be text, but",
        ),
        ({"messages": [{"role": "user"}]}, "message 1 in the column messages has no content; it has role."),
        ({"messages": [*CHAT, {"content": "x"}]}, "message 3 in the column messages has no role; it has content."),
        ({"messages": [*CHAT, {}]}, "message 3 in the column messages has no role; it has nothing."),
        (
            {"messages": [{"role": "user", "content": {"a": 1}}]},
            "the content of message 1 in the column messages must be text",
        ),
        (
            {"messages": [CHAT[0], assistant(tool_calls=[1])]},
            "message 2 in the column messages has tool_calls that are no",
        ),
        (
            {"messages": [CHAT[0], assistant(tool_calls="x")]},
            "message 2 in the column messages has tool_calls that are no",
        ),
        (
            {"messages": [{"role": "user", "content": "", "tool_calls": [CALL]}]},
            "calls tools, but its role is user, not assistant.",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "message 1 in the column messages holds a part of the kind image_url, but only text can be trained.",
        ),
        ({"messages": [{"role": "user", "content": [7]}]}, "holds a part of the kind a number, but only text can be"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "holds a part whose text must be text, but it is",
        ),
        (
            {"messages": CHAT, "tools": "nonsense"},
            "the column tools must be a list of tools, each an object with a name.",
        ),
        (
            {"messages": CHAT, "tools": [{"a": 1}]},
            "the column tools must be a list of tools, each an object with a name.",
        ),
        ({"messages": CHAT, "system": ["x"]}, "the column system must be text, but it is a list."),
        ({"instruction": "hi", "output": {"a": 1}}, "the column output must be text, but it is an object."),
        ({"instruction": True, "output": "ho"}, "the column instruction must be text, but it is true or false."),
        ({"instruction": "hi", "output": b"ho"}, "the column output must be text, but it is raw bytes."),
        ({"instruction": "hi", "output": "ho", "history": [["one"]]}, "the column history must be a list of pairs."),
        (
            {"instruction": "hi", "output": "ho", "history": [["a", []]]},
            "the column history must be a list of pairs of texts",
        ),
        ({"text": {"a": 1}}, "the column text must be text, but it is an object."),
        (
            {"prompt": [], "completion": "ho"},
            "the column prompt must be text or a list of messages, but it is an empty list.",
        ),
    ],
)
def test_bad_rows_are_named_with_place_and_column(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError) as caught:
        read(row)
    assert caught.value.message.startswith("train.csv, line 2: ")
    assert problem in caught.value.message
    assert caught.value.message.endswith(".")
    assert caught.value.place == "train.csv, line 2"
    assert caught.value.hint


def test_an_unknown_role_points_to_the_mapping() -> None:
    with pytest.raises(DataError) as caught:
        read({"messages": [{"role": "alien", "content": "x"}]})
    assert caught.value.hint.startswith("Assign it a role in the mapping")
