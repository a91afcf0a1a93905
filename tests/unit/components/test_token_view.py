from __future__ import annotations

import pytest

from qlora_ui.components.token_view import about, kind, visible
from qlora_ui.contract.inspection import TokenView


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\n", "\\n"),
        ("\n\n", "\\n\\n"),
        ("a\tb", "a\\tb"),
        (" meter", " meter"),
        (" ", "·"),
        ("   ", "···"),
        ("", "∅"),
        ("\x00", "\\x00"),
        ("é€", "é€"),
        ("<script>", "<script>"),
    ],
)
def test_what_a_page_would_swallow_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_trained_token_says_so() -> None:
    token = TokenView(id=345, text=" world", trained=True, special=False)
    assert about(token) == "“ world”, token 345, trained, its label is 345"
    assert kind(token) == "qu-token trained"


def test_a_special_token_that_is_only_read_says_so() -> None:
    token = TokenView(id=2, text="<|im_start|>", trained=False, special=True)
    assert about(token) == "“<|im_start|>”, special token 2, read, not trained (label −100)"
    assert kind(token) == "qu-token special"
