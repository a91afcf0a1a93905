from __future__ import annotations

from qlora_ui.contract.events import Sample
from qlora_ui.pages.runs.job.samples import changes, cut, spread


def test_few_evaluations_are_all_shown_and_of_many_the_first_the_last_and_some_between() -> None:
    samples = [Sample(step=step, prompt="?", answer="!") for step in range(0, 1001, 10)]
    assert spread(samples[:3], 10) == samples[:3]
    chosen = [sample.step for sample in spread(samples, 5)]
    assert chosen == [0, 250, 500, 750, 1000]


def test_what_is_new_in_an_answer_is_told_from_what_stayed() -> None:
    pieces = list(changes("The grid fee rose.", "The grid fee fell a little."))
    assert "".join(text for text, _ in pieces) == "The grid fee fell a little."
    assert [text for text, is_new in pieces if is_new] == ["fell a little"]


def test_a_long_answer_is_cut() -> None:
    assert cut("a" * 3_000) == "a" * 2_000 + "…"
    assert cut("short") == "short"
