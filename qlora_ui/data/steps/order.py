"""Turns brought into the order that training needs: system, then user and assistant by turns."""

from __future__ import annotations

from dataclasses import replace

from qlora_ui.data.conversation import Conversation, Turn


def mend_order(conversation: Conversation) -> Conversation:
    """Leave out what stands before the first question (but for the system turn) and after the last answer, and join
    neighbours of one role with a blank line.

    Left as they are, and so found wanting afterwards: conversations without a question or without an answer; a system
    turn further down, for moving it would change what the answers before it answered; neighbours of which only one is
    trained; a call that nothing answers; results of tools, of which several may follow each other.
    """
    turns = _between(conversation.turns)
    joined: list[Turn] = []
    for turn in turns:
        if joined and _belong_together(joined[-1], turn):
            joined[-1] = _joined(joined[-1], turn)
        else:
            joined.append(turn)
    return conversation if tuple(joined) == conversation.turns else replace(conversation, turns=tuple(joined))


def _between(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """From the first question to the last answer, with the system turns before."""
    roles = [turn.role for turn in turns]
    if "user" not in roles or "assistant" not in roles[roles.index("user") :]:
        return turns
    first, end = roles.index("user"), len(roles) - roles[::-1].index("assistant")
    return (*(turn for turn in turns[:first] if turn.role == "system"), *turns[first:end])


def _belong_together(first: Turn, second: Turn) -> bool:
    return (
        first.role == second.role
        and first.role in ("system", "user", "assistant")
        and first.trained == second.trained
        and not first.calls
    )


def _joined(first: Turn, second: Turn) -> Turn:
    content = "\n\n".join(content for content in (first.content, second.content) if content)
    return replace(second, content=content)
