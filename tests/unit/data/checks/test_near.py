from __future__ import annotations

import random

import numpy as np
import pytest

from qlora_ui.data.checks.near import BINS, NearDuplicates, signature, signatures, text_of
from qlora_ui.data.conversation import Conversation, Turn

VOCABULARY = (
    "the river bank market garden table stone light window paper music letter bridge forest winter summer engine "
    "signal number answer question teacher student village mountain harbour kitchen picture history science morning"
)
WORDS = VOCABULARY.split()


def prose(seed: int, words: int = 80) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def with_change(text: str) -> str:
    return text.replace(text.split()[40], "elephant", 1)


def near(*texts: str) -> list[list[int]]:
    """The pairs among these texts, numbered from 1."""
    rows = NearDuplicates()
    for number, text in enumerate(texts, start=1):
        rows.add(number, signature(text))
    return [[int(number) for number in pair] for pair in rows.pairs()]


def test_a_signature_has_a_fixed_size_and_is_always_the_same() -> None:
    assert {len(signature(text)) for text in ("", "a", prose(1), prose(1, 5000), "é" * 100, "\ud83d" * 100)} == {BINS}
    assert signature("the same text, always") == signature("the same text, always")
    known = signature("One permutation of the shingles is enough to tell how similar two rows of text are.")
    assert known[:12].hex() == "000004070000000022830000"  # of another process, on another day


def test_many_signatures_at_once_are_those_of_each_alone() -> None:
    texts = [
        "",
        "short",
        prose(1),
        "7 " * 40,
        "\ud83d" * 100,
        prose(2, 9000),
        "你好世界" * 30,
        "word",
        "x" * 60,
        prose(3),
    ]
    assert [bytes(made) for made in signatures(texts)] == [signature(text) for text in texts]
    assert [bytes(made) for made in signatures(reversed(texts))] == [signature(text) for text in reversed(texts)]
    assert signatures([]).shape == (0, BINS)


def test_a_row_with_one_word_changed_is_found_with_its_earlier_one() -> None:
    assert near(prose(1), prose(2), with_change(prose(1)), prose(3)) == [[3, 1]]


def test_case_and_white_space_make_no_difference() -> None:
    assert near(prose(1), prose(1).upper().replace(" ", "\n  ")) == [[2, 1]]


def test_rows_of_the_same_words_in_another_order_are_not_alike() -> None:
    words = prose(1).split()
    assert near(prose(1), " ".join(reversed(words))) == []


def test_unlike_rows_are_not_alike() -> None:
    assert near(*(prose(seed) for seed in range(300))) == []


@pytest.mark.parametrize(
    "template",
    [
        "What is {a}+{b}? {c}",
        "What is {a} plus {b}? The answer is {c}.",
        "Add {a} and {b}. {a} + {b} = {c}, so the sum of both is {c}.",
        "How many apples are there if {a} lie here and {b} lie there? There are {c} apples.",
    ],
)
def test_sums_of_other_numbers_are_not_alike(template: str) -> None:
    texts = {template.format(a=a, b=b, c=a + b) for a in range(10, 90, 5) for b in range(a, 90, 5)}
    assert near(*sorted(texts)) == []


def test_short_texts_are_alike_only_where_they_are_equal() -> None:
    assert near("What is the capital of Peru?", "What is the capital of Cuba?", "what is  the capital of PERU?") == [
        [3, 1]
    ]


def test_a_short_text_is_not_alike_though_its_letters_nearly_are() -> None:
    assert (
        near("Characterisation of superconductors, chapter A", "Characterisation of superconductors, chapter B") == []
    )


def test_a_long_text_without_spaces_is_not_short() -> None:
    text = "".join(random.Random(1).choices("你好世界这是一个测试我们都在学习语言模型怎么写字", k=200))
    assert near(text, text[:100] + "猫" + text[101:]) == [[2, 1]]


def test_the_answer_counts() -> None:
    def row(answer: str) -> bytes:
        turns = (Turn("user", prose(1, 20)), Turn("assistant", answer, trained=True))
        return signature(text_of([Conversation(turns)]))

    rows = NearDuplicates()
    rows.add(1, row(prose(2)))
    rows.add(2, row(prose(3)))
    assert rows.pairs().tolist() == []


def test_each_of_many_like_rows_is_found_once() -> None:
    texts = [prose(1, 300) + f" number {number}" for number in range(50)]
    assert [late for late, _ in near(*texts)] == list(range(2, 51))


def test_rows_between_two_that_are_alike_do_not_hide_them() -> None:
    same, other = bytes(range(1, BINS + 1)), bytes(range(151, BINS + 151))
    half = BINS // 2
    rows = NearDuplicates()
    for number, made in enumerate((same, same[:half] + other[half:], other[:half] + same[half:], same), start=1):
        rows.add(number, made)
    assert rows.pairs().tolist() == [[4, 1]]


def test_most_pairs_that_are_alike_are_found_among_many_rows() -> None:
    texts = [prose(seed) for seed in range(500)]
    changed = [with_change(text) for text in texts[::5]]
    found = near(*texts, *changed)
    assert all(late == 501 + (early - 1) // 5 for late, early in found)
    assert len(found) >= 0.9 * len(changed)


def test_rows_that_overlap_with_held_out_ones() -> None:
    train, held_out = NearDuplicates(), NearDuplicates()
    for number in range(1, 101):
        train.add(number, signature(prose(number)))
    for number, text in ((901, with_change(prose(7))), (902, prose(1000)), (903, prose(8)), (904, "What is 3+4?")):
        held_out.add(number, signature(text))
    train.add(101, signature("what is 3+4?"))
    assert train.overlap(held_out).tolist() == [[7, 901], [8, 903], [101, 904]]


def test_many_rows_can_be_added_at_once() -> None:
    one_by_one, at_once = NearDuplicates(), NearDuplicates()
    signatures = [signature(text) for text in (prose(1), prose(2), with_change(prose(1)))]
    for number, made in enumerate(signatures, start=5):
        one_by_one.add(number, made)
    at_once.extend(np.arange(5, 8), np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, BINS))
    assert at_once.pairs().tolist() == one_by_one.pairs().tolist() == [[7, 5]]


def test_nothing_is_like_nothing() -> None:
    empty, one = NearDuplicates(), NearDuplicates()
    one.add(1, signature(prose(1)))
    assert len(empty) == 0
    assert empty.pairs().tolist() == one.pairs().tolist() == []
    assert empty.overlap(one).tolist() == one.overlap(empty).tolist() == []
