"""The well-known chat templates by name, one file each. Each marks exactly what the model writes: the answer and the
token that ends it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import ModelError
from qlora_ui.data.templates.sandbox import ChatTemplateError, Compiled, compiled

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BOS = "{{- bos_token -}}"


@dataclass(frozen=True, slots=True)
class Known:
    """A template of the library."""

    title: str
    """As people call it."""
    begins: bool = False
    """It begins with the begin-of-sequence token wherever there is one; the others only where the tokenizer itself
    puts one before text."""


LIBRARY: dict[str, Known] = {
    "chatml": Known("ChatML"),
    "llama3": Known("Llama 3", begins=True),
    "mistral": Known("Mistral", begins=True),
    "gemma": Known("Gemma", begins=True),
    "phi": Known("Phi"),
    "zephyr": Known("Zephyr"),
    "alpaca": Known("Alpaca"),
    "vicuna": Known("Vicuna"),
    "plain": Known("plain headings"),
}
"""Name → what it is."""

_TEXTS = {name: (Path(__file__).parent / f"{name}.jinja").read_text(encoding="utf-8").rstrip("\n") for name in LIBRARY}
PLAIN = _TEXTS["plain"]
"""For tokenizers without a template. Its markers are plain text, so that no token is added to the vocabulary; only the
end of an answer is a token, the tokenizer's own end of sequence."""


def library_text(name: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """The template of this name as this tokenizer needs it.

    Raises ModelError where answers end with the end of sequence and the tokenizer has none.
    """
    text = _TEXTS[name]
    if "eos_token" in text and tokenizer.eos_token is None:
        raise ModelError(*_no_end(name))
    begins = bool(tokenizer.bos_token) if LIBRARY[name].begins else adds_bos(tokenizer)
    return _BOS + text if begins else text


def apply_template(tokenizer: PreTrainedTokenizerBase, chat_template: str) -> PreTrainedTokenizerBase:
    """A tokenizer that renders with this template, which is saved along with it; the given one stays as it is.

    `chat_template` is a name of the library, Jinja text, or empty for the tokenizer's own (the plain one where it has
    none). Raises ModelError for a name that is not known and for a template with a mistake, whose line it names.
    """
    text = resolve(tokenizer, chat_template)
    if text == tokenizer.chat_template:
        return tokenizer
    made = copy.copy(tokenizer)
    made.chat_template = text
    return made


def resolve(tokenizer: PreTrainedTokenizerBase, chat_template: str) -> str:
    """The Jinja text that a name, a text or nothing stands for. Raises ModelError like `apply_template`."""
    if not chat_template.strip():
        return own_text(tokenizer)
    name = chat_template.strip().lower()
    if name in LIBRARY:
        return library_text(name, tokenizer)
    if "{" not in chat_template and "\n" not in chat_template.strip():
        raise ModelError(
            f"There is no chat template named {chat_template.strip()[:80]}.",
            f"Choose one of {', '.join(LIBRARY)}, or give the text of a Jinja template.",
        )
    compile_template(chat_template)
    return chat_template


def own_text(tokenizer: PreTrainedTokenizerBase) -> str:
    """The tokenizer's own template; the plain one where it has none.

    Raises ModelError when it has several and none is the default, or none and no token that ends a sequence.
    """
    if not tokenizer.chat_template:
        return library_text("plain", tokenizer)
    try:
        return str(tokenizer.get_chat_template())
    except ValueError as error:
        raise ModelError(
            "The tokenizer has several chat templates and none of them is its default.",
            "Name one of them default in the tokenizer's files, or choose a chat template.",
        ) from error


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer itself puts its begin-of-sequence token before plain text."""
    return tokenizer.bos_token_id is not None and tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id]


def name_of(text: str) -> str:
    """Which template of the library a text is; empty for none."""
    bare = text.removeprefix(_BOS)
    return next((name for name, known in _TEXTS.items() if known == bare), "")


def compile_template(text: str) -> Compiled:
    """A template that is ready to run. Raises ModelError that names the line of a mistake."""
    try:
        return compiled(text)
    except ChatTemplateError as problem:
        where = "" if problem.line is None else f" in line {problem.line}"
        hint = "Mend the template there, or choose another one."
        raise ModelError(f"The chat template has a mistake{where}: {problem.reason}.", hint) from None


def _no_end(name: str) -> tuple[str, str]:
    if name == "plain":
        return (
            "The tokenizer has no chat template and no end-of-sequence token, so no answer could ever end.",
            "Name its eos_token in tokenizer_config.json, or choose another model.",
        )
    return (
        f"The chat template {name} ends answers with the end-of-sequence token, and the tokenizer has none.",
        "Name its eos_token in tokenizer_config.json, or choose another chat template.",
    )
