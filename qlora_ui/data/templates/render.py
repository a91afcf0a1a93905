"""Messages → the text a model sees: by its own chat template, or by a plain one where it has none."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qlora_ui.contract.errors import ModelError
from qlora_ui.data.conversation import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FALLBACK = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{{- '### Assistant:\\n' -}}{%- generation -%}{{- message['content'] + eos_token -}}{%- endgeneration -%}"
    "{{- '\\n\\n' -}}"
    "{%- else -%}"
    "{{- '### ' + (message['role'] | capitalize) + ':\\n' + message['content'] + '\\n\\n' -}}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '### Assistant:\\n' -}}{%- endif -%}"
)
"""For tokenizers without a template. Its markers are plain text, so that no token is added to the vocabulary; only the
end of an answer is a token, the tokenizer's own end of sequence."""

_WITH_BOS = "{{- bos_token -}}" + FALLBACK


def chat_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """The Jinja template that messages are rendered with.

    Raises ModelError when the tokenizer has neither a template nor a token that ends a sequence.
    """
    if tokenizer.chat_template:
        return _own(tokenizer)
    if tokenizer.eos_token is None:
        raise ModelError(
            "The tokenizer has no chat template and no end-of-sequence token, so no answer could ever end.",
            "Name its eos_token in tokenizer_config.json, or choose another model.",
        )
    return _WITH_BOS if adds_bos(tokenizer) else FALLBACK


def template_source(tokenizer: PreTrainedTokenizerBase) -> str:
    """Where the chat template comes from, as one sentence."""
    if uses_fallback(tokenizer):
        return "The model has no chat template: plain headings (### User, ### Assistant) are used."
    return "The model's own chat template is used."


def uses_fallback(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the plain template stands in for one of the model's own."""
    return chat_template(tokenizer) in (FALLBACK, _WITH_BOS)


def render(messages: list[Message], tokenizer: PreTrainedTokenizerBase, *, generation_prompt: bool = False) -> str:
    """The messages as text; with `generation_prompt`, up to where the next answer begins.

    A template that refuses a system turn (some do) gets its content at the head of the first user turn. Raises
    jinja2.TemplateError when the template refuses the messages.
    """
    return _render(messages, tokenizer, generation_prompt)[0]


def generation_spans(messages: list[Message], tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]]:
    """Where the template itself marks answers in the rendered text, as (start, end) in characters.

    Empty for a template without generation marks. Raises jinja2.TemplateError like `render`.
    """
    return _render(messages, tokenizer, False)[1]


def folds_system(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the template refuses a system turn, so that its content moves into the first user turn."""
    import jinja2

    probe: list[Message] = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    try:
        _render_once(probe, tokenizer, True)
    except jinja2.TemplateError:
        return True
    return False


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer itself puts its begin-of-sequence token before plain text."""
    return tokenizer.bos_token_id is not None and tokenizer("a").input_ids[:1] == [tokenizer.bos_token_id]


@lru_cache(maxsize=8)  # asked for with every row, and slow with thousands of added tokens
def special_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """The tokens that no ordinary text is made of, longest first."""
    added = (token.content for token in tokenizer.added_tokens_decoder.values() if token.special)
    return tuple(sorted({*added, *tokenizer.all_special_tokens} - {""}, key=len, reverse=True))


_Rendered = tuple[str, list[tuple[int, int]]]


def _render(messages: list[Message], tokenizer: PreTrainedTokenizerBase, generation_prompt: bool) -> _Rendered:
    import jinja2

    try:
        return _render_once(messages, tokenizer, generation_prompt)
    except jinja2.TemplateError:
        if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
            raise
        head = f"{messages[0]['content']}\n\n{messages[1]['content']}"
        try:
            return _render_once([{"role": "user", "content": head}, *messages[2:]], tokenizer, generation_prompt)
        except jinja2.TemplateError:
            pass
        raise


def _render_once(messages: list[Message], tokenizer: PreTrainedTokenizerBase, generation_prompt: bool) -> _Rendered:
    import jinja2

    # One level below apply_chat_template, which tells the marks in tokens only and not for every kind of tokenizer.
    from transformers.utils.chat_template_utils import render_jinja_template

    template = chat_template(tokenizer)
    try:
        texts, spans = render_jinja_template(
            conversations=[messages],
            chat_template=template,
            add_generation_prompt=generation_prompt,
            return_assistant_tokens_mask="endgeneration" in template,
            **tokenizer.special_tokens_map,
        )
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise jinja2.TemplateRuntimeError(str(error)) from error
    return texts[0], spans[0] if spans else []


def _own(tokenizer: PreTrainedTokenizerBase) -> str:
    try:
        return str(tokenizer.get_chat_template())
    except ValueError as error:
        raise ModelError(
            "The tokenizer has several chat templates and none of them is its default.",
            "Name one of them default in the tokenizer's files.",
        ) from error
