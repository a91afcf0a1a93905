from __future__ import annotations

import pytest

from qlora_ui.components.charts.chart import loss_series, sparkline_path
from qlora_ui.components.charts.chart_words import summarise, summarise_measure, table_html
from qlora_ui.components.charts.measures import MEASURES, measured
from qlora_ui.components.charts.smoothing import averaged, column, end_of, latest, smoothed, start_of
from qlora_ui.jobs.history.curves import Curve, Curves

Points = list[tuple[int, float]]


def curve(points: Points) -> Curve:
    return Curve([step for step, _ in points], [value for _, value in points])


def curves(**given: Points) -> Curves:
    made = Curves()
    for name, points in given.items():
        for step, value in points:
            made.add(name, step, value)
    return made


def test_nothing_measured_yet_is_said() -> None:
    assert summarise(Curves()) == "There is no point yet; the first comes with the first reported step."


def test_a_falling_curve_with_its_evaluation() -> None:
    training = [(1, 3.08), (60, 1.9), (120, 1.12)]
    assert (
        summarise(curves(loss=training, eval_loss=[(100, 1.2)]))
        == "Fell from 3.08 to 1.12 over 120 steps. Evaluation 1.20 at step 100."
    )


def test_an_evaluation_that_got_worse_names_its_best_point() -> None:
    sentence = summarise(curves(loss=[(1, 2.0), (1000, 0.5)], eval_loss=[(500, 1.1), (1000, 1.4)]))
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
    assert summarise(curves(loss=points)) == expected


def test_an_evaluation_alone_is_a_sentence_too() -> None:
    assert summarise(curves(eval_loss=[(10, 1.5)])) == "Evaluation 1.50 at step 10."


def test_one_odd_batch_at_the_end_does_not_turn_the_sentence_round() -> None:
    points = [(step, 2.0 - step / 100) for step in range(1, 100)] + [(100, 2.5)]
    assert summarise(curves(loss=points)) == (
        "Fell from 1.97 to 1.32 over 100 steps (means of 5 points). Its lowest point is 1.01 at step 99."
    )
    assert averaged(len(points)) == 5
    assert start_of(curve(points)) == pytest.approx(1.97, abs=0.011)
    assert end_of(curve(points)) == pytest.approx((1.04 + 1.03 + 1.02 + 1.01 + 2.5) / 5)


def test_few_points_stand_for_themselves_and_none_for_nothing() -> None:
    assert end_of(curve([(step, float(step)) for step in range(19)])) == 18.0
    assert start_of(Curve()) is None
    assert end_of(Curve()) is None


def test_the_present_loss_is_where_its_smoothed_line_ends() -> None:
    noisy = [(step, 1.0 + (step % 2) * 0.2) for step in range(300)]
    line = smoothed(curve(noisy), reach=10, limit=50)
    assert latest(curves(loss=noisy), "loss") == pytest.approx(line[-1][1])
    assert latest(curves(eval_loss=[(1, 3.0), (2, 2.0)]), "eval_loss") == 2.0


def test_a_smoothed_line_is_made_of_means_and_reaches_both_ends() -> None:
    points = [(step, float(step)) for step in range(101)]
    line = smoothed(curve(points), reach=5, limit=20)
    assert line[0] == (0, 2.5)
    assert line[-1] == (100, 97.5)
    assert (60, 60.0) in line
    assert len(line) <= 22


def test_a_curve_of_one_point_is_smooth() -> None:
    assert smoothed(curve([(7, 1.5)]), reach=3, limit=10) == [(7, 1.5)]


def test_what_was_never_measured_has_no_curve_and_is_not_offered() -> None:
    assert len(column(Curves(), "loss")) == 0
    found = measured(curves(loss=[(1, 3.0)], power=[(1, 341.0)], learning_rate=[(1, 2e-4)]))
    assert [measure.name for measure in found] == ["learning_rate", "power"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("learning_rate", 1.12e-4, "1.12·10⁻⁴"),
        ("padding", 0.076, "7.6 %"),
        ("device_memory", 17.1e9, "17.1 GB"),
        ("temperature", 64.2, "64 °C"),
        ("power", 341.4, "341 W"),
        ("grad_norm", 0.414, "0.41"),
        ("tokens_per_second", 9240.0, "9,240 tokens/s"),
    ],
)
def test_each_figure_is_said_with_its_unit(name: str, value: float, words: str) -> None:
    assert MEASURES[name].in_words(value) == words
    assert MEASURES[name].in_words(None) == "–"


def test_a_figure_beside_the_losses_is_summed_up() -> None:
    words = summarise_measure(curves(power=[(1, 300.0), (2, 341.0), (3, 320.0)]), MEASURES["power"])
    assert words == "320 W at step 3, between 300 W and 341 W so far."
    assert summarise_measure(curves(), MEASURES["power"]) == ""


def test_a_sparkline_fills_its_box_and_falls_to_the_right() -> None:
    assert sparkline_path([(0, 3.0), (5, 1.0), (10, 1.0)], width=100, height=20) == "M0.0,2.0 L50.0,18.0 L100.0,18.0"
    assert sparkline_path([(0, 3.0)], width=100, height=20) == "M0,10 H100"


def test_the_table_has_each_evaluated_step_with_the_loss_measured_there() -> None:
    training = [(step, 3.0 - step / 1000) for step in range(1, 1001)]
    html = table_html(curves(loss=training, eval_loss=[(333, 2.5)]), loss_series(), limit=10)
    assert '<tr><th scope="row">333</th><td>2.6670</td><td>2.5000</td></tr>' in html
    shown = html.count("<tr>") - 1
    assert shown <= 1 + 12
    assert "<caption>One in 100 of 1,000 steps, and every evaluated one; all of them are in the CSV." in html
    assert '<tr><th scope="row">1,000</th><td>2.0000</td><td></td></tr>' in html


@pytest.mark.parametrize("steps", [2, 120, 300])
def test_a_table_of_all_steps_says_nothing_of_its_length(steps: int) -> None:
    html = table_html(curves(loss=[(step, 2.5) for step in range(1, steps + 1)]), loss_series())
    assert "<caption>" not in html
    assert html.count("<tr>") == 1 + steps


def test_the_table_counts_steps_at_which_only_an_evaluation_was() -> None:
    html = table_html(curves(loss=[(step, 1.0) for step in range(1, 1001)], eval_loss=[(0, 3.0)]), loss_series())
    assert "of 1,001 steps" in html
    assert '<tr><th scope="row">0</th><td></td><td>3.0000</td></tr>' in html
