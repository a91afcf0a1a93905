from __future__ import annotations

import pytest

from qlora_ui.data.conversation import Conversation, Role, Turn
from qlora_ui.data.formats.requirements import order_problem
from qlora_ui.data.steps.order import mend_order

LETTERS: dict[str, Role] = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def turns(written: str) -> tuple[Turn, ...]:
    """`u1 a1` → a user's and an assistant's turn; a capital A is an answer that is not trained, c one with a call."""
    made = []
    for word in written.split():
        if word[0] == "c":
            made.append(Turn("assistant", word, trained=True, calls='[{"name": "f", "arguments": {}}]'))
        else:
            made.append(Turn(LETTERS[word[0].lower()], word.replace("+", "\n\n"), trained=word[0] == "a"))
    return tuple(made)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("s1 u1 a1 u2 a2", "s1 u1 a1 u2 a2"),
        ("u1 u2 a1", "u1+u2 a1"),
        ("u1 a1 a2 a3", "u1 a1+a2+a3"),
        ("s1 s2 u1 a1", "s1+s2 u1 a1"),
        ("a0 u1 a1", "u1 a1"),
        ("s1 a0 s2 u1 a1", "s1+s2 u1 a1"),
        ("a0 s1 u1 a1", "s1 u1 a1"),
        ("u1 a1 u2", "u1 a1"),
        ("u1 c1 t1 t2 a1 u2", "u1 c1 t1 t2 a1"),
        ("u1 a1 c1 t1 a2", "u1 a1+c1 t1 a2"),
        ("t0 u1 a1 t9", "u1 a1"),
    ],
)
def test_turns_are_brought_into_order(before: str, after: str) -> None:
    mended = mend_order(Conversation(turns(before), number=7))
    assert [turn.content.replace("\n\n", "+") for turn in mended.turns] == after.split()
    assert order_problem(mended) == ""
    assert mended.number == 7


@pytest.mark.parametrize(
    "written",
    [
        "u1 A1 a2",  # joined, either would be trained that should not be, or the other way round
        "u1 a1 s9 u2 a2",  # a system turn that speaks of what follows
        "u1 c1 a2",  # a call without a result
        "u1 u1x",
        "s1 a1",
        "a1 u1",
    ],
)
def test_what_cannot_be_mended_without_guessing_stays_wrong(written: str) -> None:
    mended = mend_order(Conversation(turns(written)))
    assert [turn.content for turn in mended.turns if turn.role != "user"] == [
        word for word in written.split() if word[0] != "u"
    ]


def test_what_is_joined_keeps_its_call_and_its_training() -> None:
    (_, joined, *_) = mend_order(Conversation(turns("u1 a1 c1 t1 a2"))).turns
    assert joined.trained
    assert joined.calls


def test_a_conversation_in_order_and_plain_text_stay_themselves() -> None:
    for conversation in (Conversation(turns("s1 u1 c1 t1 a1")), Conversation((Turn("text", "a", trained=True),))):
        assert mend_order(conversation) is conversation
