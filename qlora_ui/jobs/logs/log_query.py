"""Which entries of a log are asked for: by level, and by a text in their message. Works on bytes as far as it can."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import partial
from itertools import pairwise

from qlora_ui.contract.log_lines import HEAD_CHARACTERS, LEVEL_PLACE, LEVELS, SHOWN_CHARACTERS

NEXT_ENTRY = re.compile(rb"\n(?=\d{4}-)")
"""What lies before each entry but the first: its further lines are indented."""
ENTRY_BYTES_KEPT = 4 * SHOWN_CHARACTERS
"""More of an entry is not shown; hundreds of them may be held at once."""

RawEntry = tuple[int, bytes]
"""An entry's place in the file and its bytes."""
_Span = tuple[int, int]
"""Where in a block an entry begins, and where it ends."""


class LogQuery:
    """Finds the entries of some levels whose message holds a text, in capitals or not."""

    def __init__(self, levels: Collection[str] = LEVELS, text: str = "") -> None:
        self._levels = None if set(levels) >= set(LEVELS) else {_in_file(level) for level in levels}
        self._spans: Callable[[bytes], list[_Span]] = _all_spans
        if text and all(letter.isascii() or letter.lower() == letter.upper() for letter in text):
            self._spans = partial(_spans_with_bytes, text.lower().encode())
        elif text:
            self._spans = partial(_spans_with_letters, text.casefold())

    def entries(self, start: int, block: bytes) -> list[RawEntry]:
        """The entries that are asked for among those of a block, which lies at the byte `start` of the file."""
        if self._levels is not None and not any(level in block for level in self._levels):
            return []
        spans = self._spans(block)
        if self._levels is not None:
            low, high = LEVEL_PLACE.start, LEVEL_PLACE.stop
            spans = [(first, end) for first, end in spans if block[first + low : first + high] in self._levels]
        return [(start + first, block[first : min(end, first + ENTRY_BYTES_KEPT)]) for first, end in spans]


def _in_file(level: str) -> bytes:
    return level.upper().ljust(LEVEL_PLACE.stop - LEVEL_PLACE.start).encode()


def _all_spans(block: bytes) -> list[_Span]:
    return list(pairwise([0, *(match.end() for match in NEXT_ENTRY.finditer(block)), len(block)]))


def _spans_with_bytes(wanted: bytes, block: bytes) -> list[_Span]:
    """For a text whose only capitals are those of ASCII: bytes in lower case stay where they are."""
    lower = block.lower()
    if wanted not in lower:
        return []
    find, head = lower.find, HEAD_CHARACTERS
    return [(first, end) for first, end in _all_spans(block) if find(wanted, first + head, end) >= 0]


def _spans_with_letters(wanted: str, block: bytes) -> list[_Span]:
    """For a text with other capitals, such as Ö: what is not ASCII is compared as the letters that it stands for."""
    lower, in_ascii = block.lower(), wanted.encode()

    def is_in(message: bytes) -> bool:
        return in_ascii in message if message.isascii() else wanted in message.decode(errors="replace").casefold()

    if block.isascii() and in_ascii not in lower:
        return []
    return [(first, end) for first, end in _all_spans(block) if is_in(lower[first + HEAD_CHARACTERS : end])]
