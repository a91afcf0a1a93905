"""What a chat template knows besides users and assistants, and how to say the rest in turns that it knows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qlora_ui.data.conversation import Message
from qlora_ui.data.templates.sandbox import ChatTemplateError

Raw = Callable[[Sequence[Message], list[dict[str, Any]] | None, bool], str]
"""Messages, tools and whether to end with a generation prompt → text. Raises ChatTemplateError."""

_ASKED: Message = {"role": "user", "content": "ask\ue020"}
_ANSWERED: Message = {"role": "assistant", "content": "answer\ue021"}
_CALL = {"name": "call\ue022", "arguments": {"key\ue023": "value\ue024"}}
_RESULT = "result\ue025"
_SYSTEM = "system\ue026"
_TOOL = {
    "type": "function",
    "function": {
        "name": "tool\ue027",
        "description": "what it does",
        "parameters": {"type": "object", "properties": {"key": {"type": "string", "description": "a text"}}},
    },
}


@dataclass(frozen=True, slots=True)
class Abilities:
    """Of a chat template."""

    system: bool
    """It does not refuse a system turn."""
    tools: bool
    """It writes the schemas of tools."""
    calls: bool
    """It writes an assistant's calls of tools, and the results of tools in turns of their own."""
    call_ids: bool = False
    """It does so only when calls have ids."""


def probe(raw: Raw) -> Abilities:
    """Ask a template what it knows."""
    ids = False
    calls = _writes_calls(raw, ids=False)
    if not calls:
        calls = ids = _writes_calls(raw, ids=True)
    return Abilities(
        system=_render(raw, [{"role": "system", "content": _SYSTEM}, _ASKED], None, True) is not None,
        tools="tool\ue027" in (_render(raw, [_ASKED], [_TOOL], True) or ""),
        calls=calls,
        call_ids=ids,
    )


def adapted(
    messages: Sequence[Message], tools: list[dict[str, Any]] | None, abilities: Abilities
) -> tuple[list[Message], list[dict[str, Any]] | None]:
    """Messages and tools in words that the template knows."""
    told = list(messages)
    if not abilities.calls:
        told = _with_calls_as_text(told)
    elif abilities.call_ids:
        told = _with_ids(told)
    if tools and not abilities.tools:
        told, tools = _with_tools_as_text(told, tools), None
    if not abilities.system:
        told = _with_system_folded(told)
    return told, tools or None


def calls_as_text(calls: Sequence[dict[str, Any]]) -> str:
    """One JSON object a line: `{"name": …, "arguments": {…}}`."""
    return "\n".join(json.dumps(call["function"], ensure_ascii=False) for call in calls)


def tools_as_text(tools: list[dict[str, Any]]) -> str:
    """What a model is told of tools by a template that does not speak of them."""
    listed = json.dumps(tools, ensure_ascii=False)
    return f'You can call these tools by writing {{"name": …, "arguments": {{…}}}}:\n{listed}'


def _writes_calls(raw: Raw, *, ids: bool) -> bool:
    calling: Message = {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": _CALL}]}
    messages: list[Message] = [_ASKED, calling, {"role": "tool", "content": _RESULT}, _ANSWERED]
    text = _render(raw, _with_ids(messages) if ids else messages, [_TOOL], False) or ""
    return all(part in text for part in ("call\ue022", "key\ue023", "value\ue024", _RESULT))


def _render(raw: Raw, messages: list[Message], tools: list[dict[str, Any]] | None, prompt: bool) -> str | None:
    try:
        return raw(messages, tools, prompt)
    except ChatTemplateError:
        return None


def _with_calls_as_text(messages: list[Message]) -> list[Message]:
    told: list[Message] = []
    for message in messages:
        if "tool_calls" in message:
            parts = [message["content"], calls_as_text(message["tool_calls"])]
            told.append({"role": "assistant", "content": "\n".join(part for part in parts if part)})
        elif message["role"] != "tool":
            told.append(message)
        elif told and told[-1]["role"] == "user":  # several results after one another
            told[-1] = {"role": "user", "content": f"{told[-1]['content']}\n{message['content']}"}
        else:
            told.append({"role": "user", "content": message["content"]})
    return told


def _with_ids(messages: list[Message]) -> list[Message]:
    """Ids of nine letters and digits, which is what Mistral's templates insist on."""
    told: list[Message] = []
    waiting: list[str] = []
    number = 0
    for message in messages:
        if "tool_calls" in message:
            calls = []
            for call in message["tool_calls"]:
                calls.append({**call, "id": f"call{number:05d}"})
                waiting.append(calls[-1]["id"])
                number += 1
            message = {**message, "tool_calls": calls}
        elif message["role"] == "tool":
            answered: Any = {**message, "tool_call_id": waiting.pop(0) if waiting else "call00000"}
            message = answered
        told.append(message)
    return told


def _with_tools_as_text(messages: list[Message], tools: list[dict[str, Any]]) -> list[Message]:
    text = tools_as_text(tools)
    if messages and messages[0]["role"] == "system":
        return [{"role": "system", "content": f"{text}\n\n{messages[0]['content']}"}, *messages[1:]]
    return [{"role": "system", "content": text}, *messages]


def _with_system_folded(messages: list[Message]) -> list[Message]:
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return messages
    head = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{"role": "user", "content": head}, *messages[2:]]
