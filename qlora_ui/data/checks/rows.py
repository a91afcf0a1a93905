"""What a person should know of one conversation, as far as it can be told without a tokenizer."""

from __future__ import annotations

import re

from qlora_ui.data.checks.encoding import is_damaged
from qlora_ui.data.checks.secrets import PERSONAL, find_secrets
from qlora_ui.data.conversation import Conversation, Turn


def look_at(conversation: Conversation) -> frozenset[str]:
    """The kinds of findings that are true of it, mostly none. `checks.findings` has the sentences for them.

    `secrets`, `personal`, `damaged`, `placeholder`: in the text of any turn, also of a rejected answer or of a call.
    `spaces`, `empty_answer`: of an answer. The schemas of tools are not looked at: all rows share them.
    """
    turns = conversation.turns + conversation.rejected
    text = turns[0].content if len(turns) == 1 else "\n".join([turn.content + turn.calls for turn in turns])
    kinds = {"personal" if kind in PERSONAL else "secrets" for _, _, kind in find_secrets(text)}
    if is_damaged(text):
        kinds.add("damaged")
    if "{{" in text and _PLACEHOLDER.search(text) and _PLACEHOLDER.search(_CODE.sub("", text)):
        kinds.add("placeholder")
    if any(is_empty(turn) for turn in conversation.turns):
        kinds.add("empty_answer")
    if any(turn.role == "assistant" and turn.content != turn.content.strip() for turn in conversation.turns):
        kinds.add("spaces")
    return frozenset(kinds)


def is_empty(turn: Turn) -> bool:
    """Whether it is an answer, or plain text, with neither words nor a call."""
    return turn.role in ("assistant", "text") and not turn.calls and not turn.content.strip()


_PLACEHOLDER = re.compile(r"(?<![\\{}^_$\w])\{\{ {0,3}[A-Za-z_][A-Za-z0-9_-]{1,40}+ {0,3}\}\}(?!\})")
"""A name in double braces; `{{x}}` is a formula."""
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
"""Where such names are meant as they are."""
