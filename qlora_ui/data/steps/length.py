"""Conversations and texts that are too long, made to fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from qlora_ui.data.conversation import Conversation, Turn

Length = Callable[[Conversation], int]
"""The tokens of a conversation, before any cut."""
Turns = tuple[Turn, ...]


def cut_at_turn(conversation: Conversation, length: Length, max_length: int) -> Conversation:
    """The longest start of the conversation that fits, whole questions with their answers.

    Itself where it fits, and where even the first question with its answer does not, or holds nothing to learn.
    """
    if conversation.is_text or length(conversation) <= max_length:
        return conversation
    system, rounds = _rounds(conversation.turns)
    fitting, too_many = 0, len(rounds)
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if length(_with(conversation, system, rounds[:middle])) <= max_length:
            fitting = middle
        else:
            too_many = middle
    start = _with(conversation, system, rounds[:fitting])
    return start if _teaches(start) else conversation


def split_long(conversation: Conversation, length: Length, max_length: int) -> tuple[list[Conversation], int]:
    """The conversation in pieces that fit: between its rounds, each piece with the system turn; text at the ends of
    paragraphs, sentences or words.

    A single round that is too long stays whole. Pieces that hold nothing to learn are left out; how many comes second.
    """
    if length(conversation) <= max_length:
        return [conversation], 0
    if conversation.is_text:
        return list(_split_text(conversation, length, max_length)) or [conversation], 0
    system, rounds = _rounds(conversation.turns)
    pieces: list[list[Turns]] = []
    for turns in rounds:
        if pieces and length(_with(conversation, system, [*pieces[-1], turns])) <= max_length:
            pieces[-1].append(turns)
        else:
            pieces.append([turns])
    if len(pieces) < 2:
        return [conversation], 0
    split = [_with(conversation, system, piece) for piece in pieces]
    split[-1] = replace(split[-1], rejected=conversation.rejected)
    kept = [piece for piece in split if _teaches(piece)]
    return (kept, len(split) - len(kept)) if kept else ([conversation], 0)


def _rounds(turns: Turns) -> tuple[Turns, list[Turns]]:
    """What stands before the first question; then each question with all that follows it, calls and results too."""
    starts = [index for index, turn in enumerate(turns) if turn.role == "user"]
    if not starts:
        return turns, []
    ends = [*starts[1:], len(turns)]
    return turns[: starts[0]], [turns[start:end] for start, end in zip(starts, ends, strict=True)]


def _with(conversation: Conversation, system: Turns, rounds: list[Turns]) -> Conversation:
    """Without the rejected answer, which belongs to the last round."""
    return replace(conversation, turns=(*system, *(turn for turns in rounds for turn in turns)), rejected=())


def _teaches(conversation: Conversation) -> bool:
    return any(turn.trained for turn in conversation.turns)


_ENDS = (
    re.compile(r"\r?\n(?:[^\S\n]*\n)+"),
    re.compile(r"(?<=[.!?…])[\"'”’)\]]{0,3}(\s+)|(?<=[。！？])()(?!\Z)"),
    re.compile(r"(\s+)"),
)
"""Where a text is cut, the best first: paragraphs, sentences, words. What the group holds is left out."""


def _split_text(conversation: Conversation, length: Length, max_length: int) -> Iterator[Conversation]:
    text = conversation.turns[0].content
    start = 0
    size = len(text) * max_length // length(conversation)
    while start < len(text):
        size = _fitting(conversation, text, start, max(1, size), length, max_length)
        end = next_start = start + size if size else len(text)  # where not one character fits, the rest stays whole
        if end < len(text):
            end, next_start = _good_end(text, start, end)
            whole = _end_of_word(text, end)
            if whole > end and length(_piece(conversation, text[start:whole])) <= max_length:
                end, next_start = whole, _end_of_space(text, whole)  # the last few per cent were enough for the word
        if not text[start:end].isspace():
            yield _piece(conversation, text[start:end])
        start = next_start


def _fitting(conversation: Conversation, text: str, start: int, guess: int, length: Length, max_length: int) -> int:
    """How many characters from `start` on fit, at most 5 % less than would. A good `guess` saves asking."""

    def fits(size: int) -> bool:
        return length(_piece(conversation, text[start : start + size])) <= max_length

    left = len(text) - start
    fitting, too_long = 0, left + 1
    size = min(guess, left)
    while size > fitting and too_long - fitting > max(1, fitting // 20):
        if fits(size):
            fitting = size
        else:
            too_long = size
        size = min(size * 9 // 8 + 1, left) if too_long > left else (fitting + too_long) // 2
    return fitting


def _good_end(text: str, start: int, limit: int) -> tuple[int, int]:
    """Where the piece ends and where the next one starts: at a good place of its second half, else at the end of any
    word, and at the limit only where a single word fills the piece."""
    window = text[start : limit + 1]
    half = len(window) // 2
    for pattern, first in (*((pattern, half) for pattern in _ENDS), (_ENDS[-1], 1)):
        last = None
        for match in pattern.finditer(window, first):
            last = match
        if last is not None and pattern is _ENDS[0]:
            return start + last.start(), start + last.end()  # the next one keeps the indentation of its first line
        if last is not None:
            space = last.lastindex or 0
            return start + last.start(space), _end_of_space(text, start + last.end(space))
    return limit, _end_of_space(text, limit)


def _end_of_word(text: str, start: int) -> int:
    """Where the word ends that `start` lies within; `start` itself where it lies between two."""
    if start == 0 or text[start - 1].isspace():
        return start
    while start < len(text) and not text[start].isspace():
        start += 1
    return start


def _end_of_space(text: str, start: int) -> int:
    while start < len(text) and text[start].isspace():
        start += 1
    return start


def _piece(conversation: Conversation, text: str) -> Conversation:
    return replace(conversation, turns=(replace(conversation.turns[0], content=text),))
