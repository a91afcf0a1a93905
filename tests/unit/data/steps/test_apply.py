from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.recipe import Recipe, Source, Step, StepName
from qlora_ui.data.conversation import Conversation, Role, Turn
from qlora_ui.data.steps import Applied, Steps, apply

ASK = Turn("user", "Who?")
CALL = Turn("assistant", "", trained=True, calls='[{"name": "f", "arguments": {"to": "jane@web.de", "n": 1}}]')
PER_ROW: tuple[StepName, ...] = (
    "drop_rows", "repair_encoding", "trim_space", "mend_order", "mask_secrets", "drop_empty", "cut_at_turn",
    "split_long", "drop_long",
)  # fmt: skip


def recipe(*steps: StepName | Step, max_length: int = 1024) -> Recipe:
    made = tuple(step if isinstance(step, Step) else Step(do=step) for step in steps)
    return Recipe(sources=(Source(path="train.jsonl"),), steps=made, max_length=max_length)


def answer(content: str) -> Turn:
    return Turn("assistant", content, trained=True)


def chat(*contents: str, place: str = "train.jsonl, line 3", number: int = 3) -> Conversation:
    """User and assistant by turns."""
    turns = tuple(answer(content) if index % 2 else Turn("user", content) for index, content in enumerate(contents))
    return Conversation(turns, place=place, number=number, group="g", tools='[{"name": "f"}]')


def characters(conversation: Conversation) -> int:
    """A length as a tokenizer might count it: five for each turn, and one for each character."""
    return sum(5 + len(turn.content) + len(turn.calls) for turn in conversation.turns)


def contents(applied: Applied) -> list[list[str]]:
    return [[turn.content for turn in conversation.turns] for conversation in applied.conversations]


def test_without_steps_a_conversation_stays_what_it_is() -> None:
    conversation = chat(" cafÃ© ", "jane@web.de ")
    assert apply(conversation, recipe(), characters) == Applied((conversation,))


def test_the_order_is_fixed_whatever_the_recipe_says() -> None:
    conversation = chat("Who?", "  Ã\xa0 ", "and?", "jane@web.de")
    done = recipe("mask_secrets", "trim_space", "repair_encoding")
    assert contents(apply(conversation, done)) == [["Who?", "à", "and?", "[email]"]]


def test_rows_are_dropped_by_their_number() -> None:
    done = Steps(recipe(Step(do="drop_rows", rows=(3, 5))))
    assert done.apply(chat("a", "b", number=3)) == Applied((), "drop_rows")
    assert done.apply(chat("a", "b", number=4)).left_out == ""


def test_everything_else_of_a_conversation_is_kept() -> None:
    conversation = replace(chat("a ", "b "), desirable=True, rejected=(answer(" jane@web.de "),))
    (changed,) = apply(conversation, recipe("trim_space", "mask_secrets")).conversations
    kept = replace(conversation, turns=(Turn("user", "a"), answer("b")), rejected=(answer("[email]"),))
    assert changed == kept


def test_the_arguments_of_a_call_are_masked_as_texts_and_stay_json() -> None:
    call = replace(CALL, calls=CALL.calls.replace('"n": 1', '"n": 4111111111111111'))
    (changed,) = apply(Conversation((ASK, call)), recipe("mask_secrets", "trim_space")).conversations
    assert changed.turns[1].message["tool_calls"] == [
        {"type": "function", "function": {"name": "f", "arguments": {"to": "[email]", "n": "[card]"}}}
    ]


def test_calls_without_secrets_stay_as_they_are_written() -> None:
    call = replace(CALL, calls='[{"name":"f",  "arguments":{}}]')
    assert apply(Conversation((ASK, call)), recipe("mask_secrets", "repair_encoding")).conversations[0].turns[1] == call


@pytest.mark.parametrize(
    ("conversation", "left_out"),
    [
        (chat("a", ""), "drop_empty"),
        (chat("a", "b", "c", " \n"), "drop_empty"),
        (chat("a", "b"), ""),
        (Conversation((ASK, CALL)), ""),
        (Conversation((Turn("text", " ", trained=True),)), "drop_empty"),
        (Conversation((Turn("user", ""), answer("b"))), ""),
    ],
)
def test_rows_with_an_empty_answer_are_dropped(conversation: Conversation, left_out: str) -> None:
    assert apply(conversation, recipe("drop_empty")).left_out == left_out


def test_what_is_still_too_long_is_dropped() -> None:
    conversation = chat("a" * 10, "b" * 10)
    assert apply(conversation, recipe("drop_long", max_length=30), characters).left_out == ""
    assert apply(conversation, recipe("drop_long", max_length=29), characters) == Applied((), "drop_long")


def test_without_a_tokenizer_nothing_goes_by_length() -> None:
    conversation = chat("a" * 100, "b" * 100)
    assert apply(conversation, recipe("cut_at_turn", "split_long", "drop_long", max_length=9)) == Applied(
        (conversation,)
    )


ROLES: list[Role] = ["system", "user", "assistant", "tool"]
WORDS = st.sampled_from(
    ["", " ", "a", "two words. ", "Ã©", "ÃƒÂ©", "â€", "jane@web.de", "+49 30 1234567", "\n\n", "b" * 30]
)
CONTENT = st.lists(WORDS, max_size=4).map("".join)
TURNS = st.builds(
    lambda role, content, trained, calls: Turn(
        role, content, trained and role == "assistant", CALL.calls if calls and role == "assistant" else ""
    ),
    st.sampled_from(ROLES), CONTENT, st.booleans(), st.booleans(),
)  # fmt: skip
CHATS = st.builds(
    lambda turns, rejected: Conversation(tuple(turns), number=1, rejected=tuple(rejected)),
    st.lists(TURNS, min_size=1, max_size=8), st.lists(TURNS, max_size=1),
)  # fmt: skip
TEXTS = CONTENT.map(lambda content: Conversation((Turn("text", content * 3, trained=True),), number=1))


@settings(max_examples=300)
@given(CHATS | TEXTS, st.sets(st.sampled_from(PER_ROW), max_size=4), st.integers(1, 120))
def test_steps_done_twice_are_steps_done_once(
    conversation: Conversation, names: set[StepName], max_length: int
) -> None:
    if "split_long" in names:
        names.discard("trim_space")  # a piece keeps the indentation of its first line, a whole text does not
    steps = Steps(recipe(*sorted(names), max_length=max_length), characters)
    once = steps.apply(conversation).conversations
    twice = tuple(again for one in once for again in steps.apply(one).conversations)
    assert twice == once


@settings(max_examples=300)
@given(CHATS | TEXTS, st.sets(st.sampled_from(PER_ROW), max_size=4), st.integers(1, 120))
def test_whatever_is_done_a_row_is_kept_or_a_step_is_named(
    conversation: Conversation, names: set[StepName], max_length: int
) -> None:
    applied = apply(conversation, recipe(*sorted(names), max_length=max_length), characters)
    assert bool(applied.conversations) != bool(applied.left_out)
    assert all(one.number == conversation.number and one.turns for one in applied.conversations)
