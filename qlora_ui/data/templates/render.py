"""Messages → the text a model sees: by its own chat template, or by a plain one where it has none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from qlora_ui.data.conversation import Conversation, Message
from qlora_ui.data.templates.abilities import Abilities, adapted, probe
from qlora_ui.data.templates.named import LIBRARY, compile_template, name_of, own_text
from qlora_ui.data.templates.sandbox import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tools = list[dict[str, Any]]
"""Function schemas."""


class Renderer:
    """Renders conversations for one tokenizer by its chat template, as transformers would.

    Where the template does not know system turns, tools, or calls of tools, they are written into the text of the
    turns that it knows (see `abilities`).
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Raises ModelError when the template cannot be read."""
        self.tokenizer = tokenizer
        self.template = chat_template(tokenizer)
        self._specials: dict[str, Any] = dict(tokenizer.special_tokens_map)
        self._compiled = compile_template(self.template)

    @property
    def marks_answers(self) -> bool:
        """The template says with `{% generation %}` what the model writes."""
        return self._compiled.has_marks

    @cached_property
    def abilities(self) -> Abilities:
        """What the template knows, found out by asking it."""
        return probe(self._raw)

    def messages(self, conversation: Conversation) -> tuple[list[Message], Tools | None]:
        """The conversation as this template can take it: its answers are the assistant's messages, in their order."""
        tools = json.loads(conversation.tools) if conversation.tools else None
        return self.adapted(conversation.messages, tools)

    def adapted(self, messages: list[Message], tools: Tools | None) -> tuple[list[Message], Tools | None]:
        """Messages and tools as this template can take them."""
        common = all(message["role"] in ("user", "assistant") and "tool_calls" not in message for message in messages)
        if common and not tools:
            return messages, None
        return adapted(messages, tools, self.abilities)

    def render(self, messages: Sequence[Message], tools: Tools | None = None, *, prompt: bool = False) -> str:
        """Adapted messages as text; with `prompt`, up to where the next answer begins. Raises ChatTemplateError."""
        return self._compiled.render(self._values(messages, tools, prompt))

    def render_marked(self, messages: Sequence[Message], tools: Tools | None = None) -> tuple[str, list[Span]]:
        """The same text, and the spans of what the template marks as written by the model."""
        return self._compiled.render_marked(self._values(messages, tools, False))

    def _raw(self, messages: Sequence[Message], tools: Tools | None, prompt: bool) -> str:
        return self.render(messages, tools, prompt=prompt)

    def _values(self, messages: Sequence[Message], tools: Tools | None, prompt: bool) -> dict[str, Any]:
        return {
            **self._specials,
            "messages": messages,
            "tools": tools,
            "documents": None,
            "add_generation_prompt": prompt,
        }


def renderer(tokenizer: PreTrainedTokenizerBase) -> Renderer:
    """The renderer of a tokenizer as it is now, made once. Raises ModelError when its template cannot be read."""
    return _renderer(tokenizer, chat_template(tokenizer), repr(tokenizer.special_tokens_map))


@lru_cache(maxsize=4)
def _renderer(tokenizer: PreTrainedTokenizerBase, template: str, specials: str) -> Renderer:
    return Renderer(tokenizer)


def chat_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """The Jinja template that messages are rendered with.

    Raises ModelError when the tokenizer has neither a template nor a token that ends a sequence.
    """
    own = tokenizer.chat_template
    return own if own and isinstance(own, str) else own_text(tokenizer)


def template_source(tokenizer: PreTrainedTokenizerBase, chosen: str = "") -> str:
    """Where the chat template comes from, as one sentence; `chosen` is the recipe's `chat_template`."""
    if chosen.strip().lower() in LIBRARY:
        return f"The chat template {LIBRARY[chosen.strip().lower()].title} was chosen."
    if chosen.strip():
        return "A chat template of your own is used."
    if name_of(chat_template(tokenizer)) == "plain":
        return "The model has no chat template: plain headings (### User, ### Assistant) are used."
    return "The model's own chat template is used."


def render(
    messages: list[Message],
    tokenizer: PreTrainedTokenizerBase,
    *,
    tools: Tools | None = None,
    generation_prompt: bool = False,
) -> str:
    """The messages as text; with `generation_prompt`, up to where the next answer begins.

    What the template does not know is put into the turns that it knows: a system turn at the head of the first user
    turn, calls of tools as JSON text into the answer, and the schemas of tools at the head of the system turn. Raises
    ChatTemplateError when the template refuses the messages or breaks.
    """
    made = renderer(tokenizer)
    return made.render(*made.adapted(messages, tools), prompt=generation_prompt)


@lru_cache(maxsize=8)  # asked for with every row, and slow with thousands of added tokens
def special_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """The tokens that no ordinary text is made of, longest first."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True))
