from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.data.prepare.split import split, times

_NAMES = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=40)


def keys(*names: str) -> list[bytes]:
    return [hashlib.sha256(name.encode()).digest() for name in names]


@given(names=_NAMES, wanted=st.integers(0, 45), seed=st.integers(0, 2**32 - 1))
def test_every_row_lands_on_one_side_and_equal_rows_on_the_same(names: list[str], wanted: int, seed: int) -> None:
    held_out = split(keys(*names), wanted, seed)
    sides = {name: set(held_out[[i for i, other in enumerate(names) if other == name]].tolist()) for name in names}
    assert all(len(side) == 1 for side in sides.values())
    assert held_out.any() == (wanted > 0 and len(sides) > 1)
    assert not held_out.all()
    rarest = min(names.count(name) for name in names)
    assert held_out.sum() <= max(wanted, rarest)
    assert (held_out == split(keys(*names), wanted, seed)).all()


def test_the_count_is_met_and_the_seed_matters() -> None:
    names = keys(*(str(i) for i in range(1000)))
    assert split(names, 100, 1).sum() == 100
    assert (split(names, 100, 1) != split(names, 100, 2)).any()


def test_the_order_of_the_rows_does_not_matter_and_more_rows_move_few() -> None:
    names = keys(*(str(i) for i in range(50)))
    chosen = {name for name, held in zip(names, split(names, 10, 3), strict=True) if held}
    backwards = names[::-1]
    assert chosen == {name for name, held in zip(backwards, split(backwards, 10, 3), strict=True) if held}
    more = keys(*(str(i) for i in range(55)))
    still = {name for name, held in zip(more, split(more, 11, 3), strict=True) if held}
    assert len(chosen & still) >= 8


def test_zero_bytes_at_the_end_of_a_key_make_none_equal() -> None:
    names = [b"a" * 30 + b"\0\0", b"a" * 31 + b"\0", b"a" * 32]
    assert split(names, 2, 0).sum() == 2


@given(rows=st.integers(0, 50), weight=st.floats(0.01, 5), seed=st.integers(0, 99))
def test_a_weight_is_met_as_nearly_as_rows_can(rows: int, weight: float, seed: int) -> None:
    often = times(rows, weight, np.random.default_rng(seed))
    assert len(often) == rows
    assert set(often.tolist()) <= {int(weight), int(weight) + 1}
    assert abs(often.sum() - weight * rows) <= 0.51
