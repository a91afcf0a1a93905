from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.formats.requirements import order_problem, require_trainable
from tests.unit.data.formats.reading import ANSWER, ASK, CHAT, GIVEN, SYSTEM, read

TOOL = Turn("tool", "7")
CALL = Turn("assistant", "", True, '[{"name": "f", "arguments": {}}]')
EMPTY = Turn("assistant", " \n", True)


@pytest.mark.parametrize(
    "turns",
    [
        [ASK, ANSWER],
        [SYSTEM, ASK, ANSWER, ASK, ANSWER],
        [Turn("system", ""), ASK, ANSWER],
        [ASK, GIVEN],
        [ASK, CALL],
        [ASK, CALL, TOOL, ANSWER],
        [ASK, CALL, TOOL, Turn("tool", ""), ANSWER],
        [ASK, CALL, TOOL, CALL, TOOL, ANSWER, ASK, ANSWER],
        [Turn("text", "t", True)],
    ],
)
def test_conversations_that_can_be_trained(turns: list[Turn]) -> None:
    conversation = Conversation(tuple(turns), "train.csv, line 2")
    require_trainable(conversation)
    assert order_problem(conversation) == ""


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([], "there are no turns."),
        ([ASK], "the last turn is user, so there is no answer to learn."),
        ([ASK, ANSWER, ASK], "the last turn is user, so there is no answer to learn."),
        ([ASK, CALL, TOOL], "the last turn is tool, so there is no answer to learn."),
        ([SYSTEM], "the last turn is system, so there is no answer to learn."),
        ([ASK, ASK, ANSWER], "turn 2 is user right after user, where assistant was expected."),
        ([ASK, ANSWER, ANSWER], "turn 3 is assistant right after assistant, where user or tool was expected."),
        ([ANSWER, ASK, ANSWER], "turn 1 is assistant at the start, where user or system was expected."),
        ([SYSTEM, ANSWER], "turn 2 is assistant right after system, where user was expected."),
        ([ASK, ANSWER, SYSTEM], "turn 3 is system, which may only stand at the start."),
        ([SYSTEM, SYSTEM, ASK, ANSWER], "turn 2 is system, which may only stand at the start."),
        ([ASK, TOOL, ANSWER], "turn 2 is the result of a tool, but no assistant turn right before it calls one."),
        ([TOOL, ANSWER], "turn 1 is the result of a tool, but no assistant turn right before it calls one."),
        ([ASK, CALL, TOOL, ASK, ANSWER], "turn 4 is user right after tool, where assistant or tool was expected."),
        ([Turn("text", "t"), ANSWER], "turn 1 is text at the start, where user or system was expected."),
    ],
)
def test_turns_in_a_wrong_order(turns: list[Turn], problem: str) -> None:
    conversation = Conversation(tuple(turns), "train.csv, line 2")
    assert order_problem(conversation) == problem
    with pytest.raises(DataError) as caught:
        require_trainable(conversation)
    assert caught.value.message == f"train.csv, line 2: {problem}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"instruction": "", "output": "ho"}, "turn 1, of the user, is empty."),
        ({"instruction": "hi", "output": None}, "the answer is empty (turn 2)."),
        ({"instruction": "hi", "output": float("nan")}, "the answer is empty (turn 2)."),
        ({"messages": [*CHAT, CHAT[0], {"role": "assistant", "content": " "}]}, "the answer is empty (turn 4)."),
        ({"text": "  "}, "the text is empty."),
    ],
)
def test_empty_turns_are_read_but_not_trained(row: dict[str, Any], problem: str) -> None:
    [conversation] = read(row)
    assert order_problem(conversation) == ""
    with pytest.raises(DataError) as caught:
        require_trainable(conversation)
    assert caught.value.message == f"train.csv, line 2: {problem}"
    assert caught.value.place == "train.csv, line 2"
    assert caught.value.hint
