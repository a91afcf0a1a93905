"""The forms that rows come in: which columns a format is known by, and which parts its columns can play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from qlora_ui.contract.recipe import DataFormat

Kind = Literal["text", "chat", "side", "label", "answers"]
"""`side`: text or messages; `answers`: a list of texts, the best first."""

Names = tuple[str, ...]
"""What a column may be called, in small letters; the first one found is taken."""


@dataclass(frozen=True)
class Shape:
    """Columns by which a format is known."""

    format: DataFormat
    required: Mapping[str, Names]
    optional: Mapping[str, Names] = field(default_factory=dict)
    documented: bool = True
    """A published form, and not only a likely reading of the names."""
    role_key: str = ""
    """What messages must have; empty for any key that is known to name a role."""
    ranked: bool = False
    """`chosen` and `rejected` are one list of answers."""

    def kind(self, part: str) -> Kind:
        return "answers" if self.ranked and part in ("chosen", "rejected") else KINDS.get(part, "text")


KINDS: dict[str, Kind] = {
    "turns": "chat",
    "prompt": "side",
    "completion": "side",
    "chosen": "side",
    "rejected": "side",
    "label": "label",
}
"""What a part must be where it is not text."""

ROLE_KEYS = ("role", "from", "speaker", "author", "sender")
CONTENT_KEYS = ("content", "value", "text", "message", "utterance", "body")
"""What keys of messages are called, the likeliest first."""

_SYSTEM: dict[str, Names] = {"system": ("system", "system_prompt"), "tools": ("tools", "functions")}
_HISTORY: dict[str, Names] = {"history": ("history",), **_SYSTEM}
_INPUT: dict[str, Names] = {"input": ("input", "context"), **_HISTORY}
_CONTEXT: dict[str, Names] = {"input": ("context",), **_HISTORY}
_CHATS = ("messages", "conversations")
_LOOSE_CHATS = ("conversation", "chat", "dialogue", "dialog", "turns")
_CHOSEN: dict[str, Names] = {"chosen": ("chosen",), "rejected": ("rejected",)}
_TAG: dict[str, Names] = {"label": ("kto_tag", "label")}

_PAIRS = (
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("instruction", "response"),
    ("instruction", "answer"),
    ("instruction", "completion"),
    ("prompt", "response"),
    ("prompt", "answer"),
    ("prompt", "output"),
    ("question", "output"),
    ("input", "output"),
    ("input", "target"),
    ("input", "response"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("q", "a"),
    ("source", "target"),
    ("src", "tgt"),
    ("problem", "solution"),
    ("article", "highlights"),
    ("document", "summary"),
)

SHAPES = (
    Shape("kto", {"prompt": ("prompt",), "completion": ("completion",), **_TAG}, _SYSTEM),
    Shape("kto", {"turns": _CHATS, **_TAG}, _SYSTEM),
    Shape("kto", {"prompt": ("instruction",), "completion": ("output",), **_TAG}, _INPUT),
    Shape("preference", {"prompt": ("prompt",), **_CHOSEN}, _SYSTEM),
    Shape("preference", {"prompt": ("instruction",), **_CHOSEN}, _INPUT),
    Shape("preference", {"prompt": ("question", "query", "input"), **_CHOSEN}, _HISTORY, documented=False),
    Shape("preference", {"turns": _CHATS, **_CHOSEN}, _SYSTEM),
    Shape("preference", _CHOSEN, _SYSTEM),
    Shape(
        "preference",
        {"prompt": ("instruction",), "chosen": ("output",), "rejected": ("output",)},
        _INPUT,
        ranked=True,
    ),
    Shape("messages", {"turns": _CHATS}, _SYSTEM, role_key="role"),
    Shape("sharegpt", {"turns": _CHATS}, _SYSTEM, role_key="from"),
    Shape("prompt_completion", {"prompt": ("prompt",), "completion": ("completion",)}, _SYSTEM),
    Shape("alpaca", {"instruction": ("instruction",), "output": ("output",)}, _INPUT),
    Shape("alpaca", {"instruction": ("prompt",), "input": ("query",), "output": ("response",)}, _HISTORY),
    Shape("question_answer", {"question": ("question",), "answer": ("answer",)}, _CONTEXT),
    Shape("text", {"text": ("text",)}),
    Shape("messages", {"turns": _LOOSE_CHATS}, _SYSTEM, documented=False, role_key="role"),
    Shape("sharegpt", {"turns": _LOOSE_CHATS}, _SYSTEM, documented=False, role_key="from"),
    Shape("messages", {"turns": (*_CHATS, *_LOOSE_CHATS)}, _SYSTEM, documented=False),
    *(
        Shape("question_answer", {"question": (ask,), "answer": (answer,)}, _CONTEXT, documented=False)
        for ask, answer in _PAIRS
    ),
    Shape("text", {"text": ("content", "document", "body")}, documented=False),
)
"""The first one that fits is taken, so the more a form asks for, the earlier it stands."""

KEY_PARTS = ("role_key", "content_key")
"""Parts that keys of messages play, not columns."""

PARTS: dict[DataFormat, tuple[str, ...]] = {
    "alpaca": ("instruction", "input", "output", "history", "system", "tools"),
    "sharegpt": ("turns", "system", "tools", *KEY_PARTS),
    "messages": ("turns", "system", "tools", *KEY_PARTS),
    "prompt_completion": ("prompt", "completion", "system", "tools", *KEY_PARTS),
    "question_answer": ("question", "input", "answer", "history", "system", "tools"),
    "text": ("text",),
    "preference": ("prompt", "input", "turns", "chosen", "rejected", "history", "system", "tools", *KEY_PARTS),
    "kto": ("prompt", "input", "completion", "turns", "label", "history", "system", "tools", *KEY_PARTS),
}
"""Format → every part that a column (or, for the last two, a key of its messages) can play in it."""

_REQUIRED: dict[DataFormat, tuple[str, ...]] = {
    "alpaca": ("instruction", "output"),
    "sharegpt": ("turns",),
    "messages": ("turns",),
    "prompt_completion": ("prompt", "completion"),
    "question_answer": ("question", "answer"),
    "text": ("text",),
    "preference": ("chosen", "rejected"),
    "kto": ("prompt", "completion", "label"),
}

NAMES: dict[str, str] = {
    "alpaca": "Alpaca",
    "sharegpt": "ShareGPT",
    "messages": "messages",
    "prompt_completion": "prompt and completion",
    "question_answer": "question and answer",
    "text": "plain text",
    "preference": "preference pairs",
    "kto": "KTO",
}
"""What formats are called in sentences."""


def required_parts(data_format: DataFormat, mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that no row can do without; a KTO row has messages, or a prompt and a completion."""
    if data_format == "kto" and "turns" in mapping:
        return ("turns", "label")
    return _REQUIRED[data_format]
