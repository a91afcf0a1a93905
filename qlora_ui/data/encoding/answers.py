"""Where the answers lie in a rendered conversation, for any chat template.

1. A template that marks its answers (`{% generation %}`) says it itself.
2. Otherwise the template is asked: it renders the messages before an answer with a generation prompt, which shows where
   the answer starts, and the conversation with a mark behind each answer, which shows where it ends. The marks find the
   end also where a template trims an answer or takes the thinking out of earlier ones.

Either way an answer reaches to the end of the special token that closes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Message
from qlora_ui.data.places import data_error
from qlora_ui.data.templates.render import generation_spans, render, special_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Span = tuple[int, int]
"""Start and end in characters, the end not included."""

_MARK = "\ue000\ue001\ue000"
"""Private characters, in no script and no vocabulary."""


def answer_spans(conversation: Conversation, text: str, tokenizer: PreTrainedTokenizerBase) -> list[Span]:
    """The spans of the trained turns in `text`, which is the conversation as `render` gives it; each includes the token
    that ends the turn. Raises DataError when the template hides where an answer lies."""
    answers = [index for index, turn in enumerate(conversation.turns) if turn.role == "assistant"]
    spans = generation_spans(conversation.messages, tokenizer)
    if len(spans) != len(answers):
        spans = _asked(conversation, text, answers, tokenizer)
    trained = [span for index, span in zip(answers, spans, strict=True) if conversation.turns[index].trained]
    specials = special_tokens(tokenizer)
    return [(start, _end_of_turn(text, start, end, specials)) for start, end in trained]


def ends_with_special(text: str, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the last thing in the text, white space aside, is a special token."""
    return text.rstrip().endswith(special_tokens(tokenizer)) or text.endswith(special_tokens(tokenizer))


def _asked(conversation: Conversation, text: str, answers: list[int], tokenizer: PreTrainedTokenizerBase) -> list[Span]:
    import jinja2

    messages = conversation.messages
    try:
        ends = _ends(messages, text, answers, tokenizer)
        prompts = [render(messages[:index], tokenizer, generation_prompt=True) for index in answers]
    except jinja2.TemplateError:
        raise _unmaskable(conversation) from None
    starts = [_common_length(prompt, text) for prompt in prompts]
    whole = all(len(prompt) == start for prompt, start in zip(prompts, starts, strict=True))
    if ends is None or not whole or any(start > end for start, end in zip(starts, ends, strict=True)):
        raise _unmaskable(conversation)
    return list(zip(starts, ends, strict=True))


def _ends(
    messages: list[Message], text: str, answers: list[int], tokenizer: PreTrainedTokenizerBase
) -> list[int] | None:
    """Where each answer ends, told by a mark behind it; None when the marks change more than themselves."""
    for strip in (False, True):  # a template may trim answers: then the mark has to stand where the trimmed one ends
        marked = list(messages)
        for index in answers:
            content = messages[index]["content"]
            marked[index] = {"role": "assistant", "content": (content.rstrip() if strip else content) + _MARK}
        parts = render(marked, tokenizer).split(_MARK)
        if len(parts) == len(answers) + 1 and "".join(parts) == text:
            return [sum(map(len, parts[: index + 1])) for index in range(len(answers))]
    return None


def _end_of_turn(text: str, start: int, end: int, specials: tuple[str, ...]) -> int:
    """The end of the special token that closes the answer; where none does, the end of the answer itself."""
    if text[start:end].rstrip().endswith(specials):
        return end
    gap = text[end:]
    token_start = end + len(gap) - len(gap.lstrip())
    closing = next((token for token in specials if token and text.startswith(token, token_start)), "")
    return token_start + len(closing) if closing else end


def _common_length(first: str, second: str) -> int:
    if second.startswith(first):
        return len(first)
    return next(index for index, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1])


def _unmaskable(conversation: Conversation) -> DataError:
    problem = "the model's chat template does not show where this row's answers start and end."
    return data_error(conversation.place, problem, "Train on all tokens (train_on: all), or use another format.")
