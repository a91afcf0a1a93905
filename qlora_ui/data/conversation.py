"""What every row becomes, whatever its format was: a list of turns."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

Role = Literal["system", "user", "assistant", "tool", "text"]


class Message(TypedDict):
    """A turn as chat templates want it."""

    role: str
    content: str
    tool_calls: NotRequired[list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    """`text` is plain text without any roles; it is always the only turn of its conversation."""
    content: str
    """May be empty where `calls` is not."""
    trained: bool = False
    """The model learns to write this turn, with the token that ends it."""
    calls: str = ""
    """The tools that an assistant's turn calls, as JSON: `[{"name": …, "arguments": {…}}, …]`; empty for none."""

    @property
    def message(self) -> Message:
        message: Message = {"role": self.role, "content": self.content}
        if self.calls:
            message["tool_calls"] = [{"type": "function", "function": call} for call in json.loads(self.calls)]
        return message


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of one row, oldest first."""

    turns: tuple[Turn, ...]
    place: str = ""
    """Where it came from, for messages to people: `train.jsonl, line 17`."""
    number: int = 0
    """The row's number, from 1."""
    tools: str = ""
    """The tools that may be called, as JSON: a list of function schemas; empty for none."""
    rejected: tuple[Turn, ...] = ()
    """Of a preference pair: the answer that is not wanted, in place of the last turn. Supervised training leaves it."""
    desirable: bool | None = None
    """Of a KTO row: whether its answer is wanted. Supervised training trains the wanted ones."""
    group: str = ""
    """The value of the column by which rows stay together in a split, as text; empty for none."""

    @property
    def is_text(self) -> bool:
        """Plain text, which no chat template is laid around."""
        return len(self.turns) == 1 and self.turns[0].role == "text"

    @property
    def messages(self) -> list[Message]:
        return [turn.message for turn in self.turns]

    @property
    def fingerprint(self) -> str:
        """The same for two conversations exactly when they are trained alike (SHA-256 in hexadecimal)."""
        digest = hashlib.sha256()
        for turn in self.turns:
            content, calls = turn.content.encode(), turn.calls.encode()
            head = f"{turn.role} {turn.trained} {len(content)} {len(calls)} "
            digest.update(head.encode() + content + calls)
        if self.tools:
            digest.update(b"tools " + self.tools.encode())
        return digest.hexdigest()
