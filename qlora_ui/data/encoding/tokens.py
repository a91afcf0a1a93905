"""Conversations → token ids and labels: the only place that decides what is trained.

A label is the id of its token where the token is trained and −100 elsewhere. With `train_on="completions"` exactly what
a model writes after its prompt is trained: the answer and the token that ends it, not the line feed that a template
puts behind that token. The first label is always −100: a causal model predicts each token from the ones before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

from qlora_ui.contract.errors import DataError
from qlora_ui.data.conversation import Conversation, Message
from qlora_ui.data.encoding.answers import Span, answer_spans, ends_with_special
from qlora_ui.data.encoding.offsets import token_offsets
from qlora_ui.data.places import data_error
from qlora_ui.data.templates.render import render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not trained."""

TrainOn = Literal["completions", "all"]


@dataclass(frozen=True, slots=True)
class Example:
    """What a training step sees of one row."""

    input_ids: list[int]
    labels: list[int]
    """As long as `input_ids`."""
    truncated: bool = False
    """It was cut at `max_length`."""

    @property
    def trained(self) -> int:
        """How many of its tokens are trained."""
        return len(self.labels) - self.labels.count(IGNORED)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A whole row in tokens, before it is cut."""

    ids: list[int]
    trained: list[bool]
    text: str
    offsets: list[Span] | None
    """Where each token starts and ends in `text`; None where the tokenizer does not tell."""
    tokenizer: PreTrainedTokenizerBase
    end_added: bool = False
    """The chat template ends the last answer with no token, so the tokenizer's end of sequence was put behind it."""

    def cut(self, max_length: int) -> Example:
        ids, trained = self.ids[:max_length], self.trained[:max_length]
        labels = [token if learnt else IGNORED for token, learnt in zip(ids, trained, strict=True)]
        return Example(ids, labels, truncated=len(self.ids) > max_length)

    @property
    def pieces(self) -> list[str]:
        """The part of the text that each token stands for; a token that is not in the text stands by its name.

        What lies between two tokens goes with the second, a character that two tokens share with the first.
        """
        names: list[str] = self.tokenizer.convert_ids_to_tokens(self.ids)
        if self.offsets is None:
            return names
        ends = list(accumulate((end for _, end in self.offsets), max))
        cuts = zip([0, *ends], ends, self.offsets, names, strict=False)
        return [name if span[0] == span[1] else self.text[start:end] for start, end, span, name in cuts]


def encode(
    conversation: Conversation, tokenizer: PreTrainedTokenizerBase, *, max_length: int, train_on: TrainOn
) -> Example:
    """The ids and labels of a conversation, cut on the right to `max_length` tokens.

    Raises DataError, with the row's place, when the model's chat template refuses the conversation or does not let the
    answers be told from the rest.
    """
    return encode_whole(conversation, tokenizer, train_on=train_on).cut(max_length)


def encode_whole(conversation: Conversation, tokenizer: PreTrainedTokenizerBase, *, train_on: TrainOn) -> Encoded:
    """`encode` before the cut, with the text of each token."""
    if conversation.is_text:
        text, spans = conversation.turns[0].content, None
    else:
        text = _rendered(conversation, tokenizer)
        spans = None if train_on == "all" else answer_spans(conversation, text, tokenizer)
    ids, offsets = token_offsets(text, tokenizer, add_special_tokens=conversation.is_text)
    if offsets is None and spans is not None:
        problem = "the model's tokenizer does not show which tokens the answers are."
        raise data_error(conversation.place, problem, "Train on all tokens (train_on: all), or choose another model.")
    trained = [True] * len(ids) if spans is None else _touched(offsets or [], spans)
    lacks_end = _lacks_end(ids, text, conversation, tokenizer)
    if lacks_end:
        ids = [*ids, tokenizer.eos_token_id]
        offsets = None if offsets is None else [*offsets, (len(text), len(text))]
        trained = [*trained, spans is None or conversation.turns[-1].trained]
    end_added = lacks_end and not conversation.is_text
    return Encoded(ids, [False, *trained[1:]], text, offsets, tokenizer, end_added)


def prompt_of(conversation: Conversation) -> tuple[list[Message], str] | None:
    """The messages up to the last answer, and that answer as the reference; None for plain text, which asks nothing."""
    if conversation.is_text:
        return None
    return conversation.messages[:-1], conversation.turns[-1].content


def render_prompt(messages: list[Message], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids after which the model writes its answer: the same that precede the answer in training."""
    import jinja2

    try:
        text = render(messages, tokenizer, generation_prompt=True)
    except jinja2.TemplateError as error:
        raise DataError(f"The model's chat template refuses these messages: {error}.") from None
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    return ids


def _rendered(conversation: Conversation, tokenizer: PreTrainedTokenizerBase) -> str:
    import jinja2

    try:
        return render(conversation.messages, tokenizer)
    except jinja2.TemplateError as error:
        problem = f"the model's chat template refuses the conversation: {str(error).rstrip('.')}."
        raise data_error(conversation.place, problem, "Change the turns to what the model knows.") from None


def _touched(offsets: list[Span], spans: list[Span]) -> list[bool]:
    """A token is trained when any of its characters is: one that reaches over the edge belongs to the answer."""
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]  # both rising
    trained = [False] * len(offsets)
    for start, end in spans:
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        trained[first:last] = [True] * (last - first)
    return trained


def _lacks_end(ids: list[int], text: str, conversation: Conversation, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether nothing tells the model that the last turn is over, so that the end of sequence has to be added."""
    if tokenizer.eos_token_id is None:
        return False
    if conversation.is_text:
        return ids[-1:] != [tokenizer.eos_token_id]
    return not ends_with_special(text, tokenizer)
