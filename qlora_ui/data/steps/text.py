"""Changes to the text of every turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qlora_ui.data.conversation import Conversation, Turn

Change = Callable[[str], str]


def change_text(conversation: Conversation, change: Change, *, calls: bool = False) -> Conversation:
    """The conversation with every turn's text changed, also a rejected answer's, and with `calls` the text in the
    arguments of calls. Itself where nothing changes."""
    turns = tuple(_changed(turn, change, calls) for turn in conversation.turns)
    rejected = tuple(_changed(turn, change, calls) for turn in conversation.rejected)
    if turns == conversation.turns and rejected == conversation.rejected:
        return conversation
    return replace(conversation, turns=turns, rejected=rejected)


def _changed(turn: Turn, change: Change, calls: bool) -> Turn:
    content = change(turn.content)
    called = _changed_json(turn.calls, change) if calls and turn.calls else turn.calls
    return turn if content == turn.content and called == turn.calls else replace(turn, content=content, calls=called)


def _changed_json(text: str, change: Change) -> str:
    """JSON with its texts changed, and numbers that become a text by it; as it stands where nothing changes."""
    value = json.loads(text)
    changed = _changed_value(value, change)
    return text if changed == value else json.dumps(changed, ensure_ascii=False)


def _changed_value(value: Any, change: Change) -> Any:
    match value:
        case str():
            return change(value)
        case bool():
            return value
        case int():
            return value if (changed := change(str(value))) == str(value) else changed
        case list():
            return [_changed_value(one, change) for one in value]
        case dict():
            return {key: _changed_value(one, change) for key, one in value.items()}
        case _:
            return value
