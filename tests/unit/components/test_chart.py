from __future__ import annotations

import pytest

from qlora_ui.components.chart import (
    averaged,
    end_of,
    loss_series,
    points_after,
    sparkline_path,
    start_of,
    thinned,
)
from qlora_ui.components.chart_words import summarise, table_html


def test_nothing_measured_yet_is_said() -> None:
    assert summarise([]) == "There is no point yet; the first comes with the first reported step."


def test_a_falling_curve_with_its_evaluation() -> None:
    training = [(1, 3.08), (60, 1.9), (120, 1.12)]
    assert summarise(training, [(100, 1.2)]) == "Fell from 3.08 to 1.12 over 120 steps. Evaluation 1.20 at step 100."


def test_an_evaluation_that_got_worse_names_its_best_point() -> None:
    sentence = summarise([(1, 2.0), (1000, 0.5)], [(500, 1.1), (1000, 1.4)])
    assert sentence == (
        "Fell from 2.00 to 0.50 over 1,000 steps. Evaluation 1.40 at step 1,000, up from its best, 1.10 at step 500."
    )


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(1, 2.5)], "Training loss 2.50 at step 1."),
        ([(1, 1.0), (9, 1.001)], "Stayed at 1.00 over 9 steps."),
        ([(1, 1.0), (9, 2.0)], "Rose from 1.00 to 2.00 over 9 steps."),
        ([(1, 3.0), (7, 1.0), (9, 2.0)], "Fell from 3.00 to 2.00 over 9 steps. Its lowest point is 1.00 at step 7."),
        ([(1, 1.0), (9, 0.012)], "Fell from 1.00 to 0.012 over 9 steps."),
    ],
)
def test_a_training_curve_in_words(points: list[tuple[int, float]], expected: str) -> None:
    assert summarise(points) == expected


def test_an_evaluation_alone_is_a_sentence_too() -> None:
    assert summarise([], [(10, 1.5)]) == "Evaluation 1.50 at step 10."


def test_one_odd_batch_at_the_end_does_not_turn_the_sentence_round() -> None:
    points = [(step, 2.0 - step / 100) for step in range(1, 100)] + [(100, 2.5)]
    assert summarise(points) == (
        "Fell from 1.97 to 1.32 over 100 steps (means of 5 points). Its lowest point is 1.01 at step 99."
    )
    assert averaged(len(points)) == 5
    assert start_of(points) == pytest.approx(1.97, abs=0.011)
    assert end_of(points) == pytest.approx((1.04 + 1.03 + 1.02 + 1.01 + 2.5) / 5)


def test_few_points_stand_for_themselves_and_none_for_nothing() -> None:
    assert end_of([(step, float(step)) for step in range(19)]) == 18.0
    assert start_of([]) is None
    assert end_of([]) is None


def test_thinning_keeps_both_ends_and_invents_nothing() -> None:
    points = [(step, step / 7) for step in range(10_001)]
    few = thinned(points, 100)
    assert len(few) <= 102
    assert few[0] == points[0]
    assert few[-1] == points[-1]
    assert set(few) <= set(points)


def test_points_after_a_step() -> None:
    points = [(2, 0.2), (4, 0.4), (6, 0.6)]
    assert points_after(points, -1) == points
    assert points_after(points, 3) == points[1:]
    assert points_after(points, 4) == points[2:]
    assert points_after(points, 6) == []


def test_a_sparkline_fills_its_box_and_falls_to_the_right() -> None:
    assert sparkline_path([(0, 3.0), (5, 1.0), (10, 1.0)], width=100, height=20) == "M0.0,2.0 L50.0,18.0 L100.0,18.0"
    assert sparkline_path([(0, 3.0)], width=100, height=20) == "M0,10 H100"


def test_the_table_has_each_evaluated_step_with_the_loss_measured_there() -> None:
    training = [(step, 3.0 - step / 1000) for step in range(1, 1001)]
    html = table_html({"loss": training, "eval_loss": [(333, 2.5)]}, loss_series(), limit=10)
    assert '<tr><th scope="row">333</th><td>2.6670</td><td>2.5000</td></tr>' in html
    shown = html.count("<tr>") - 1
    assert shown <= 1 + 12
    assert f"<caption>{shown} of 1,000 steps, evenly chosen, with every evaluated one." in html
    assert '<tr><th scope="row">1,000</th><td>2.0000</td><td></td></tr>' in html


def test_a_table_of_all_steps_says_nothing_of_its_length() -> None:
    html = table_html({"loss": [(1, 3.0), (2, 2.5)], "eval_loss": []}, loss_series())
    assert "<caption>" not in html
    assert html.count("<tr>") == 3
