from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from qlora_ui.contract.recipe import Recipe, Source, Step
from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.steps.apply import Steps
from qlora_ui.data.steps.length import Length, cut_at_turn
from qlora_ui.data.steps.length import split_long as split_and_count


def split_long(conversation: Conversation, length: Length, max_length: int) -> list[Conversation]:
    return split_and_count(conversation, length, max_length)[0]


SYSTEM = Turn("system", "s" * 5)


def words(conversation: Conversation) -> int:
    """A length: the words of all turns."""
    return sum(len(turn.content.split()) for turn in conversation.turns)


def characters(conversation: Conversation) -> int:
    return sum(len(turn.content) for turn in conversation.turns)


def rounds(count: int, *, trained: int | None = None) -> Conversation:
    """A system turn and rounds of 10 characters each; only the round `trained`, from 0, is trained, where given."""
    turns: list[Turn] = [SYSTEM]
    for index in range(count):
        turns += [Turn("user", f"ask {index}"), Turn("assistant", f"say {index}", trained=trained in (None, index))]
    return Conversation(tuple(turns), place="a, line 1", number=1, tools='[{"name": "f"}]')


def text(content: str) -> Conversation:
    return Conversation((Turn("text", content, trained=True),), number=1)


def pieces(conversation: Conversation, max_length: int) -> list[str]:
    return [piece.turns[0].content for piece in split_long(conversation, characters, max_length)]


def test_pieces_that_hold_nothing_to_learn_are_counted() -> None:
    kept, lost = split_and_count(rounds(3, trained=1), characters, 15)
    assert (len(kept), lost) == (1, 2)
    steps = Steps(
        Recipe(sources=(Source(path="a"),), steps=(Step(do="split_long"), Step(do="drop_long")), max_length=15),
        characters,
    )
    long = replace(rounds(3), turns=(*rounds(3).turns, Turn("user", "x" * 40), Turn("assistant", "y", trained=True)))
    applied = steps.apply(long)
    assert (len(applied.conversations), applied.pieces_lost, applied.left_out) == (3, 1, "")


def test_cut_at_turn_keeps_whole_rounds() -> None:
    for count in range(1, 6):
        assert cut_at_turn(rounds(5), characters, 5 + count * 10 + 4) == rounds(count)


def test_cut_at_turn_leaves_a_first_round_that_is_too_long() -> None:
    assert cut_at_turn(rounds(3), characters, 9) == rounds(3)


def test_cut_at_turn_leaves_a_conversation_whose_only_lesson_is_at_the_end() -> None:
    assert cut_at_turn(rounds(3, trained=2), characters, 25) == rounds(3, trained=2)


def test_cut_at_turn_keeps_calls_with_their_results() -> None:
    call = Turn("assistant", "call", trained=True, calls='[{"name": "f", "arguments": {}}]')
    last = (Turn("user", "ask 9"), call, Turn("tool", "result"), Turn("assistant", "so", trained=True))
    conversation = replace(rounds(1), turns=rounds(1).turns + last)
    assert cut_at_turn(conversation, characters, 30) == rounds(1)


def test_cut_at_turn_asks_for_few_lengths() -> None:
    asked = []

    def length(conversation: Conversation) -> int:
        asked.append(conversation)
        return characters(conversation)

    cut_at_turn(rounds(1000), length, 5000)
    assert len(asked) < 15


def test_split_long_repeats_the_system_turn_and_loses_no_round() -> None:
    split = split_long(rounds(5), characters, 28)
    assert [len(piece.turns) for piece in split] == [5, 5, 3]
    assert all(piece.turns[0] == SYSTEM and piece.tools and piece.number == 1 for piece in split)
    assert tuple(turn for piece in split for turn in piece.turns[1:]) == rounds(5).turns[1:]


def test_split_long_makes_no_example_without_a_lesson() -> None:
    (piece,) = split_long(rounds(3, trained=1), characters, 15)
    assert piece.turns[1:] == rounds(3, trained=1).turns[3:5]


def test_split_long_gives_the_rejected_answer_to_the_round_it_belongs_to() -> None:
    rejected = (Turn("assistant", "no"),)
    split = split_long(replace(rounds(2), rejected=rejected), characters, 15)
    assert [piece.rejected for piece in split] == [(), rejected]


def test_a_text_that_fits_is_not_split() -> None:
    assert split_long(text("a b"), characters, 3) == [text("a b")]


def test_text_is_split_at_paragraphs_first() -> None:
    assert pieces(text("One two. Three.\n\n    four five\n\nsix. seven"), 30) == [
        "One two. Three.", "    four five\n\nsix. seven"
    ]  # fmt: skip


def test_then_at_sentences_and_words() -> None:
    assert pieces(text("One two three. Four five six seven eight."), 22) == [
        "One two three.",
        "Four five six seven",
        "eight.",
    ]
    assert pieces(text("aaaa bbbb cccc dddd"), 10) == ["aaaa bbbb", "cccc dddd"]


def test_text_without_spaces_is_split_at_its_own_stops_or_anywhere() -> None:
    assert pieces(text("你好世界。这是一个测试。"), 8) == ["你好世界。", "这是一个测试。"]
    assert "".join(pieces(text("x" * 25), 10)) == "x" * 25


def test_where_not_even_a_character_fits_the_text_stays_whole() -> None:
    assert split_long(text("some words"), lambda conversation: 100, 10) == [text("some words")]


def test_a_text_of_spaces_stays_for_the_checks_that_follow() -> None:
    assert split_long(text(" " * 50), characters, 10) == [text(" " * 50)]


def test_splitting_asks_for_few_lengths() -> None:
    asked = 0

    def length(conversation: Conversation) -> int:
        nonlocal asked
        asked += characters(conversation)
        return characters(conversation)

    content = "Some words of a sentence. " * 8000
    split = split_long(text(content), length, 1000)
    assert asked < 7 * len(content)
    assert sum(characters(piece) for piece in split) > 0.9 * len(content)
    assert characters(split[0]) > 800


CONTENT = st.lists(st.sampled_from(["word", "。", ". ", "\n\n", "\r\n", " ", "  indented", "x" * 40, "é", "?” "])).map(
    "".join
)


@settings(max_examples=300)
@given(CONTENT, st.integers(1, 60))
def test_pieces_fit_and_lose_nothing_but_space(content: str, max_length: int) -> None:
    split = pieces(text(content), max_length)
    assert all(len(piece) <= max_length for piece in split) or split == [content]
    assert re.sub(r"\s", "", "".join(split)) == re.sub(r"\s", "", content)


@settings(max_examples=200)
@given(CONTENT, st.integers(1, 9))
def test_no_word_is_cut_that_would_fit(content: str, max_length: int) -> None:
    split = split_long(text(content), words, max_length)
    known = set(content.split())
    assert all(word in known for piece in split for word in piece.turns[0].content.split() if "。" not in content)
