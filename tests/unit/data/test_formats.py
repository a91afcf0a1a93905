from __future__ import annotations

import json
from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import DataFormat
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.detect import detect, to_conversation
from qlora_ui.data.readers.files import Row

SYSTEM = Turn("system", "be brief")
ASK = Turn("user", "hi")
ANSWER = Turn("assistant", "ho", trained=True)
CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
SHARED = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}]


def rows(*values: dict[str, Any]) -> list[Row]:
    return [Row(number, value, number + 1, "train.csv") for number, value in enumerate(values, start=1)]


def convert(*values: dict[str, Any], data_format: DataFormat = "auto") -> tuple[str, list[list[Turn]]]:
    found = rows(*values)
    detected = detect(found, data_format)
    return detected.format, [list(to_conversation(row, detected).turns) for row in found]


@pytest.mark.parametrize(
    ("row", "data_format", "turns"),
    [
        ({"instruction": "hi", "output": "ho"}, "alpaca", [ASK, ANSWER]),
        ({"instruction": "hi", "input": "", "output": "ho", "system": "be brief"}, "alpaca", [SYSTEM, ASK, ANSWER]),
        ({"Instruction": "say", "Input": "x", "Output": "ho"}, "alpaca", [Turn("user", "say\n\nx"), ANSWER]),
        ({"instruction": "hi", "input": None, "output": "ho", "history": [["hi", "ho"]]}, "alpaca", [ASK, ANSWER] * 2),
        ({"instruction": "hi", "output": "ho", "history": '[["hi", "ho"]]'}, "alpaca", [ASK, ANSWER] * 2),
        ({"conversations": SHARED}, "sharegpt", [ASK, ANSWER]),
        ({"conversations": json.dumps(SHARED), "system": "be brief"}, "sharegpt", [SYSTEM, ASK, ANSWER]),
        ({"messages": CHAT}, "messages", [ASK, ANSWER]),
        ({"id": 1, "conversations": json.dumps(CHAT)}, "messages", [ASK, ANSWER]),
        ({"prompt": "hi", "completion": "ho"}, "prompt_completion", [ASK, ANSWER]),
        ({"prompt": CHAT[:1], "completion": CHAT[1:]}, "prompt_completion", [ASK, ANSWER]),
        ({"question": "hi", "answer": "ho", "source": "web"}, "question_answer", [ASK, ANSWER]),
        ({"question": "hi", "context": "c", "answer": "ho"}, "question_answer", [Turn("user", "c\n\nhi"), ANSWER]),
        ({"query": "hi", "response": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"input": "hi", "output": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"instruction": "hi", "response": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"q": "hi", "a": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"user": "hi", "assistant": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"source": "hi", "target": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"text": " hi\n"}, "text", [Turn("text", " hi\n", trained=True)]),
    ],
)
def test_formats_are_told_from_their_columns(row: dict[str, Any], data_format: str, turns: list[Turn]) -> None:
    assert convert(row) == (data_format, [turns])


def test_roles_of_many_names() -> None:
    turns = [
        {"from": "system", "value": "s"},
        {"from": "Human", "value": "a"},
        {"from": "function_call", "value": "{}"},
        {"from": "observation", "value": "b"},
        {"from": "tool", "value": "c"},
        {"from": "chatgpt", "value": "d"},
    ]
    _, [found] = convert({"conversations": turns})
    assert [(turn.role, turn.trained) for turn in found] == [
        ("system", False),
        ("user", False),
        ("assistant", True),
        ("tool", False),
        ("tool", False),
        ("assistant", True),
    ]


def test_content_in_parts_numbers_and_weights() -> None:
    parts = [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]
    turns = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": 5, "weight": 0},
        *CHAT,
    ]
    assert convert({"messages": turns})[1] == [[ASK, Turn("assistant", "5"), ASK, ANSWER]]


def test_given_messages_of_a_prompt_are_not_learnt() -> None:
    row = {"prompt": [*CHAT, {"role": "user", "content": "hi"}], "completion": CHAT[1:]}
    assert convert(row)[1] == [[ASK, Turn("assistant", "ho"), ASK, ANSWER]]


def test_columns_that_only_some_rows_have_are_used() -> None:
    found = convert({"instruction": "hi", "output": "ho"}, {"instruction": "say", "input": "x", "output": "ho"})
    assert found[1] == [[ASK, ANSWER], [Turn("user", "say\n\nx"), ANSWER]]


def test_what_was_seen_is_said_in_a_sentence() -> None:
    seen = detect(rows({"instruction": "a", "output": "b", "system": "c"}))
    assert seen.seen == "The columns instruction and output have the form of Alpaca. Also used: system."
    assert detect(rows({"text": "a"})).seen == "The column text has the form of plain text."


def test_a_named_format_reads_its_own_columns() -> None:
    both = {"prompt": "p", "completion": "c", "text": "t"}
    assert convert(both, data_format="text")[1] == [[Turn("text", "t", trained=True)]]
    with pytest.raises(DataError, match="do not fit the format Alpaca") as caught:
        convert(both, data_format="alpaca")
    assert "instruction and output" in caught.value.hint


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"foo": "x", "bar": "y"}, "the columns foo and bar fit no known format"),
        ({"messages": "no list"}, "the column"),
        ({"instruction": "", "output": "ho"}, "instruction is empty"),
        ({"instruction": "hi", "output": None}, "output is empty"),
        ({"instruction": "hi", "output": float("nan")}, "output is empty"),
        ({"instruction": "hi", "output": {"a": 1}}, "output must be text, but it is dict"),
        ({"instruction": "hi", "output": "ho", "history": [["one"]]}, "history must be a list of pairs"),
        ({"messages": [*CHAT, *CHAT[:1]]}, "the last turn is user, so there is no answer"),
        ({"messages": [CHAT[0], *CHAT]}, "turn 2 is user right after user"),
        ({"messages": [*CHAT, CHAT[1]]}, "turn 3 is assistant right after assistant"),
        ({"messages": CHAT[1:]}, "turn 1 is assistant at the start"),
        ({"messages": [*CHAT, {"role": "system", "content": "s"}]}, "turn 3 is system right after assistant"),
        ({"messages": CHAT[:1]}, "the last turn is user"),
        ({"messages": [{"role": "alien", "content": "x"}]}, "message 1 has the unknown role 'alien'"),
        ({"messages": [{"role": "user"}]}, "message 1 has no content; it has role"),
        ({"messages": [CHAT[0], "ho"]}, "message 2 must be an object"),
        ({"messages": [CHAT[0], {"role": "assistant", "content": " "}]}, "message 2 is empty"),
        ({"messages": [CHAT[0], {"role": "assistant", "content": None, "tool_calls": [1]}]}, "message 2 calls tools"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            r"message 1 holds a part .* \(image_url\)",
        ),
        ({"prompt": CHAT[:1], "completion": "ho"}, "prompt must be text, but it is list"),
    ],
)
def test_bad_rows_are_named_with_the_place(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=f"train.csv, line 2: .*{problem}") as caught:
        convert(row)
    assert caught.value.place == "train.csv, line 2"
    assert caught.value.hint


def test_mixed_formats_name_the_first_row_that_differs() -> None:
    same = [{"messages": CHAT}] * 11
    with pytest.raises(DataError) as caught:
        convert(*same, {"question": "q", "answer": "a"})
    assert caught.value.message == (
        "train.csv, line 13: row 12 has the columns question and answer, but the rows before it were read as messages, "
        "which needs messages."
    )


def test_no_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        detect([])


def test_fingerprints_tell_what_is_trained() -> None:
    one = Conversation((ASK, ANSWER), "a, line 1", 1)
    assert one.fingerprint == Conversation((ASK, ANSWER), "a, line 9", 9).fingerprint
    others = [
        Conversation((ASK, Turn("assistant", "ho"))),
        Conversation((Turn("user", "hi assistant True 2 ho"),)),
        Conversation((ASK, Turn("assistant", "ho ", trained=True))),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in others)}) == 4
