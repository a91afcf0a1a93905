"""Conversations → token ids and labels, many at a time: the only place that decides what is trained.

A label is the id of its token where the token is trained and −100 elsewhere. With `train_on="completions"` exactly what
a model writes after its prompt is trained: the answer and the token that ends it, not the line feed that a template
puts behind that token. The first label is always −100: a causal model predicts each token from the ones before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qlora_ui.contract.errors import DataError
from qlora_ui.contract.recipe import TrainOn
from qlora_ui.data.conversation import Conversation
from qlora_ui.data.encoding.answers import AnswerFinder, ends_with_special
from qlora_ui.data.encoding.encoded import Encoded
from qlora_ui.data.encoding.offsets import token_offsets
from qlora_ui.data.encoding.skeleton import Skeleton, skeleton
from qlora_ui.data.places import data_error
from qlora_ui.data.templates.render import renderer
from qlora_ui.data.templates.sandbox import ChatTemplateError, Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MOST_SHAPES = 5_000


class Encoder:
    """Encodes conversations for one tokenizer with its chat template; made once for many rows."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, train_on: TrainOn = "completions") -> None:
        """Raises ModelError when the tokenizer's chat template cannot be read."""
        self.tokenizer = tokenizer
        self.train_on = train_on
        self.renderer = renderer(tokenizer)
        self._finder = AnswerFinder(self.renderer)
        self._seen: set[tuple[str, ...]] = set()
        self._skeletons: dict[tuple[str, ...], Skeleton | None] = {}

    def encode(self, conversation: Conversation) -> Encoded:
        """Raises DataError, with the row's place, when the chat template refuses the conversation or does not let the
        answers be told from the rest."""
        encoded = self.encode_batch([conversation])[0]
        if isinstance(encoded, DataError):
            raise encoded
        return encoded

    def encode_batch(self, conversations: Sequence[Conversation]) -> list[Encoded | DataError]:
        """The conversations in tokens, in their order; for one that cannot be encoded, the reason."""
        results: list[Encoded | DataError | None] = [None] * len(conversations)
        drafts: list[_Draft] = []
        for number, conversation in enumerate(conversations):
            try:
                draft = self._draft(number, conversation)
                _check_whole(draft.text, conversation.place)
            except DataError as error:
                results[number] = error
            else:
                drafts.append(draft)
        for is_text in (False, True):
            chosen = [draft for draft in drafts if draft.conversation.is_text == is_text]
            for draft, tokens in zip(chosen, self._tokenised([draft.text for draft in chosen], is_text), strict=True):
                results[draft.number] = self._encoded(draft, tokens)
        return [result for result in results if result is not None]

    def _draft(self, number: int, conversation: Conversation) -> _Draft:
        """The rendered text, and what in it is trained."""
        is_unwanted = conversation.desirable is False  # which must not be learnt, whatever is trained else
        if conversation.is_text:
            return _Draft(number, conversation, conversation.turns[0].content, [] if is_unwanted else None, ends=False)
        try:
            messages, tools = self.renderer.messages(conversation)
            text = self.renderer.render(messages, tools)
        except ChatTemplateError as problem:
            what = f"the chat template refuses the conversation: {problem}."
            raise data_error(conversation.place, what, "Change the turns to what the model knows.") from None
        known = self._skeleton(conversation)
        spans = known.spans(conversation.turns, text) if known else None
        ends = known.ends if known and spans is not None else None
        if ends is None:
            ends = ends_with_special(text, self.tokenizer)
        if is_unwanted:
            return _Draft(number, conversation, text, [], ends)
        if self.train_on == "all":
            return _Draft(number, conversation, text, None, ends)
        if spans is None:
            spans = self._finder.spans(messages, tools, text)
        if spans is None:
            what = "the chat template does not show where this row's answers start and end."
            raise data_error(conversation.place, what, "Train on all tokens (train_on: all), or use another format.")
        answers = [turn for turn in conversation.turns if turn.role == "assistant"]
        trained = [span for turn, span in zip(answers, spans, strict=True) if turn.trained]
        return _Draft(number, conversation, text, trained, ends)

    def _skeleton(self, conversation: Conversation) -> Skeleton | None:
        if any(turn.calls for turn in conversation.turns):
            return None
        key = (conversation.tools, *(turn.role for turn in conversation.turns))
        if key not in self._seen:  # with a list of tools for each row, most shapes come only once
            if len(self._seen) >= _MOST_SHAPES:
                self._seen.clear()
                self._skeletons.clear()
            self._seen.add(key)
            return None
        if key not in self._skeletons:
            self._skeletons[key] = skeleton(conversation, self.renderer, self._finder)
        return self._skeletons[key]

    def _tokenised(self, texts: list[str], is_text: bool) -> list[_Tokens]:
        if not texts:
            return []
        if not self.tokenizer.is_fast:
            return [_Laid(*token_offsets(text, self.tokenizer, add_special_tokens=is_text)) for text in texts]
        batch = self.tokenizer(
            texts,
            add_special_tokens=is_text,
            return_attention_mask=False,
            return_token_type_ids=False,
            truncation=False,
            verbose=False,
        )
        return [_Fast(ids, encoding) for ids, encoding in zip(batch["input_ids"], batch.encodings, strict=True)]

    def _encoded(self, draft: _Draft, tokens: _Tokens) -> Encoded | DataError:
        conversation, end = draft.conversation, self.tokenizer.eos_token_id
        ids = tokens.ids
        lacks_end = end is not None and (ids[-1:] != [end] if conversation.is_text else not draft.ends)
        size = len(ids)
        trained = np.full(size + lacks_end, draft.spans is None)
        for span in draft.spans or ():
            touched = tokens.touched(span, len(draft.text))
            if touched is None:
                what = "the model's tokenizer does not show which tokens the answers are."
                hint = "Train on all tokens (train_on: all), or choose another model."
                return data_error(conversation.place, what, hint)
            trained[touched[0] : touched[1]] = True
        if lacks_end:
            ids = [*ids, end]
            trained[-1] = draft.spans is None or (bool(draft.spans) and conversation.turns[-1].trained)
        trained[:1] = False
        is_text = conversation.is_text
        return Encoded(np.array(ids, np.int32), trained, draft.text, self.tokenizer, is_text, lacks_end and not is_text)


@dataclass(frozen=True, slots=True)
class _Draft:
    number: int
    conversation: Conversation
    text: str
    spans: list[Span] | None
    """Of what is trained, in characters; None for everything."""
    ends: bool
    """With a special token."""


@dataclass(frozen=True, slots=True)
class _Laid:
    """A row's tokens, with where they lie in the text."""

    ids: list[int]
    offsets: list[Span] | None

    def touched(self, span: Span, length: int) -> tuple[int, int] | None:
        """The tokens of a span of characters: a token that reaches over the edge belongs to the answer."""
        return None if self.offsets is None else _touched(self.offsets, span)


@dataclass(frozen=True, slots=True)
class _Fast:
    """A row's tokens as the tokenizers library holds them: asking it for two places is cheaper than fetching all."""

    ids: list[int]
    encoding: Any

    def touched(self, span: Span, length: int) -> tuple[int, int]:
        start, end = span
        first = self.encoding.char_to_token(start) if start < length else None
        last = len(self.ids) if end >= length else self.encoding.char_to_token(end)
        if first is None or last is None or not self._parts(last, end):
            return _touched(self.encoding.offsets, span)
        return first, last

    def _parts(self, last: int, end: int) -> bool:
        """Whether a token starts exactly at the end of the span, and the one before it earlier."""
        if last < len(self.ids) and self.encoding.token_to_chars(last)[0] != end:
            return False
        return last == 0 or bool(self.encoding.token_to_chars(last - 1)[0] < end)


_Tokens = _Laid | _Fast


def _check_whole(text: str, place: str) -> None:
    """Half of a character, as broken escapes in JSON leave behind, would stop the tokenizer for the whole batch."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"half of a character ({error.object[error.start]!a}) stands in the text, which no tokenizer can read."
        raise data_error(place, what, "Write the character whole, or take it out.") from None


def _touched(offsets: list[Span], span: Span) -> tuple[int, int]:
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]  # both rising
    return bisect_right(ends, span[0]), bisect_left(starts, span[1])
