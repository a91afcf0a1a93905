"""Which rows are held out of training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def split(fingerprints: Sequence[str], share: float, seed: int) -> tuple[list[int], list[int]]:
    """The indices that are trained and those that are held out, both in rising order.

    Rows with equal fingerprints land on the same side, so that nothing held out is trained under another number. With a
    share above 0 at least one row is held out and at least one trained, if there are two different ones. The same
    fingerprints, share and seed give the same split everywhere; the order of the rows does not matter, and rows that
    are added later move few of the others.
    """
    groups: dict[str, list[int]] = {}
    for index, fingerprint in enumerate(fingerprints):
        groups.setdefault(fingerprint, []).append(index)
    held_out: list[int] = []
    if share > 0 and len(groups) > 1:
        wanted = max(1, round(share * len(fingerprints)))
        drawn = sorted(groups, key=lambda fingerprint: _lot(fingerprint, seed))
        for fingerprint in drawn:
            rows = groups[fingerprint]
            if len(held_out) + len(rows) <= wanted:
                held_out += rows
        if not held_out:  # every row is there more often than rows are wanted: the rarest goes
            held_out = min((groups[fingerprint] for fingerprint in drawn), key=len)
    chosen = set(held_out)
    return [index for index in range(len(fingerprints)) if index not in chosen], sorted(chosen)


def _lot(fingerprint: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {fingerprint}".encode()).digest()
