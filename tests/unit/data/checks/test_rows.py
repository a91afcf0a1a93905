from __future__ import annotations

import pytest

from qlora_ui.data.checks import look_at
from qlora_ui.data.conversation import Conversation, Turn

ASK = Turn("user", "What is it?")


def said(answer: str) -> Conversation:
    return Conversation((ASK, Turn("assistant", answer, trained=True)))


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ("It is a cat.", set()),
        ("Write to jane@web.de", {"personal"}),
        ("My card is 4111 1111 1111 1111", {"secrets"}),
        ("jane@web.de, DE89370400440532013000", {"personal", "secrets"}),
        ("CafÃ©", {"damaged"}),
        ("It is a cat.\n", {"spaces"}),
        (" It is a cat.", {"spaces"}),
        ("", {"empty_answer"}),
        (" \n", {"empty_answer", "spaces"}),
        ("Dear {{name}},", {"placeholder"}),
        ("Dear {{ first_name }},", {"placeholder"}),
        (r"\frac{{x}}{{ab}} and {{x}}", set()),
        ("In Jinja: ```\n{{ name }}\n``` or `{{ name }}`", set()),
        ("{{ user.name | upper }}", set()),
    ],
)
def test_an_answer(answer: str, kinds: set[str]) -> None:
    assert look_at(said(answer)) == kinds


def test_a_question_may_end_with_space_and_the_text_of_a_file_too() -> None:
    assert look_at(Conversation((Turn("user", "What? "), Turn("assistant", "That.", trained=True)))) == set()
    assert look_at(Conversation((Turn("text", "A line.\n", trained=True),))) == set()
    assert look_at(Conversation((Turn("text", " ", trained=True),))) == {"empty_answer"}


def test_a_call_is_no_empty_answer_and_its_arguments_are_looked_at() -> None:
    call = Turn("assistant", "", trained=True, calls='[{"name": "send", "arguments": {"to": "jane@web.de"}}]')
    assert look_at(Conversation((ASK, call))) == {"personal"}


def test_a_rejected_answer_is_looked_at_too() -> None:
    chosen = said("Fine.")
    conversation = Conversation(chosen.turns, rejected=(Turn("assistant", "Ask jane@web.de "),))
    assert look_at(conversation) == {"personal"}
