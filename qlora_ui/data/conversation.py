"""What every row becomes, whatever its format was: a list of turns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, TypedDict

Role = Literal["system", "user", "assistant", "tool", "text"]


class Message(TypedDict):
    """A turn as chat templates want it."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Turn:
    role: Role
    """`text` is plain text without any roles; it is always the only turn of its conversation."""
    content: str
    trained: bool = False
    """The model learns to write this turn, with the token that ends it."""

    @property
    def message(self) -> Message:
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of one row, oldest first."""

    turns: tuple[Turn, ...]
    place: str = ""
    """Where it came from, for messages to people: `train.jsonl, line 17`."""
    number: int = 0
    """The row's number in its file, from 1."""

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
            content = turn.content.encode()
            digest.update(f"{turn.role} {turn.trained} {len(content)} ".encode() + content)
        return digest.hexdigest()
