"""Encoding and prompts of single conversations; many are encoded faster by an `Encoder`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import TrainOn
from qlora_ui.data.conversation import Conversation, Message
from qlora_ui.data.encoding.encoded import IGNORED, Encoded, Example
from qlora_ui.data.encoding.encoder import Encoder
from qlora_ui.data.templates.abilities import calls_as_text
from qlora_ui.data.templates.render import chat_template, render
from qlora_ui.data.templates.sandbox import ChatTemplateError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "IGNORED",
    "Encoded",
    "Example",
    "TrainOn",
    "encode",
    "encode_batch",
    "encode_whole",
    "prompt_of",
    "render_prompt",
]


def encode(
    conversation: Conversation, tokenizer: PreTrainedTokenizerBase, *, max_length: int, train_on: TrainOn
) -> Example:
    """The ids and labels of a conversation, cut on the right to `max_length` tokens.

    Raises DataError, with the row's place, when the chat template refuses the conversation or does not let the answers
    be told from the rest, and ModelError when the chat template cannot be read.
    """
    return encode_whole(conversation, tokenizer, train_on=train_on).cut(max_length)


def encode_whole(conversation: Conversation, tokenizer: PreTrainedTokenizerBase, *, train_on: TrainOn) -> Encoded:
    """`encode` before the cut, with the text of each token."""
    return encoder(tokenizer, train_on).encode(conversation)


def encode_batch(
    conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase, train_on: TrainOn
) -> list[Encoded | DataError]:
    """The conversations in tokens, in their order; for one that cannot be encoded, the reason.

    Raises ModelError when the chat template cannot be read.
    """
    return encoder(tokenizer, train_on).encode_batch(conversations)


def encoder(tokenizer: PreTrainedTokenizerBase, train_on: TrainOn) -> Encoder:
    """The encoder for a tokenizer as it is now, made once. Raises ModelError when its template cannot be read."""
    return _encoder(tokenizer, chat_template(tokenizer), repr(tokenizer.special_tokens_map), train_on)


@lru_cache(maxsize=4)
def _encoder(tokenizer: PreTrainedTokenizerBase, template: str, specials: str, train_on: TrainOn) -> Encoder:
    return Encoder(tokenizer, train_on)


def prompt_of(conversation: Conversation) -> tuple[list[Message], str] | None:
    """The messages up to the last answer, and that answer as the reference; None for plain text, which asks nothing."""
    if conversation.is_text:
        return None
    last = conversation.messages[-1]
    parts = (last["content"], calls_as_text(last.get("tool_calls", [])))
    return conversation.messages[:-1], "\n".join(part for part in parts if part)


def render_prompt(messages: list[Message], tokenizer: PreTrainedTokenizerBase, tools: str = "") -> list[int]:
    """The ids after which the model writes its answer: the same that precede the answer in training.

    `tools` are those of the conversation, as JSON. Raises DataError when the chat template refuses the messages.
    """
    try:
        schemas = json.loads(tools) if tools else None
        text = render(messages, tokenizer, tools=schemas, generation_prompt=True)
    except ChatTemplateError as problem:
        raise DataError(f"The chat template refuses these messages: {problem}.") from None
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    return ids
