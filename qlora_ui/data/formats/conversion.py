"""The values of one row → its turns, one function a format."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Role, Turn
from qlora_ui.data.places import data_error

Values = Mapping[str, Any]
"""Part → value, as `Detected.mapping` names the parts; None where the row has no such column."""

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}
"""What roles are called in the wild → what they are called here."""


def parse_turns(value: Any) -> Any:
    """A list of turns, also where a table holds it as JSON text; anything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _alpaca(values: Values, place: str) -> list[Turn]:
    turns = _system(values, place)
    history = parse_turns(values.get("history")) or []
    if not isinstance(history, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in history):
        raise data_error(place, "history must be a list of pairs.", 'Write [["question", "answer"], …].')
    for asked, answered in history:
        turns += [_user(asked, "history", place), _assistant(answered, "history", place)]
    ask = _joined(_text(values["instruction"], "instruction", place), _optional(values, "input", place))
    return [*turns, Turn("user", ask), _assistant(values["output"], "output", place)]


def _question_answer(values: Values, place: str) -> list[Turn]:
    ask = _joined(_optional(values, "input", place), _text(values["question"], "question", place))
    return [*_system(values, place), Turn("user", ask), _assistant(values["answer"], "answer", place)]


def _prompt_completion(values: Values, place: str) -> list[Turn]:
    prompt, completion = _chat(values["prompt"]), _chat(values["completion"])
    if prompt is not None and completion is not None:
        asked, answered = _turns(prompt, place, "role"), _turns(completion, place, "role")
        asked = [Turn(turn.role, turn.content) for turn in asked]  # what is given is not learnt, whoever said it
        return _ordered([*_system(values, place), *asked, *answered], place)
    ask, answer = _user(values["prompt"], "prompt", place), _assistant(values["completion"], "completion", place)
    return [*_system(values, place), ask, answer]


def _messages(values: Values, place: str) -> list[Turn]:
    return _ordered([*_system(values, place), *_turns(values["turns"], place, "role")], place)


def _sharegpt(values: Values, place: str) -> list[Turn]:
    return _ordered([*_system(values, place), *_turns(values["turns"], place, "from")], place)


def _plain_text(values: Values, place: str) -> list[Turn]:
    return [Turn("text", _text(values["text"], "text", place), trained=True)]


CONVERTERS: dict[str, Callable[[Values, str], list[Turn]]] = {
    "alpaca": _alpaca,
    "sharegpt": _sharegpt,
    "messages": _messages,
    "prompt_completion": _prompt_completion,
    "question_answer": _question_answer,
    "text": _plain_text,
}
"""Format → how its rows become turns. Each raises DataError with the place it is given."""


def _chat(value: Any) -> list[Any] | None:
    """The value as a list of messages; None for anything else."""
    parsed = parse_turns(value)
    is_chat = isinstance(parsed, list) and bool(parsed) and all(isinstance(message, dict) for message in parsed)
    return parsed if is_chat else None


def _turns(value: Any, place: str, role_key: str) -> list[Turn]:
    parsed = parse_turns(value)
    if not isinstance(parsed, list) or not parsed:
        raise data_error(place, "the conversation must be a list with at least one message.", _example(role_key))
    return [_turn(message, number, place, role_key) for number, message in enumerate(parsed, start=1)]


def _turn(message: Any, number: int, place: str, role_key: str) -> Turn:
    content_key = "content" if role_key == "role" else "value"
    where = f"message {number}"
    if not isinstance(message, dict):
        raise data_error(place, f"{where} must be an object.", _example(role_key))
    for key in (role_key, content_key):
        if key not in message:
            raise data_error(
                place, f"{where} has no {key}; it has {', '.join(message) or 'nothing'}.", _example(role_key)
            )
    name = message[role_key]
    role = _ROLES.get(name.strip().lower()) if isinstance(name, str) else None
    if role is None:
        known = ", ".join(_ROLES)
        raise data_error(place, f"{where} has the unknown role {name!r}.", f"Known roles: {known}.")
    if message.get("tool_calls"):
        problem = f"{where} calls tools through tool_calls, which cannot be trained."
        raise data_error(place, problem, "Write the call as the text of the message.")
    content = _text(_parts(message[content_key], where, place), where, place)
    return Turn(role, content, trained=role == "assistant" and message.get("weight", 1) != 0)


def _parts(content: Any, where: str, place: str) -> Any:
    """Content given as a list of parts, joined; parts that are not text cannot be trained."""
    if not isinstance(content, list):
        return content
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            kind = part.get("type", "no type") if isinstance(part, dict) else type(part).__name__
            raise data_error(place, f"{where} holds a part that is no text ({kind}).", "Only text can be trained.")
    return "".join(part["text"] for part in content)


def _ordered(turns: list[Turn], place: str) -> list[Turn]:
    """The turns, if they follow each other as in a conversation: system first, user and assistant by turns."""
    before: Role | None = None
    for number, turn in enumerate(turns, start=1):
        if turn.role not in _FOLLOWS[before]:
            raise data_error(place, f"turn {number} is {turn.role} {_after(before)}.", _ORDER)
        before = turn.role
    if before != "assistant":
        raise data_error(place, f"the last turn is {before}, so there is no answer to learn.", _ORDER)
    return turns


_FOLLOWS: dict[Role | None, tuple[Role, ...]] = {
    None: ("system", "user"),
    "system": ("user",),
    "user": ("assistant",),
    "assistant": ("user", "tool"),
    "tool": ("assistant", "tool"),
}
_ORDER = "A conversation is: system (if any), then user and assistant by turns, with assistant last."


def _after(role: Role | None) -> str:
    return "at the start" if role is None else f"right after {role}"


def _example(role_key: str) -> str:
    if role_key == "role":
        return 'Write [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].'
    return 'Write [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}].'


def _system(values: Values, place: str) -> list[Turn]:
    content = _optional(values, "system", place)
    return [Turn("system", content)] if content else []


def _user(value: Any, part: str, place: str) -> Turn:
    return Turn("user", _text(value, part, place))


def _assistant(value: Any, part: str, place: str) -> Turn:
    return Turn("assistant", _text(value, part, place), trained=True)


def _optional(values: Values, part: str, place: str) -> str:
    """The text of a part that may be absent or empty."""
    value = values.get(part)
    return (
        ""
        if value is None or _is_nan(value) or (isinstance(value, str) and not value.strip())
        else _text(value, part, place)
    )


def _text(value: Any, part: str, place: str) -> str:
    """Text as it is, spaces and all; a number as its digits. Raises DataError for what is empty or something else."""
    if _is_nan(value):
        raise _no_text(None, part, place)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    raise _no_text(value, part, place)


def _is_nan(value: Any) -> bool:
    """What tables write into an empty cell of a column of numbers."""
    return isinstance(value, float) and math.isnan(value)


def _no_text(value: Any, part: str, place: str) -> DataError:
    if value is None or isinstance(value, str):
        return data_error(place, f"{part} is empty.", "Fill it in, or take the row out.")
    return data_error(place, f"{part} must be text, but it is {type(value).__name__}.", "Write it as text.")


def _joined(first: str, second: str) -> str:
    return f"{first}\n\n{second}" if first and second else first or second
