"""Rows that are almost equal, among all rows and across the split."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qlora_ui.data.checks.near import NearDuplicates
from qlora_ui.data.prepare.rows import Rows

Mask = NDArray[np.bool_]

_AT_ONCE = 1 << 16
"""Rows that are copied at once, so that not all are there once more."""


def almost_repeated(rows: Rows, among: Mask) -> Mask:
    """True for rows that are almost equal to an earlier one of those `among` which is looked."""
    return _found(rows, _signatures(rows, among).pairs())


def almost_in(rows: Rows, among: Mask, others: Rows, other_among: Mask) -> Mask:
    """True for rows that are equal or almost equal to one of the others."""
    return _found(rows, _signatures(rows, among).overlap(_signatures(others, other_among)))


def _signatures(rows: Rows, among: Mask) -> NearDuplicates:
    """Numbered by the rows' places."""
    gathered = NearDuplicates()
    if rows.signatures is not None:
        places = np.flatnonzero(among)
        for start in range(0, len(places), _AT_ONCE):
            some = places[start : start + _AT_ONCE]
            gathered.extend(some, rows.signatures[some])
    return gathered


def _found(rows: Rows, pairs: NDArray[np.int64]) -> Mask:
    mask = np.zeros(len(rows.numbers), dtype=np.bool_)
    mask[pairs[:, 0]] = True
    return mask
