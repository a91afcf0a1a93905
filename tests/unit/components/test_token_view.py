from __future__ import annotations

import pytest

from qlora_ui.components.token_view import SHOWN_CHARACTERS, _original, kind, visible
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
        ("\x7f", "\\x7f"),
        ("\N{NO-BREAK SPACE}", "\\xa0"),
        ("\N{ZERO WIDTH SPACE}x", "\\u200bx"),
        ("\N{COMBINING ACUTE ACCENT}", "◌\N{COMBINING ACUTE ACCENT}"),
        ("👩\N{ZERO WIDTH JOINER}👧", "👩\N{ZERO WIDTH JOINER}👧"),
        ("\N{ZERO WIDTH JOINER}", "\\u200d"),
        ("é€", "é€"),
        ("مرحبا", "مرحبا"),
        ("<script>", "<script>"),
    ],
)
def test_what_a_page_would_swallow_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("trained", "special", "number"), [(False, False, 0), (True, False, 1), (False, True, 2), (True, True, 3)]
)
def test_the_kinds_of_tokens_are_told_apart(trained: bool, special: bool, number: int) -> None:
    assert kind(TokenView(id=2, text="x", trained=trained, special=special)) == number


def test_a_row_is_written_as_its_file_has_it() -> None:
    assert _original({"frage": "Wie spät?", "n": [1]}) == '{\n  "frage": "Wie spät?",\n  "n": [\n    1\n  ]\n}'
    assert _original('{"broken": ') == '{"broken": '


def test_a_huge_row_is_written_no_further_than_it_is_shown() -> None:
    written = _original({str(index): "x" * 100 for index in range(100_000)})
    assert SHOWN_CHARACTERS < len(written) < 2 * SHOWN_CHARACTERS
