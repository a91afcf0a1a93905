"""What the data step calls formats, parts and steps."""

from __future__ import annotations

from qlora_ui.locales import _, mark

FORMATS = {
    "alpaca": mark("instruction and output"),
    "sharegpt": mark("conversations (ShareGPT)"),
    "messages": mark("conversations (messages)"),
    "prompt_completion": mark("prompt and completion"),
    "question_answer": mark("question and answer"),
    "text": mark("plain text"),
    "preference": mark("preference pairs (chosen, rejected)"),
    "kto": mark("answers with a label (KTO)"),
}
"""What the formats of data are called."""


def format_name(data_format: str) -> str:
    return _(FORMATS.get(data_format, data_format))
