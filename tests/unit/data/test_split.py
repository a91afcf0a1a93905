from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.data.split import split

_NAMES = st.lists(st.sampled_from("abcdefghij"), max_size=40)


@given(names=_NAMES, share=st.floats(0, 0.5), seed=st.integers(0, 2**32 - 1))
def test_every_row_lands_on_one_side_and_equal_rows_on_the_same(names: list[str], share: float, seed: int) -> None:
    train, held_out = split(names, share, seed)
    assert sorted([*train, *held_out]) == list(range(len(names)))
    assert not {names[i] for i in train} & {names[i] for i in held_out}
    assert train or not names
    assert bool(held_out) == (share > 0 and len(set(names)) > 1)
    assert (train, held_out) == split(names, share, seed)


def test_the_share_is_met_and_the_seed_matters() -> None:
    names = [str(i) for i in range(1000)]
    assert len(split(names, 0.1, 1)[1]) == 100
    assert split(names, 0.1, 1) != split(names, 0.1, 2)
    assert split(["a", "b"], 0.001, 0)[1] in ([0], [1])


def test_the_order_of_the_rows_does_not_matter() -> None:
    names = [str(i) for i in range(50)]
    backwards = names[::-1]
    chosen = {names[i] for i in split(names, 0.2, 3)[1]}
    assert chosen == {backwards[i] for i in split(backwards, 0.2, 3)[1]}
