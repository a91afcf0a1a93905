"""Tools and the calls of them, in the ways that they are written in data, as the one JSON that templates are given."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from qlora_ui.data.conversation import Turn
from qlora_ui.data.formats.values import is_missing, packed, unpacked
from qlora_ui.data.places import data_error

_CALL_KEYS = frozenset({"name", "arguments", "id", "type"})
_HINT = 'Write [{"name": "…", "parameters": {…}}].'


def calls_in(content: Any) -> str:
    """The calls that the content of a turn is made of: `{"name": …, "arguments": …}` or a list of these, also as text.

    Empty where it is anything else, or says more than its calls do.
    """
    found = unpacked(content)
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(
        isinstance(call, dict) and "arguments" in call and call.keys() <= _CALL_KEYS for call in calls
    ):
        return ""
    return _written(calls)


def calls_of(message: dict[str, Any]) -> str | None:
    """The calls in `tool_calls`, or in the older `function_call`, as JSON; empty where there are none.

    None where these keys hold something that is no call.
    """
    calls = _listed(message.get("tool_calls")) or _listed(message.get("function_call"))
    if not calls:
        return ""
    bare = [(call.get("function") or call) if isinstance(call, dict) else call for call in calls]
    return _written(bare) or None


def in_order_of_calls(messages: list[Any], turns: list[Turn]) -> list[Turn]:
    """The turns, with the results of several calls in the order of these: what `tool_call_id` said, the order says."""
    start = 0
    while start < len(turns):
        end = start + 1
        while end < len(turns) and turns[end].role == "tool":
            end += 1
        if end - start > 2 and turns[start].calls:
            ids = [call.get("id") for call in _listed(messages[start].get("tool_calls")) if isinstance(call, dict)]
            order = [messages[index].get("tool_call_id") for index in range(start + 1, end)]
            if None not in order and all(order.count(id_) == ids.count(id_) == 1 for id_ in order):
                results = zip(order, turns[start + 1 : end], strict=True)
                turns[start + 1 : end] = [turn for _, turn in sorted(results, key=lambda pair: ids.index(pair[0]))]
        start = end
    return turns


def tools_of(value: Any, column: str, place: str) -> str:
    """The tools that a row offers, as JSON: a list of `{"type": "function", "function": {…}}`; empty for none.

    Takes such a list, a list of bare schemas (`{"name", "description", "parameters"}`), and either as JSON text.
    """
    if is_missing(value) or value in ("", "[]", []):
        return ""
    tools = _read(value) if isinstance(value, str) else _wrapped(value)
    if tools is None:
        raise data_error(place, f"the column {column} must be a list of tools, each an object with a name.", _HINT)
    return tools


@lru_cache(maxsize=256)  # mostly the same few texts, row after row
def _read(text: str) -> str | None:
    return _wrapped(unpacked(text)) if text.strip() else ""


def _wrapped(value: Any) -> str | None:
    tools = value if isinstance(value, list) else [value]
    if not all(
        isinstance(tool, dict) and (tool.get("name") or isinstance(tool.get("function"), dict)) for tool in tools
    ):
        return None
    whole = [
        tool if isinstance(tool.get("function"), dict) else {"type": "function", "function": tool} for tool in tools
    ]
    return packed(whole) if whole else ""


def _listed(value: Any) -> list[Any]:
    """A list, a single object as a list of it, or either as JSON text; empty for nothing."""
    found = unpacked(value)
    if is_missing(found) or found in ({}, ""):
        return []
    return found if isinstance(found, list) else [found]


def _written(calls: list[Any]) -> str:
    """`[{"name": …, "arguments": {…}}, …]`; empty where one of them has no name."""
    if not all(isinstance(call, dict) and isinstance(call.get("name"), str) and call["name"] for call in calls):
        return ""
    return packed([{"name": call["name"], "arguments": _arguments(call.get("arguments"))} for call in calls]) or ""


def _arguments(value: Any) -> Any:
    """Arguments as an object; what is no JSON object stays as it is."""
    found = unpacked(value)
    return {} if is_missing(found) or found == "" else found
