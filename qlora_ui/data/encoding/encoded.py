"""One row in tokens: whole, and as a training step sees it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlora_ui.data.encoding.offsets import token_offsets
from qlora_ui.data.templates.sandbox import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token that is not trained."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A whole row in tokens, before it is cut."""

    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    """As long as `ids`; the first is always False, because nothing comes before it."""
    text: str
    tokenizer: PreTrainedTokenizerBase
    is_text: bool = False
    """Plain text, around which the tokenizer put its own special tokens."""
    end_added: bool = False
    """The chat template ends the last answer with no token, so the tokenizer's end of sequence was put behind it."""

    def __len__(self) -> int:
        """In tokens."""
        return len(self.ids)

    @property
    def labels(self) -> NDArray[np.int32]:
        """The id where a token is trained, −100 elsewhere."""
        return np.where(self.trained, self.ids, np.int32(IGNORED))

    def cut(self, max_length: int) -> Example:
        """Its first `max_length` tokens."""
        labels = self.labels[:max_length].tolist()
        return Example(self.ids[:max_length].tolist(), labels, truncated=len(self.ids) > max_length)

    @property
    def offsets(self) -> list[Span] | None:
        """Where each token starts and ends in `text`, told anew by the tokenizer; None where it does not tell."""
        offsets = token_offsets(self.text, self.tokenizer, add_special_tokens=self.is_text)[1]
        if offsets is None:
            return None
        return offsets + [(len(self.text), len(self.text))] * (len(self.ids) - len(offsets))  # an end that was added

    @property
    def pieces(self) -> list[str]:
        """The part of the text that each token stands for; a token that is not in the text stands by its name.

        What lies between two tokens goes with the second, a character that two tokens share with the first.
        """
        names: list[str] = self.tokenizer.convert_ids_to_tokens(self.ids.tolist())
        offsets = self.offsets
        if offsets is None:
            return names
        ends = list(accumulate((end for _, end in offsets), max))
        cuts = zip([0, *ends], ends, offsets, names, strict=False)
        return [name if span[0] == span[1] else self.text[start:end] for start, end, span, name in cuts]
