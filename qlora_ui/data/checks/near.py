"""Rows that are almost equal, found among millions without comparing each with each.

A row's shingles (runs of five characters) are hashed, and a single hash function deals them out to bins, each of which
keeps its smallest: one-permutation MinHash (Li, Owen and Zhang, NIPS 2012, arXiv:1208.1259), whose share of equal bins
estimates the Jaccard similarity of two sets of shingles. Of each smallest hash 8 bits are kept (b-bit MinHash, Li and
König, WWW 2010). Bands of bins that are wholly equal name the candidates (locality-sensitive hashing, Indyk and
Motwani, STOC 1998); these are then compared bin by bin.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from qlora_ui.data.conversation import Conversation

SIMILAR = 0.85
"""From this estimated Jaccard similarity on two rows are almost equal; its standard error is about 0.04."""
BINS = 96
"""Bytes in a signature."""

_SHINGLE = 5
_BAND = 6
"""Bins in a band: two rows that are 85 % similar agree in one band of 16 at least with a probability of 99.9 %."""
_NEIGHBOURS = 8
"""With how many rows of its bucket a row is compared, so that a bucket of many unlike rows takes no square of time."""
_FEW_WORDS, _FEW_CHARACTERS = 8, 60
_DIGITS = "0123456789"
_NUMBER = re.compile("[0-9]+")
_PIECE = 1 << 14
"""Characters that are hashed at once: as many as the processor's cache holds."""
_AT_ONCE = 1 << 15
"""Rows that are compared at once."""

Pairs = NDArray[np.int64]
"""[n, 2]: a row's number, and that of the one that it is almost equal to."""


def signature(text: str) -> bytes:
    """`BINS` bytes that tell how similar two texts are; case and white space make no difference.

    A short text (less than 8 words and 60 characters) is similar to nothing but itself: in `What is 3 + 4?` and
    `What is 5 + 2?` it is the difference that matters. For the same reason numbers weigh three times as much as words.
    """
    return signatures([text]).tobytes()


def signatures(texts: Iterable[str]) -> NDArray[np.uint8]:
    """The signature of each text, [texts, BINS]: many at once take a fifth of the time."""
    normal = [_normal(text) for text in texts]
    found = np.empty((len(normal), BINS), np.uint8)
    long = []
    for place, text in enumerate(normal):
        if _is_short(text):
            found[place] = np.frombuffer(_digest(text), np.uint8)
        else:
            long.append(place)
    smallest = _smallest([normal[place] for place in long])
    found[long] = np.where(smallest == _EMPTY, 0, smallest % 255 + 1)
    return found


def text_of(pieces: Iterable[Conversation]) -> str:
    """All turns that came of a row, answers included: the same question with another answer is another row."""
    return "\n".join([turn.content + turn.calls for piece in pieces for turn in piece.turns])


class NearDuplicates:
    """The signatures of rows, 104 bytes each; 1,000,000 of them take 150 MB at most while they are compared."""

    def __init__(self) -> None:
        self._numbers = array("q")
        self._signatures = bytearray()

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, signature: bytes) -> None:
        """The row of that number. Equal rows that are counted elsewhere are better left out."""
        self._numbers.append(number)
        self._signatures += signature

    def extend(self, numbers: NDArray[np.int64], signatures: NDArray[np.uint8]) -> None:
        """Many rows at once: their numbers, [n], and signatures, [n, BINS]."""
        self._numbers.frombytes(numbers.astype(np.int64, copy=False).tobytes())
        self._signatures += np.ascontiguousarray(signatures).data

    def pairs(self) -> Pairs:
        """Every row that is almost equal to one added before it, with the first such that was found; in the order of
        the rows. The same for the same rows, always."""
        table, numbers = self._table(), np.frombuffer(self._numbers, np.int64)
        earlier = np.arange(len(table), dtype=np.int32)
        for keys in _bands(table):
            order = np.argsort(keys, kind="stable").astype(np.int32)
            ordered = keys[order]
            for step in range(1, _NEIGHBOURS + 1):
                same = np.flatnonzero((ordered[step:] == ordered[:-step]) & (ordered[step:] != 0))
                _link(table, earlier, first=order[same], second=order[same + step])
                if not len(same):
                    break
        found = np.flatnonzero(earlier < np.arange(len(table)))
        return np.stack([numbers[found], numbers[earlier[found]]], axis=1)

    def overlap(self, held_out: NearDuplicates) -> Pairs:
        """Every row that is equal or almost equal to one of the held-out rows, with the first such that was found."""
        mine, theirs = self._table(), held_out._table()
        partner = np.full(len(mine), -1, np.int32)
        for keys, their_keys in zip(_bands(mine), _bands(theirs), strict=True):
            order = np.argsort(their_keys, kind="stable").astype(np.int32)
            ordered = their_keys[order]
            for first in range(0, len(mine), _AT_ONCE):
                rows = first + np.flatnonzero(
                    (partner[first : first + _AT_ONCE] < 0) & (keys[first : first + _AT_ONCE] != 0)
                )
                start = np.searchsorted(ordered, keys[rows])
                for step in range(_NEIGHBOURS):
                    is_same = start + step < len(ordered)
                    is_same[is_same] = ordered[start[is_same] + step] == keys[rows[is_same]]
                    rows, start = rows[is_same], start[is_same]
                    others = order[start + step]
                    alike = _are_similar(mine, rows, theirs, others)
                    partner[rows[alike]] = others[alike]
                    rows, start = rows[~alike], start[~alike]
        found = np.flatnonzero(partner >= 0)
        numbers, theirs_numbers = (np.frombuffer(rows._numbers, np.int64) for rows in (self, held_out))
        return np.stack([numbers[found], theirs_numbers[partner[found]]], axis=1)

    def _table(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._signatures, np.uint8).reshape(-1, BINS)


_EMPTY = np.uint32(0xFFFFFFFF)
_FACTORS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1], np.uint32)
"""Odd numbers without pattern, one for each place in a shingle."""


def _normal(text: str) -> str:
    words = " ".join(text.lower().split())
    has_number = any(digit in words for digit in _DIGITS)  # a twentieth of the time that the pattern takes
    return _NUMBER.sub(r"\g<0>\g<0>\g<0>", words) if has_number else words


def _is_short(normal: str) -> bool:
    size = len(normal)
    return size < _SHINGLE or (size < _FEW_CHARACTERS and normal.count(" ") < _FEW_WORDS - 1)


def _smallest(texts: list[str]) -> NDArray[np.uint32]:
    """The smallest hash in each bin of each text, [texts, BINS]. All are hashed as if they were one; what lies across
    the border of two goes to a row of its own, which is left out."""
    over = _SHINGLE - 1
    smallest = np.full((len(texts) + 1, BINS), _EMPTY, np.uint32)
    rows = np.array([row for place in range(len(texts)) for row in (place, len(texts))], np.int64) * BINS
    edges = np.cumsum([0, *(size for text in texts for size in (len(text) - over, over))])
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    for start in range(0, len(codes) - over, _PIECE):
        hashes, bins = _hashed(codes[start : start + _PIECE + over])
        end = start + len(bins)
        first, last = np.searchsorted(edges, start, "right") - 1, np.searchsorted(edges, end)
        bins += np.repeat(rows[first:last], np.diff(edges[first : last + 1].clip(start, end)))
        np.minimum.at(smallest.reshape(-1), bins, hashes)
    return smallest[:-1]


def _hashed(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Of every shingle a hash and its bin."""
    count = len(codes) - _SHINGLE + 1
    hashes = codes[:count] * _FACTORS[0]
    for place in range(1, _SHINGLE):
        hashes ^= codes[place : place + count] * _FACTORS[place]
        hashes *= np.uint32(0x2545F491)
        hashes ^= hashes >> np.uint32(15)
    bins = hashes.astype(np.int64)
    bins *= BINS
    bins >>= 32
    hashes *= np.uint32(0x9E3779B1)
    hashes ^= hashes >> np.uint32(16)
    return hashes, bins


def _digest(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"".join(blake2b(data, digest_size=48, salt=bytes([half])).digest() for half in range(2))


def _bands(table: NDArray[np.uint8]) -> Iterator[NDArray[np.uint32]]:
    """For each band a number per row that is the same where the band is; 0 where all its bins are empty."""
    for start in range(0, BINS, _BAND):
        keys = np.zeros(len(table), np.uint32)
        for place in range(start, start + _BAND):
            keys *= _FACTORS[0]
            keys += table[:, place]
        yield keys


def _link(
    table: NDArray[np.uint8], earlier: NDArray[np.int32], first: NDArray[np.int32], second: NDArray[np.int32]
) -> None:
    """Note for each `second` row that it is like the `first` one before it, unless it is linked already."""
    is_open = earlier[second] == second
    first, second = first[is_open], second[is_open]
    alike = _are_similar(table, first, table, second)
    earlier[second[alike]] = first[alike]


def _are_similar(
    one: NDArray[np.uint8], rows: NDArray[np.integer], other: NDArray[np.uint8], other_rows: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Whether the rows are similar, pair by pair: equal bins over bins that are not empty in both."""
    alike = np.empty(len(rows), np.bool_)
    for start in range(0, len(rows), _AT_ONCE):
        left, right = one[rows[start : start + _AT_ONCE]], other[other_rows[start : start + _AT_ONCE]]
        filled = ((left | right) != 0).sum(axis=1)
        equal = ((left == right) & (left != 0)).sum(axis=1)
        alike[start : start + _AT_ONCE] = equal >= SIMILAR * filled
    return alike
