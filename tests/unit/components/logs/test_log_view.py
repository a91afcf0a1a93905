from __future__ import annotations

from qlora_ui.components.logs.log_view import Search, count_words
from qlora_ui.jobs.logs.log_file import MATCHES_COUNTED


def test_matches_are_counted_from_the_newest() -> None:
    search = Search("loss", places=(10, 20, 30), count=3, at=2)
    assert count_words(search) == "1 of 3"
    search.at = 0
    assert count_words(search) == "3 of 3"


def test_no_search_no_match_and_too_many_are_said() -> None:
    assert count_words(Search()) == ""
    assert count_words(Search("xyz")) == "no match"
    many = Search("step", places=(1, 2), count=MATCHES_COUNTED, at=1)
    assert count_words(many) == "1 of 100,000 or more"
