from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Turn
from qlora_ui.data.formats.detect import understand
from tests.unit.data.formats.reading import ANSWER, ASK, CHAT, GIVEN, SYSTEM, read, rows

NO = {"role": "assistant", "content": "no"}
WORSE = Turn("assistant", "no")


@pytest.mark.parametrize(
    ("row", "turns", "rejected"),
    [
        ({"prompt": CHAT, "chosen": "ho", "rejected": "no"}, [ASK, GIVEN, ANSWER], [WORSE]),
        ({"prompt": "hi", "chosen": CHAT[1:], "rejected": "no"}, [ASK, ANSWER], [WORSE]),
        ({"prompt": "hi", "chosen": CHAT[1], "rejected": NO}, [ASK, ANSWER], [WORSE]),
        ({"prompt": "hi", "chosen": CHAT, "rejected": [CHAT[0], NO]}, [ASK, ANSWER], [WORSE]),
        ({"system": "be brief", "question": "hi", "chosen": "ho", "rejected": "no"}, [SYSTEM, ASK, ANSWER], [WORSE]),
        ({"chosen": [*CHAT, *CHAT], "rejected": [*CHAT, CHAT[0], NO]}, [ASK, GIVEN, ASK, ANSWER], [WORSE]),
        ({"chosen": CHAT, "rejected": CHAT}, [ASK, ANSWER], [GIVEN]),
        ({"instruction": "hi", "output": ["ho", "no"]}, [ASK, ANSWER], [WORSE]),
        ({"instruction": "hi", "output": '["ho", "no"]'}, [ASK, ANSWER], [WORSE]),
    ],
)
def test_preference_pairs(row: dict[str, Any], turns: list[Turn], rejected: list[Turn]) -> None:
    [conversation] = read(row)
    assert (list(conversation.turns), list(conversation.rejected)) == (turns, rejected)
    assert conversation.desirable is None


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt", "answers"),
    [
        ("It is cold today.", "It is colder today.", "It is", (" cold today.", " colder today.")),
        ("Say yes", "Say yes please", "Say", (" yes", " yes please")),
        ("One  two", "One  three", "One", ("  two", "  three")),
        ("Q: a?\nA: b", "Q: a?\nA: c", "Q: a?\nA:", (" b", " c")),
        ("天很蓝", "天很绿", "天很", ("蓝", "绿")),
    ],
)
def test_a_prompt_within_texts_ends_between_words(
    chosen: str, rejected: str, prompt: str, answers: tuple[str, str]
) -> None:
    [conversation] = read({"chosen": chosen, "rejected": rejected})
    assert conversation.turns == (Turn("user", prompt), Turn("assistant", answers[0], True))
    assert conversation.rejected == (Turn("assistant", answers[1]),)


@pytest.mark.parametrize("label", [True, 1, 1.0, "true", "Yes", "1"])
def test_a_wanted_answer_is_trained(label: Any) -> None:
    [conversation] = read({"prompt": "hi", "completion": "ho", "label": label})
    assert (conversation.turns, conversation.desirable) == ((ASK, ANSWER), True)


@pytest.mark.parametrize("label", [False, 0, "False", "no"])
def test_an_unwanted_answer_is_kept_but_not_trained(label: Any) -> None:
    [conversation] = read({"prompt": "hi", "completion": "ho", "label": label})
    assert (conversation.turns, conversation.desirable) == ((ASK, GIVEN), False)


def test_of_judged_messages_only_the_last_answer_is_judged() -> None:
    [conversation] = read({"messages": CHAT * 2, "label": True})
    assert conversation.turns == (ASK, GIVEN, ASK, ANSWER)


def test_messages_beside_a_prompt_of_the_same_words_are_not_needed() -> None:
    row = {"prompt": "hi", "messages": CHAT, "chosen": CHAT, "rejected": [CHAT[0], NO]}
    assert understand(rows(row)).mapping.keys() >= {"prompt", "chosen", "rejected"}
    assert read(row)[0].turns == (ASK, ANSWER)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"chosen": "ho", "rejected": "no"}, "the columns chosen and rejected have no common start"),
        ({"chosen": "", "rejected": "no"}, "the columns chosen and rejected have no common start"),
        ({"chosen": CHAT, "rejected": [{"role": "user", "content": "x"}, NO]}, "have no common start"),
        (
            {"chosen": CHAT, "rejected": "no"},
            "the column chosen is a whole conversation, but the other answer is none.",
        ),
        ({"prompt": "x", "chosen": CHAT, "rejected": [CHAT[0], NO]}, "the column prompt is not the start of the conv"),
        (
            {"prompt": "hi", "chosen": ["a"], "rejected": "no"},
            "the column chosen must be text or a list of messages, but",
        ),
        (
            {"prompt": "hi", "chosen": [CHAT[1], 5], "rejected": "no"},
            "message 2 in the column chosen must be an object",
        ),
        (
            {"prompt": "hi", "completion": "ho", "kto_tag": "maybe"},
            "the column kto_tag must be true or false, but it is text.",
        ),
        (
            {"prompt": "hi", "completion": "ho", "kto_tag": None},
            "the column kto_tag must be true or false, but it is nothing",
        ),
        (
            {"instruction": "hi", "output": ["a", "b", "c"]},
            "the column output must be a list of two answers, the better one",
        ),
    ],
)
def test_pairs_that_cannot_be_read(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=f"train.csv, line 2: .*{problem}") as caught:
        read(row)
    assert caught.value.hint


def test_one_of_many_ranked_rows_that_holds_no_list() -> None:
    good = {"instruction": "hi", "output": ["ho", "no"]}
    for bad in ("ho", ["ho"], ["ho", {"a": 1}]):
        with pytest.raises(DataError, match="line 12: the column output must be a list of two"):
            read(*[good] * 10, {"instruction": "hi", "output": bad})
