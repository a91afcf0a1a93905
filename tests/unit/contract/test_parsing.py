from __future__ import annotations

import pytest

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parsing import key_lines, parse_yaml


def test_a_key_that_is_set_twice_is_named_with_both_lines() -> None:
    with pytest.raises(ParameterError) as raised:
        parse_yaml("lora_rank: 8\nname: a\nlora_rank: 16\n")
    assert "in line 3, column 1: lora_rank is set twice, first in line 1" in raised.value.message


def test_plain_values_alone_are_read() -> None:
    assert parse_yaml("a: 1\nb: text\nc: null") == {"a": 1, "b": "text", "c": None}
    with pytest.raises(ParameterError):
        parse_yaml("a: !!python/object/apply:os.getcwd []")


def test_every_key_has_its_line() -> None:
    assert key_lines("# settings\nname: a\n\nlora_rank: 8\n") == {"name": 2, "lora_rank": 4}
    assert key_lines("") == {}


@pytest.mark.parametrize(("text", "problem"), [("a: 2024-13-45", "month must be"), ("[" * 5_000, "nested too deeply")])
def test_what_the_loader_breaks_on_is_refused_in_words(text: str, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        parse_yaml(text)
