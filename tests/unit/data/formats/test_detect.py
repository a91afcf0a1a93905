from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Turn
from qlora_ui.data.formats.detect import detect, to_conversation, understand
from tests.unit.data.formats.reading import ANSWER, ASK, CHAT, SHARED, SYSTEM, read, rows


@pytest.mark.parametrize(
    ("row", "data_format", "turns"),
    [
        ({"instruction": "hi", "output": "ho"}, "alpaca", [ASK, ANSWER]),
        ({"instruction": "hi", "input": "", "output": "ho", "system": "be brief"}, "alpaca", [SYSTEM, ASK, ANSWER]),
        ({"Instruction": "say", "Input": "x", "Output": "ho"}, "alpaca", [Turn("user", "say\n\nx"), ANSWER]),
        ({"instruction": "hi", "input": None, "output": "ho", "history": [["hi", "ho"]]}, "alpaca", [ASK, ANSWER] * 2),
        ({"instruction": "hi", "output": "ho", "history": '[["hi", "ho"]]'}, "alpaca", [ASK, ANSWER] * 2),
        ({"prompt": "say", "query": "x", "response": "ho"}, "alpaca", [Turn("user", "say\n\nx"), ANSWER]),
        ({"conversations": SHARED}, "sharegpt", [ASK, ANSWER]),
        ({"conversations": json.dumps(SHARED), "system": "be brief"}, "sharegpt", [SYSTEM, ASK, ANSWER]),
        ({"messages": CHAT}, "messages", [ASK, ANSWER]),
        ({"id": 1, "conversations": json.dumps(CHAT)}, "messages", [ASK, ANSWER]),
        ({"prompt": "hi", "completion": "ho"}, "prompt_completion", [ASK, ANSWER]),
        ({"prompt": CHAT[:1], "completion": CHAT[1:]}, "prompt_completion", [ASK, ANSWER]),
        ({"prompt": CHAT[:1], "completion": "ho"}, "prompt_completion", [ASK, ANSWER]),
        ({"prompt": "hi", "completion": json.dumps(CHAT[1:])}, "prompt_completion", [ASK, ANSWER]),
        ({"question": "hi", "answer": "ho", "source": "web"}, "question_answer", [ASK, ANSWER]),
        ({"question": "hi", "context": "c", "answer": "ho"}, "question_answer", [Turn("user", "c\n\nhi"), ANSWER]),
        ({"text": " hi\n"}, "text", [Turn("text", " hi\n", trained=True)]),
    ],
)
def test_published_columns_are_certain(row: dict[str, Any], data_format: str, turns: list[Turn]) -> None:
    detected = understand(rows(row))
    assert (detected.format, detected.sureness) == (data_format, "certain")
    assert list(to_conversation(rows(row)[0], detected).turns) == turns


@pytest.mark.parametrize(
    ("row", "data_format", "turns"),
    [
        ({"query": "hi", "response": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"input": "hi", "output": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"instruction": "hi", "response": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"q": "hi", "a": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"user": "hi", "assistant": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"source": "hi", "target": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"problem": "hi", "solution": "ho"}, "question_answer", [ASK, ANSWER]),
        ({"chat": CHAT}, "messages", [ASK, ANSWER]),
        (
            {"dialogue": [{"speaker": "user", "text": "hi"}, {"speaker": "bot", "text": "ho"}]},
            "messages",
            [ASK, ANSWER],
        ),
        ({"content": "hi"}, "text", [Turn("text", "hi", trained=True)]),
    ],
)
def test_names_that_only_suggest_a_format_are_likely(row: dict[str, Any], data_format: str, turns: list[Turn]) -> None:
    detected = understand(rows(row))
    assert (detected.format, detected.sureness) == (data_format, "likely")
    assert list(to_conversation(rows(row)[0], detected).turns) == turns


@pytest.mark.parametrize(
    ("row", "turns", "seen"),
    [
        (
            {"id": "abcdefgh", "title": "hi", "body_html": "ho ho"},
            [ASK, Turn("assistant", "ho ho", True)],
            "the longer text",
        ),
        ({"a lot": "ho ho", "little": "hi"}, [ASK, Turn("assistant", "ho ho", True)], "a lot, the longer text"),
        ({"foo": "hi", "bar": "ho"}, [ASK, ANSWER], "foo is taken for the question"),
        ({"n": 7, "review": "hi"}, [Turn("text", "hi", True)], "the column review holds text"),
        (
            {"log": [{"who": "user", "said": "hi, how are you"}, {"who": "assistant", "said": "ho, I am well"}]},
            [Turn("user", "hi, how are you"), Turn("assistant", "ho, I am well", True)],
            "Speakers are taken from the key who",
        ),
    ],
)
def test_unknown_columns_are_guessed_and_said_to_be_guessed(row: dict[str, Any], turns: list[Turn], seen: str) -> None:
    detected = understand(rows(row))
    assert detected.sureness == "unsure"
    assert seen in detected.seen
    assert list(to_conversation(rows(row)[0], detected).turns) == turns
    with pytest.raises(DataError, match="fit no known format"):
        detect(rows(row))


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"n": 7, "m": 8}, "train.csv, line 2: the columns n and m fit no known format."),
        ({"prompt": "hi", "id": "x"}, "train.csv, line 2: the column prompt holds questions only"),
        ({"prompt": CHAT[:1]}, "train.csv, line 2: the column prompt holds questions only"),
        (
            {"prompt": "hi", "completions": ["a", "b"], "labels": [True, False]},
            "the columns completions and labels judge",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(row: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        understand(rows(row))
    assert caught.value.hint


def test_a_damaged_first_row_does_not_decide() -> None:
    damaged: dict[str, Any] = {"instruction": "hi", "output": {"a": 1}, "text": "t"}
    good = [{"instruction": "hi", "output": "ho", "text": "t"}] * 9
    detected = understand(rows(damaged, *good))
    assert (detected.format, detected.sureness) == ("alpaca", "certain")
    assert understand(rows({"text": "t"}, *good)).format == "alpaca"


def test_alternatives_are_the_other_published_forms() -> None:
    assert understand(rows({"instruction": "a", "output": "b", "text": "c"})).alternatives == ("text",)
    assert understand(rows({"prompt": "a", "completion": "b", "label": True})).alternatives == ("prompt_completion",)
    assert understand(rows({"messages": CHAT})).alternatives == ()


def test_a_label_that_may_be_a_class_is_not_certain() -> None:
    assert understand(rows({"prompt": "a", "completion": "b", "label": 1})).sureness == "likely"
    assert understand(rows({"prompt": "a", "completion": "b", "kto_tag": 1})).sureness == "certain"
    assert understand(rows({"messages": CHAT, "label": "sports"})).format == "messages"


def test_columns_that_only_some_rows_have_are_used() -> None:
    found = read({"instruction": "hi", "output": "ho"}, {"instruction": "say", "input": "x", "output": "ho"})
    assert [list(conversation.turns) for conversation in found] == [[ASK, ANSWER], [Turn("user", "say\n\nx"), ANSWER]]


def test_what_was_seen_is_said_in_sentences() -> None:
    seen = understand(rows({"instruction": "a", "output": "b", "system": "c"})).seen
    assert seen == "The columns instruction and output have the form of Alpaca. Also used: system."
    assert understand(rows({"text": "a"})).seen == "The column text has the form of plain text."
    message = {"role": "assistant", "content": "ho", "name": "Eve", "thinking": "hm"}
    assert understand(rows({"messages": [CHAT[0], message], "images": ["a.png"]})).seen == (
        "The column messages has the form of messages. Only text is trained; not used: images. What the key thinking "
        "holds stands before the answer, between <think> and </think>. These keys of messages are not used: name."
    )
    assert (
        understand(rows({"audio": "a"}), "text", {"text": "audio"}).seen
        == "The column audio has the form of plain text."
    )
    assert understand(rows({"messages": [{"role": "alien", "content": "x"}]})).seen.endswith(
        "Not known as speakers: alien."
    )
    doubtful = understand(rows({"messages": "x"}))
    assert doubtful.sureness == "likely"
    assert "their values have another form" in doubtful.seen


def test_a_named_format_reads_its_own_columns() -> None:
    both = {"prompt": "p", "completion": "c", "text": "t"}
    assert read(both, data_format="text")[0].turns == (Turn("text", "t", trained=True),)
    assert understand(rows(both), "text").sureness == "chosen"
    with pytest.raises(DataError, match="do not fit the format KTO") as caught:
        detect(rows(both), "kto")
    assert "prompt, completion and kto_tag" in caught.value.hint


def test_a_named_format_takes_columns_by_what_they_hold() -> None:
    row = {"foo": "hi", "bar": "ho ho", "good": True}
    detected = understand(rows(row), "kto")
    assert detected.mapping == {"prompt": "foo", "completion": "bar", "label": "good"}
    assert detected.seen == "The names of the columns do not fit; taken by what they hold: bar, foo and good."
    assert understand(rows({"foo": "hi"}), "text").mapping == {"text": "foo"}
    assert understand(rows({"log": CHAT}), "sharegpt").mapping == {
        "turns": "log",
        "role_key": "role",
        "content_key": "content",
    }


def test_a_named_format_does_not_make_a_guess_certain() -> None:
    two = rows({"foo": "hi", "bar": "ho ho"})
    assert understand(two, "question_answer").sureness == "unsure"
    assert understand(two, "text").sureness == "unsure"
    with pytest.raises(DataError, match="do not fit the format question and answer") as caught:
        detect(two, "question_answer")
    assert "Assign the columns" in caught.value.hint
    assert detect(two, "question_answer", {"question": "foo"}).sureness == "chosen"
    assert detect(rows({"foo": "hi", "n": 1}), "text").sureness == "chosen"


def test_a_named_format_without_its_columns_can_still_be_assigned() -> None:
    detected = understand(rows({"foo": "a", "bar": "b"}), "preference")
    assert detected.missing == ("chosen", "rejected")
    with pytest.raises(DataError, match="line 2: no column plays the part chosen and rejected") as caught:
        to_conversation(rows({"foo": "a", "bar": "b"})[0], detected)
    assert "mapping" in caught.value.hint


def test_mixed_formats_name_the_first_row_that_differs() -> None:
    with pytest.raises(DataError) as caught:
        read(*[{"messages": CHAT}] * 11, {"question": "q", "answer": "a"})
    assert caught.value.message == (
        "train.csv, line 13: this row has the columns question and answer, but the first ones were read as messages, "
        "which needs messages."
    )


def test_no_rows() -> None:
    with pytest.raises(DataError, match="no rows"):
        understand([])


def test_it_can_be_sent_to_another_process() -> None:
    row = rows({"messages": CHAT})[0]
    detected = understand([row])
    expected = to_conversation(row, detected)
    assert to_conversation(row, pickle.loads(pickle.dumps(detected))) == expected
