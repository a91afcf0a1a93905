"""What a chat template writes around the contents of a conversation: the same for all with the same turns.

A template is asked once for each sequence of roles where the answers lie. For a row with the same roles the contents
are put into the skeleton, and if that makes the very text that the template rendered of the row, the spans follow.
Where it does not (a template that takes out thinking, say), the caller has to ask for this row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from qlora_ui.data.conversation import Conversation, Turn
from qlora_ui.data.encoding.answers import AnswerFinder, ends_with_special
from qlora_ui.data.templates.render import Renderer
from qlora_ui.data.templates.sandbox import ChatTemplateError, Span

_PAD = " \n"
_STRIPS: tuple[tuple[bool, bool, Callable[[str], str]], ...] = (
    (True, True, str),
    (False, False, str.strip),
    (False, True, str.lstrip),
    (True, False, str.rstrip),
)
"""Whether a template keeps the white space before and after a content → how to make of the content what it writes."""

_Place = tuple[int, int]
"""The number of a literal and a position in it."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The text around the contents, and where the answers lie in it."""

    literals: tuple[str, ...]
    """One more than there are turns."""
    strips: tuple[Callable[[str], str], ...]
    """One for each turn."""
    answers: tuple[tuple[_Place, _Place], ...]
    """Start and end of each assistant's turn."""
    ends: bool | None
    """The text ends with a special token; None when that hangs on the contents."""

    def spans(self, turns: Sequence[Turn], text: str) -> list[Span] | None:
        """Of each assistant's turn; None when the template made something else of these turns."""
        contents = [strip(turn.content) for strip, turn in zip(self.strips, turns, strict=True)]
        pieces = [*chain.from_iterable(zip(self.literals, contents, strict=False)), self.literals[-1]]
        if "".join(pieces) != text:
            return None
        at = [0, *accumulate(map(len, pieces))]  # literal i starts at at[2 * i]
        return [(at[2 * i] + before, at[2 * j] + after) for (i, before), (j, after) in self.answers]


def skeleton(shape: Conversation, renderer: Renderer, finder: AnswerFinder) -> Skeleton | None:
    """Of conversations with the turns and tools of `shape`, whose contents do not matter; None when the template hides
    where the answers lie, or leaves out a turn or changes their order."""
    marks = [f"\ue000{index}\ue001" for index in range(len(shape.turns))]
    try:
        messages, tools = renderer.messages(_filled(shape, marks))
        text = renderer.render(messages, tools)
        spans = finder.spans(messages, tools, text)
        spacious = renderer.messages(_filled(shape, [_PAD + mark + _PAD for mark in marks]))
        padded = _split(renderer.render(*spacious), marks)
    except ChatTemplateError:
        return None
    literals = _split(text, marks)
    if literals is None or spans is None:
        return None
    answers = []
    for span in spans:
        start, end = (_place(position, literals, marks) for position in span)
        if start is None or end is None:
            return None
        answers.append((start, end))
    ends = ends_with_special(text, renderer.tokenizer) if literals[-1].strip() else None
    return Skeleton(tuple(literals), _strips(literals, padded), tuple(answers), ends)


def _filled(shape: Conversation, contents: list[str]) -> Conversation:
    turns = (Turn(turn.role, content) for turn, content in zip(shape.turns, contents, strict=True))
    return Conversation(tuple(turns), tools=shape.tools)


def _split(text: str, marks: list[str]) -> list[str] | None:
    """What lies around the marks, if each is there once and they stand in their order."""
    literals = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found:
            return None
        literals.append(before)
    return None if any(mark in part for part in (*literals, text) for mark in marks) else [*literals, text]


def _place(position: int, literals: list[str], marks: list[str]) -> _Place | None:
    """Which literal a position lies in; None inside a content."""
    for number, literal in enumerate(literals):
        if position <= len(literal):
            return (number, position) if position >= 0 else None
        position -= len(literal) + (len(marks[number]) if number < len(marks) else 0)
    return None


def _strips(literals: list[str], padded: list[str] | None) -> tuple[Callable[[str], str], ...]:
    """What the template does to white space around each content, seen by contents that have some."""
    turns = len(literals) - 1
    if padded is None:
        return (str,) * turns
    strips = []
    for turn in range(turns):
        before = padded[turn].endswith(_PAD) and not literals[turn].endswith(_PAD)
        after = padded[turn + 1].startswith(_PAD) and not literals[turn + 1].startswith(_PAD)
        strips.append(next(strip for left, right, strip in _STRIPS if (left, right) == (before, after)))
    return tuple(strips)
