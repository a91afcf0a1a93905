"""How well a text fits what a person typed. Pure: no page, no service."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Generic, TypeVar

What = TypeVar("What")

MAX_WORDS = 6
"""Further words of a query are not looked at."""
SCATTERED_AT_LEAST, SCATTERED_WITHIN = 2, 3
"""Scattered letters count from two on, and while they lie within three times their number."""


class Fit(IntEnum):
    """How well, the best one last."""

    NOT = 0
    SCATTERED = 1
    """Its letters occur in this order, close together, the first of them at the beginning of a word."""
    INSIDE = 2
    WORD = 3
    """Words begin like this."""
    START = 4
    WHOLE = 5


@dataclass(frozen=True)
class Candidate(Generic[What]):
    """Something that can be found: by its text, and, less well, by further words."""

    what: What
    text: str
    further: str = ""
    folded: str = field(init=False)
    folded_further: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", fold(self.text))
        object.__setattr__(self, "folded_further", fold(self.further) if self.further else "")


def rank(query: str, candidates: Iterable[Candidate[What]]) -> list[What]:
    """Those that fit, the best one first; of equals the shortest, and then the one that came first."""
    wanted = fold(query)
    if not wanted:
        return []
    found = []
    for place, candidate in enumerate(candidates):
        quality = _quality(wanted, candidate)
        if quality:
            found.append((-quality, len(candidate.folded), place, candidate.what))
    found.sort(key=lambda item: item[:3])
    return [item[3] for item in found]


def fit(wanted: str, text: str) -> Fit:
    """Both are folded. Of several words each must be found; the worst of them counts."""
    if wanted == text:
        return Fit.WHOLE
    if text.startswith(wanted):
        return Fit.START
    if f" {wanted}" in text:
        return Fit.WORD
    if wanted in text:
        return Fit.INSIDE
    if " " in wanted:
        return _fit_of_all([*dict.fromkeys(wanted.split())][:MAX_WORDS], text)
    return Fit.SCATTERED if len(wanted) >= SCATTERED_AT_LEAST and _is_scattered(wanted, text) else Fit.NOT


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """Without case, accents and punctuation: `Über-Ton.csv` becomes `uber ton csv`."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def _quality(wanted: str, candidate: Candidate[What]) -> int:
    """The further words count half a step less than the text, and only as they are written; 0 is no fit."""
    by_text = fit(wanted, candidate.folded)
    if by_text >= Fit.WORD or not candidate.folded_further:
        return 2 * by_text
    by_further = fit(wanted, candidate.folded_further)
    return max(2 * by_text, 2 * by_further - 1 if by_further > Fit.SCATTERED else 0)


def _fit_of_all(words: list[str], text: str) -> Fit:
    worst = Fit.WORD
    for word in words:
        worst = min(worst, fit(word, text))
        if worst <= Fit.SCATTERED:
            return Fit.NOT
    return worst


def _is_scattered(wanted: str, text: str) -> bool:
    return any(_length_from(start, wanted, text) <= SCATTERED_WITHIN * len(wanted) for start in _starts(wanted, text))


def _starts(wanted: str, text: str) -> Iterator[int]:
    """Where words begin with the first wanted letter."""
    if text.startswith(wanted[0]):
        yield 0
    at = text.find(f" {wanted[0]}")
    while at >= 0:
        yield at + 1
        at = text.find(f" {wanted[0]}", at + 1)


def _length_from(start: int, wanted: str, text: str) -> float:
    """Over how many characters the letters are spread, from `start` on; infinite when one is missing."""
    at = start
    for letter in wanted[1:]:
        at = text.find(letter, at + 1)
        if at < 0:
            return float("inf")
    return at - start + 1
