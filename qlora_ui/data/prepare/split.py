"""Which rows are held out of training, and how often the others go in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def split(keys: Sequence[bytes] | NDArray[np.bytes_], wanted: int, seed: int) -> NDArray[np.bool_]:
    """True for the rows that are held out: at most `wanted` of them, as near to it as whole groups allow.

    `keys` are digests of 32 bytes: rows with equal ones land on the same side, so that nothing held out is trained
    under another number. If any are wanted, at least one row is held out and one trained, given two different keys.
    The same keys, count and seed give the same split everywhere; the order of the rows does not matter, and rows that
    are added later move few of the others.
    """
    groups, inverse, sizes = np.unique(np.asarray(keys, dtype="S32"), return_inverse=True, return_counts=True)
    held_out = np.zeros(len(groups), dtype=np.bool_)
    if wanted > 0 and len(groups) > 1:
        lots = np.array([_lot(group, seed) for group in groups.tolist()], dtype="S32")
        drawn = np.argsort(lots)
        left = min(wanted, len(inverse) - 1)
        for group in drawn.tolist():
            if sizes[group] <= left:
                held_out[group] = True
                left -= int(sizes[group])
                if left == 0:
                    break
        if not held_out.any():  # every row is there more often than rows are wanted: the rarest goes
            held_out[drawn[np.argmin(sizes[drawn])]] = True
    sides: NDArray[np.bool_] = held_out[inverse]
    return sides


def times(rows: int, weight: float, chance: np.random.Generator) -> NDArray[np.int64]:
    """How often each of `rows` rows of a source goes in: its weight's whole part, and once more for a random share."""
    whole = int(weight)
    often = np.full(rows, whole, dtype=np.int64)
    often[chance.permutation(rows)[: round((weight - whole) * rows)]] += 1
    return often


def _lot(key: bytes, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {key.ljust(32, bytes(1)).hex()}".encode()).digest()
