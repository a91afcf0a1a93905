"""How the palette orders what it finds."""

from __future__ import annotations

import pytest

from qlora_ui.pages.shell.palette_search import MAX_WORDS, Candidate, Fit, fit, fold, rank


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Über-Ton.csv", "uber ton csv"),
        ("  Compare   MODELS ", "compare models"),
        ("Straße", "strasse"),
        ("ＱＬｏＲＡ", "qlora"),  # the full-width letters of a Chinese keyboard
        ("新建微调", "新建微调"),
        ("?!", ""),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        ("settings", "settings", Fit.WHOLE),
        ("set", "settings", Fit.START),
        ("tone", "support tone", Fit.WORD),
        ("tone sup", "support tone", Fit.WORD),
        ("port", "support tone", Fit.INSIDE),
        ("tone port", "support tone", Fit.INSIDE),
        ("微调", "新建微调", Fit.INSIDE),
        ("新建", "新建微调", Fit.START),
        ("stn", "support tone", Fit.NOT),
        ("sptn", "support tone", Fit.SCATTERED),
        ("upt", "support tone", Fit.NOT),
        ("x", "support tone", Fit.NOT),
        ("tone zzz", "support tone", Fit.NOT),
        ("tone sptn", "support tone", Fit.NOT),
    ],
)
def test_fit(wanted: str, text: str, expected: Fit) -> None:
    assert fit(wanted, text) is expected


def test_scattered_letters_may_begin_at_a_later_word() -> None:
    assert fit("tne", "support tone") is Fit.SCATTERED
    assert fit("se", "s" + "x" * 40 + " s-e") is Fit.SCATTERED


def test_the_best_come_first() -> None:
    texts = ["resettle", "my set", "Sóest set", "settings", "set", "so ext", "nothing"]
    found = rank("set", [Candidate(text, text) for text in texts])
    assert found == ["set", "settings", "my set", "Sóest set", "resettle", "so ext"]


def test_equals_keep_their_order_and_short_ones_go_first() -> None:
    found = rank("run", [Candidate(1, "run a"), Candidate(2, "run b"), Candidate(3, "run")])
    assert found == [3, 1, 2]


def test_further_words_count_half_a_step_less() -> None:
    candidates = [
        Candidate("by id", "support-tone", "20261123-094512-tone"),
        Candidate("starts", "20261123 notes"),
        Candidate("inside", "about 120261123"),
    ]
    assert rank("20261123", candidates) == ["starts", "by id", "inside"]


def test_further_words_are_not_searched_for_scattered_letters() -> None:
    assert rank("sptn", [Candidate("it", "title", "support tone")]) == []


@pytest.mark.parametrize("query", ["", "   ", "?!"])
def test_nothing_is_found_for_nothing(query: str) -> None:
    assert rank(query, [Candidate("it", "it")]) == []


def test_words_beyond_the_first_are_not_looked_at() -> None:
    words = [f"w{number}" for number in range(MAX_WORDS + 1)]
    assert rank(" ".join(reversed(words)), [Candidate("it", " ".join(words[1:]))]) == ["it"]
