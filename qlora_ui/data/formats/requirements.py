"""What a conversation must be like to be trained, asked after the steps that may mend it."""

from __future__ import annotations

from qlora_ui.data.conversation import Conversation, Role, Turn
from qlora_ui.data.places import data_error

_ORDER = "A conversation is: system (if any), then user and assistant by turns, with assistant last."

_FOLLOWS: dict[Role | None, tuple[Role, ...]] = {
    None: ("user", "system"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user", "tool"),
    "tool": ("assistant", "tool"),
}
"""What may stand behind a turn, and at the start; the first is what is mostly expected."""


def require_trainable(conversation: Conversation) -> None:
    """Raise DataError, with the place of the row and the turn, for turns in a wrong order and for empty ones.

    A tool may give nothing back, and a system turn may be empty: it keeps a template from putting in one of its own.
    """
    turns = conversation.turns
    if problem := order_problem(conversation):
        hint = _ORDER if len(turns) > 1 else "Only a row with an answer can be learnt from. Take the row out."
        raise data_error(conversation.place, problem, hint)
    for number, turn in enumerate(turns, start=1):
        if turn.role not in ("system", "tool") and _is_empty(turn):
            raise data_error(conversation.place, _emptiness(turn, number), "Fill it in, or take the row out.")


def order_problem(conversation: Conversation) -> str:
    """What is wrong with the order of the turns, as a sentence that starts small; empty where nothing is."""
    turns = conversation.turns
    if conversation.is_text:
        return ""
    before: Role | None = None
    for number, turn in enumerate(turns, start=1):
        if turn.role not in _FOLLOWS[before]:
            return _misplaced(turn.role, before, number)
        before = turn.role
    if before is None:
        return "there are no turns."
    if before != "assistant":
        return f"the last turn is {before}, so there is no answer to learn."
    return ""


def _misplaced(role: Role, before: Role | None, number: int) -> str:
    expected = " or ".join(_FOLLOWS[before])
    if role == "tool":
        return f"turn {number} is the result of a tool, but no assistant turn right before it calls one."
    if role == "system":
        return f"turn {number} is system, which may only stand at the start."
    if before is None:
        return f"turn {number} is {role} at the start, where {expected} was expected."
    return f"turn {number} is {role} right after {before}, where {expected} was expected."


def _is_empty(turn: Turn) -> bool:
    return not turn.calls and (not turn.content or turn.content.isspace())


def _emptiness(turn: Turn, number: int) -> str:
    if turn.role == "text":
        return "the text is empty."
    if turn.role == "assistant":
        return f"the answer is empty (turn {number})."
    return f"turn {number}, of the user, is empty."
