"""Curves as columns: what is thinned for a picture loses no extreme and makes nothing up."""

from __future__ import annotations

import math
import random

import pytest

from qlora_ui.jobs.history.curves import Curve, Curves


def test_a_thinned_curve_keeps_its_ends_and_every_extreme() -> None:
    chance = random.Random(3)
    curves = Curves()
    steps = sorted(chance.sample(range(1_000_000), 20_000))
    curves.extend(steps, {"loss": [chance.gauss(1, 0.2) for _ in steps]})
    for place in (77, 9_000, 19_998):
        curves.add("loss", steps[place], 50.0)
    points = curves.points("loss")
    for limit in (4, 5, 300, 2_001):
        thinned = curves.thinned("loss", limit)
        assert len(thinned) <= limit
        assert set(thinned) <= set(points), "only what was measured"
        assert [step for step, _ in thinned] == sorted({step for step, _ in thinned})
        assert (thinned[0], thinned[-1]) == (points[0], points[-1])
        inner = [value for _, value in points[1:-1]]
        assert {min(inner), max(inner)} <= {value for _, value in thinned}
    spikes = [step for step, value in curves.thinned("loss", 2_000) if value == 50.0]
    assert spikes == [steps[place] for place in (77, 9_000, 19_998)]


def test_a_stretch_of_a_curve_reaches_beyond_its_edges() -> None:
    curves = Curves()
    curves.extend(range(0, 1000, 10), {"loss": [math.sin(n) for n in range(100)]})
    stretch = curves.thinned("loss", 1000, first=101, last=299)
    assert (stretch[0][0], stretch[-1][0], len(stretch)) == (100, 300, 21)
    assert curves.thinned("loss", 1000, first=-50, last=10_000) == curves.points("loss")
    assert [step for step, _ in curves.thinned("loss", 1000, first=995)] == [990]
    assert len(curves.thinned("loss", 8, first=101, last=899)) <= 8


def test_a_short_curve_is_not_thinned() -> None:
    curves = Curves()
    curves.extend([1, 2, 3], {"loss": [3.0, 2.0, 1.0]})
    assert curves.thinned("loss", 4) == curves.points("loss")
    assert curves.thinned("never measured", 4) == []
    with pytest.raises(ValueError, match="3 points"):
        curves.thinned("loss", 3)


def test_a_thinned_curve_follows_what_is_added() -> None:
    curves = Curves()
    curves.extend(range(100), {"loss": [1.0] * 100})
    assert curves.thinned("loss", 10)[-1] == (99, 1.0)
    curves.add("loss", 100, 9.0)
    assert curves.thinned("loss", 10)[-1] == (100, 9.0)
    curves.add("loss", 50, -9.0)
    assert (50, -9.0) in curves.thinned("loss", 10)
    curves.extend([101], {"loss": [8.0]})
    assert curves.thinned("loss", 10)[-1] == (101, 8.0)
    curves.cut_after(98)
    assert curves.thinned("loss", 10)[-1] == (98, 1.0)


def test_what_came_after_a_step_is_the_news() -> None:
    curves = Curves()
    curves.extend([10, 20, 30], {"loss": [3.0, 2.0, 1.0]})
    assert curves.after("loss", 10) == [(20, 2.0), (30, 1.0)]
    assert curves.after("loss", 5) == curves.points("loss")
    assert curves.after("loss", 30) == curves.after("never measured", 0) == []


def test_many_at_once_are_taken_in_as_one_by_one() -> None:
    at_once, one_by_one = Curves(), Curves()
    batches = [([1, 2, 3], [3.0, math.nan, 1.0]), ([3, 2, 7], [0.5, 0.6, math.inf]), ([5], [4.0]), ([], [])]
    for steps, values in batches:
        at_once.extend(steps, {"loss": values})
        for step, value in zip(steps, values, strict=True):
            one_by_one.add("loss", step, value)
    assert at_once.points("loss") == one_by_one.points("loss") == [(1, 3.0), (2, 0.6), (3, 0.5), (5, 4.0)]


def test_what_is_no_number_is_refused_as_a_whole() -> None:
    curves = Curves()
    with pytest.raises(TypeError):
        curves.extend([1, 2], {"loss": [1.0, 2.0], "grad_norm": [1.0, "NaN"]})  # type: ignore[list-item]
    with pytest.raises(OverflowError):
        curves.extend([2**70], {"loss": [1.0]})
    assert curves.names == []
    curves.add("loss", 2**70, 1.0)
    assert curves.points("loss") == []


def test_extremes_follow_what_is_added_changed_and_cut() -> None:
    curve = Curve([1, 2, 3], [2.0, 1.0, 3.0])
    assert curve.extremes() == (1, 2)
    dice = random.Random(3)
    for step in range(4, 200):
        curve.add(step, round(dice.uniform(0, 4), 1))
        values = curve.values.tolist()
        assert curve.extremes() == (values.index(min(values)), values.index(max(values)))
    lowest, _highest = curve.extremes()
    curve.add(curve.steps[lowest], 9.0)
    assert curve.values[curve.extremes()[1]] == 9.0
    curve.cut_after(2)
    assert curve.extremes() == (1, 0)
