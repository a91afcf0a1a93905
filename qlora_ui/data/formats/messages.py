"""Lists of messages, in whose words ever, as turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Role, Turn
from qlora_ui.data.formats.tools import calls_in, calls_of, in_order_of_calls
from qlora_ui.data.formats.values import kind_of, listed, packed, text_of, unpacked
from qlora_ui.data.places import data_error

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "ai": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
    "function_response": "tool",
    "ipython": "tool",
}
"""What roles are called in the wild → what they are called here."""

REASONING = ("reasoning_content", "reasoning", "thinking")
"""Keys under which an assistant's message holds what was thought before the answer."""

READ = frozenset({"tool_calls", "tool_call_id", "function_call", "weight", *REASONING})
"""Keys of a message that are used, besides those of its role and its content."""


class _At(NamedTuple):
    """Which message is read."""

    number: int
    """1 for the first one."""
    column: str
    place: str


@dataclass(frozen=True, slots=True)
class Speech:
    """How messages are written in some data."""

    role_key: str
    content_key: str
    roles: Mapping[str, Role]
    """What a speaker is called, in small letters → the role."""

    @property
    def example(self) -> str:
        role, text = self.role_key, self.content_key
        user, assistant = ("human", "gpt") if role == "from" else ("user", "assistant")
        return f'Write [{{"{role}": "{user}", "{text}": "…"}}, {{"{role}": "{assistant}", "{text}": "…"}}].'

    def turns(self, value: Any, column: str, place: str) -> list[Turn]:
        """The value as turns, the assistant's being trained. Raises DataError for what is no list of messages."""
        found = value if isinstance(value, list) else unpacked(value)
        if not isinstance(found, list) or not found:
            problem = f"the column {column} must be a list of messages, but it is {kind_of(value)}."
            raise data_error(place, problem, self.example)
        turns = [self._turn(message, _At(n, column, place)) for n, message in enumerate(found, start=1)]
        return in_order_of_calls(found, turns)

    def _turn(self, message: Any, at: _At) -> Turn:
        if not isinstance(message, dict):
            problem = f"message {at.number} in the column {at.column} must be an object, but it is {kind_of(message)}."
            raise data_error(at.place, problem, self.example)
        name = message.get(self.role_key)
        role = self.roles.get(name) if type(name) is str else None
        if role is None:
            role = self._role(message, at)
        calls = calls_of(message)
        if calls is None or (calls and role != "assistant"):
            raise _bad_calls(role, at)
        content = message.get(self.content_key)
        if role == "assistant" and not calls and "call" in str(name):
            calls = calls_in(content)
            content = "" if calls else content
        if type(content) is not str:
            content = self._content(content, role, calls, message, at)
        if role == "assistant":
            return Turn(role, _thought(message) + content, message.get("weight") != 0, calls)
        return Turn(role, content)

    def _role(self, message: dict[str, Any], at: _At) -> Role:
        """The role of a speaker whose name is not written as known. Raises DataError for one that is not known."""
        if self.role_key not in message:
            raise self._without(self.role_key, message, at)
        name = message[self.role_key]
        if not isinstance(name, str):
            problem = (
                f"the role of message {at.number} in the column {at.column} must be text, but it is {kind_of(name)}."
            )
            raise data_error(at.place, problem, self.example)
        role = self.roles.get(name.strip().lower())
        if role is None:
            problem = f"message {at.number} in the column {at.column} has the unknown role {name[:80]!r}."
            hint = f"Assign it a role in the mapping, or use a known one: {', '.join(ROLES)}."
            raise data_error(at.place, problem, hint)
        return role

    def _content(self, value: Any, role: Role, calls: str, message: dict[str, Any], at: _At) -> str:
        """Content that is no plain text."""
        if self.content_key not in message and not calls:
            raise self._without(self.content_key, message, at)
        is_parts = isinstance(value, list) and (role != "tool" or _has_types(value))
        if is_parts:
            return _joined_parts(value, at)
        is_result = role == "tool" and isinstance(value, list | dict)  # what a tool gives back is often an object
        text = packed(value) if is_result else text_of(value)
        if text is None:
            column, kind = at.column, kind_of(value)
            problem = f"the content of message {at.number} in the column {column} must be text, but it is {kind}."
            raise data_error(at.place, problem, self.example)
        return text

    def _without(self, key: str, message: dict[str, Any], at: _At) -> DataError:
        keys = listed(message) or "nothing"
        problem = f"message {at.number} in the column {at.column} has no {key}; it has {keys}."
        return data_error(at.place, problem, self.example)


def _thought(message: dict[str, Any]) -> str:
    """What was thought before the answer, as the models that think write it."""
    for key in REASONING:
        if isinstance(thought := message.get(key), str) and thought.strip():
            return f"<think>\n{thought.strip()}\n</think>\n\n"
    return ""


def _has_types(content: list[Any]) -> bool:
    return bool(content) and all(isinstance(part, dict) and "type" in part for part in content)


def _joined_parts(content: list[Any], at: _At) -> str:
    """Content given as a list of parts; those that are not text cannot be trained."""
    texts = []
    for part in content:
        text, kind = part, "text"
        if not isinstance(part, str):
            kind = part.get("type", "text") if isinstance(part, dict) else kind_of(part)
            text = part.get(kind) if kind in ("text", "refusal") else None
        if not isinstance(text, str):
            raise _bad_part(kind, text, at)
        texts.append(text)
    return "".join(texts)


def _bad_part(kind: Any, text: Any, at: _At) -> DataError:
    number, column, hint = at.number, at.column, "Take the part out, or leave the row out."
    if kind in ("text", "refusal"):
        found = kind_of(text)
        problem = f"message {number} in the column {column} holds a part whose {kind} must be text, but it is {found}."
        return data_error(at.place, problem, hint)
    kind = str(kind)[:80]
    problem = f"message {number} in the column {column} holds a part of the kind {kind}, but only text can be trained."
    return data_error(at.place, problem, hint)


def _bad_calls(role: Role, at: _At) -> DataError:
    number, column = at.number, at.column
    if role != "assistant":
        problem = f"message {number} in the column {column} calls tools, but its role is {role}, not assistant."
        return data_error(at.place, problem, "Correct its role.")
    hint = 'Write "tool_calls": [{"type": "function", "function": {"name": "…", "arguments": {…}}}].'
    problem = f"message {number} in the column {column} has tool_calls that are no list of calls with a name."
    return data_error(at.place, problem, hint)
