"""Text → token ids, and the part of the text that each token stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_LONGEST_CHARACTER = 8
"""Tokens; more than any character is cut into."""


def token_offsets(
    text: str, tokenizer: PreTrainedTokenizerBase, *, add_special_tokens: bool
) -> tuple[list[int], list[tuple[int, int]] | None]:
    """The ids of the text, and for each token where it starts and ends in the text, in characters.

    Special tokens that the tokenizer adds have an empty range. The ranges are None where a tokenizer written in Python,
    which does not tell them, changes the text so much that they cannot be told from its tokens.
    """
    if tokenizer.is_fast:
        batch = tokenizer(
            text, add_special_tokens=add_special_tokens, return_offsets_mapping=True, truncation=False, verbose=False
        )
        return batch.input_ids, batch.offset_mapping
    ids: list[int] = tokenizer(text, add_special_tokens=add_special_tokens, truncation=False, verbose=False).input_ids
    return ids, _aligned(ids, text, tokenizer)


def _aligned(ids: list[int], text: str, tokenizer: PreTrainedTokenizerBase) -> list[tuple[int, int]] | None:
    """Lay the tokens along the text, one after the other; tokens that are one character only together share it."""
    offsets: list[tuple[int, int]] = []
    pending: list[int] = []
    position = 0
    for token in ids:
        pending.append(token)
        piece = tokenizer.decode(pending, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if "\ufffd" in piece and len(pending) < _LONGEST_CHARACTER:
            continue
        start = text.find(piece.strip(), position) if piece.strip() else position
        if start < 0 or text[position:start].strip():
            if len(pending) == 1 and token in tokenizer.all_special_ids:  # added by the tokenizer, not in the text
                offsets.append((position, position))
                pending = []
                continue
            return None
        end = start + len(piece.strip()) if piece.strip() else min(position + len(piece), len(text))
        offsets += [(position, end)] * len(pending)
        position, pending = end, []
    return None if pending or text[position:].strip() else offsets
