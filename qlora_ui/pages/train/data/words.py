"""What the data step calls sources, formats, the parts of a row and speakers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from qlora_ui.components.badge import Tone
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.references import FileReference, parse_reference
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

_PARTS = {
    "instruction": (mark("Instruction"), mark("What the model is asked to do.")),
    "input": (mark("Material"), mark("What the instruction or the question is about; it is put behind it.")),
    "output": (mark("Answer"), mark("What the model learns to say.")),
    "question": (mark("Question"), mark("What a person asks.")),
    "answer": (mark("Answer"), mark("What the model learns to say.")),
    "prompt": (mark("Prompt"), mark("What stands before the answer: a text, or messages.")),
    "completion": (mark("Completion"), mark("What the model learns to go on with.")),
    "turns": (mark("Messages"), mark("The list of messages that make a conversation.")),
    "history": (mark("Earlier turns"), mark("Questions and answers that came before this one.")),
    "system": (mark("System message"), mark("Who the model is to be; it stands before everything else.")),
    "tools": (mark("Tools"), mark("Descriptions of the functions that the model may call.")),
    "text": (mark("Text"), mark("Text that is learned as a whole, without questions and answers.")),
    "chosen": (mark("Chosen answer"), mark("The better one of the two answers: the one that is learned.")),
    "rejected": (mark("Rejected answer"), mark("The worse one of the two answers.")),
    "label": (mark("Label"), mark("Whether the answer is wanted: true or false.")),
    "role_key": (mark("Key of the speaker"), mark("The key of a message that says who speaks.")),
    "content_key": (mark("Key of the words"), mark("The key of a message that says what is said.")),
}
"""What the parts of a row are called, and what they mean."""

ROLES = {
    "user": mark("the person who asks"),
    "assistant": mark("the model, which learns this"),
    "system": mark("the system message"),
    "tool": mark("the result of a tool"),
}
"""What a speaker can be."""

_SURENESS: dict[str, tuple[str, Tone, str]] = {
    "certain": (mark("Recognised"), "success", mark("It is a well-known form.")),
    "likely": (
        mark("Probably right"),
        "info",
        mark("The example below tells whether it is right."),
    ),
    "unsure": (
        mark("Only a guess"),
        "warning",
        mark("Check with the example below which column is what."),
    ),
    "chosen": (mark("Chosen by you"), "info", mark("It is read as you said.")),
}


def format_name(data_format: str) -> str:
    return _(FORMATS.get(data_format, data_format))


def part_name(part: str) -> str:
    """`System message` of `system`; a part that has no name here is called as it is."""
    return _(_PARTS[part][0]) if part in _PARTS else part


def part_meaning(part: str) -> str:
    return _(_PARTS[part][1]) if part in _PARTS else ""


def role_name(role: str) -> str:
    return _(ROLES.get(role, role))


def sureness_words(sureness: str) -> tuple[str, Tone, str]:
    """A word for how sure it is, its tone, and what it means."""
    word, tone, meaning = _SURENESS[sureness]
    return _(word), tone, _(meaning)


def source_name(path: str) -> str:
    """What some data are called in a line: `train.jsonl`, `owner/name`, the starter's by its own name."""
    if path == STARTER:
        return _("Starter data")
    try:
        reference = parse_reference(path)
    except ParameterError:
        return path
    return PurePath(reference.path).name or reference.path if isinstance(reference, FileReference) else reference.name


def pairs(values: Mapping[str, str]) -> str:
    """`question: prompt, system: none`."""
    nothing = _("none", context="no column")
    return ", ".join(_("{name}: {value}", name=name, value=value or nothing) for name, value in values.items())
