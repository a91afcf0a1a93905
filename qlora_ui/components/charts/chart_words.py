"""Curves for those who do not see them: said in sentences, and as a table."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from html import escape

from qlora_ui.components.charts.chart import Series
from qlora_ui.components.charts.measures import Measure
from qlora_ui.components.charts.smoothing import averaged, column, end_of, start_of
from qlora_ui.jobs.history.curves import Curve, Curves
from qlora_ui.locales import _
from qlora_ui.locales.figures import fixed, number, significant

TABLE_ROWS = 300
"""Of one curve; up to so many are all shown."""


def summarise(curves: Curves) -> str:
    """The losses in a few sentences: from where to where, the lowest point, and what the evaluation says."""
    training, evaluation = column(curves, "loss"), column(curves, "eval_loss")
    if not training and not evaluation:
        return _("There is no point yet; the first comes with the first reported step.")
    sentences = []
    if training:
        sentences += [_course(training), _lowest(training)]
    if evaluation:
        sentences.append(_evaluation(evaluation))
    return " ".join(filter(None, sentences))


def summarise_measure(curves: Curves, measure: Measure) -> str:
    """One figure beside the losses: where it stands and between what it was; empty for none."""
    curve = column(curves, measure.name)
    if not curve:
        return ""
    lowest, highest = curve.extremes()
    return _(
        "{value} at step {step}, between {low} and {high} so far.",
        value=measure.in_words(curve.values[-1]),
        step=number(curve.steps[-1]),
        low=measure.in_words(curve.values[lowest]),
        high=measure.in_words(curve.values[highest]),
    )


def _course(training: Curve) -> str:
    """From where to where a curve went; where it is smoothed, between means of a few points, and that is said."""
    steps, points = training.steps[-1], averaged(len(training))
    start, end = start_of(training) or 0.0, end_of(training) or 0.0
    places = {"first": figure(start), "last": figure(end), "steps": number(steps), "points": number(points)}
    if len(training) == 1:
        return _("Training loss {last} at step {steps}.", **places)
    if places["first"] == places["last"]:
        if points > 1:
            return _("Stayed at {last} over {steps} steps (means of {points} points).", **places)
        return _("Stayed at {last} over {steps} steps.", **places)
    if end < start:
        if points > 1:
            return _("Fell from {first} to {last} over {steps} steps (means of {points} points).", **places)
        return _("Fell from {first} to {last} over {steps} steps.", **places)
    if points > 1:
        return _("Rose from {first} to {last} over {steps} steps (means of {points} points).", **places)
    return _("Rose from {first} to {last} over {steps} steps.", **places)


def _lowest(training: Curve) -> str:
    """The lowest single point; empty where the course has said that figure already."""
    step, value = _best(training)
    if figure(value) in {figure(start_of(training)), figure(end_of(training))}:
        return ""
    return _("Its lowest point is {value} at step {step}.", value=figure(value), step=number(step))


def _evaluation(points: Curve) -> str:
    (best_step, best), step, latest = _best(points), points.steps[-1], points.values[-1]
    places = {"value": figure(latest), "step": number(step)}
    if figure(best) == figure(latest):
        return _("Evaluation {value} at step {step}.", **places)
    return _(
        "Evaluation {value} at step {step}, up from its best, {best} at step {best_step}.",
        **places,
        best=figure(best),
        best_step=number(best_step),
    )


def _best(curve: Curve) -> tuple[int, float]:
    """The first of the lowest points."""
    place, _highest = curve.extremes()
    return curve.steps[place], curve.values[place]


def figure(value: float | None) -> str:
    """A loss for people: two decimals, more for small ones, a dash for none."""
    if value is None:
        return "–"
    return fixed(value, 2) if abs(value) >= 0.1 else significant(value, 2)


def table_html(
    curves: Curves,
    series: Sequence[Series],
    limit: int = TABLE_ROWS,
    write: Callable[[float], str] = lambda value: fixed(value, 4),
) -> str:
    """The curves as a table, one row a step, with every evaluated step in it and about `limit` others at most.

    A table that leaves steps out says so in its caption. `write` puts a value into words.
    """
    shown = {one["name"]: column(curves, one["name"]) for one in series}
    steps = sorted({step for one in series for step in _chosen(shown[one["name"]], limit, whole=one["dashed"])})
    total = _all_steps(list(shown.values()))
    every = max((_stride(shown[one["name"]], limit) for one in series if not one["dashed"]), default=1)
    caption = f"<caption>{escape(_left_out(every, total))}</caption>" if len(steps) < total else ""
    names = "".join(f'<th scope="col">{escape(one["label"])}</th>' for one in series)
    head = f'<tr><th scope="col">{escape(_("Step"))}</th>{names}</tr>'
    body = "".join(_row(step, [_at(curve, step) for curve in shown.values()], write) for step in steps)
    return f'<table class="qu-figures">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'


def _chosen(curve: Curve, limit: int, *, whole: bool) -> list[int]:
    """About `limit` steps, evenly chosen, always with the first and the last; or all of them."""
    if whole or len(curve) <= limit:
        return list(curve.steps)
    return [*curve.steps[:: _stride(curve, limit)], curve.steps[-1]]


def _stride(curve: Curve, limit: int) -> int:
    """Of how many points one is shown."""
    return max(1, -(-len(curve) // limit))


def _all_steps(shown: list[Curve]) -> int:
    """How many steps at least one of the curves has."""
    longest = max(shown, key=len)
    others = [curve for curve in shown if curve is not longest]
    return len(longest) + len({step for curve in others for step in curve.steps if _at(longest, step) is None})


def _at(curve: Curve, step: int) -> float | None:
    place = bisect_left(curve.steps, step)
    return curve.values[place] if place < len(curve) and curve.steps[place] == step else None


def _left_out(every: int, total: int) -> str:
    return _(
        "One in {every} of {total} steps, and every evaluated one; all of them are in the CSV.",
        every=number(every),
        total=number(total),
    )


def _row(step: int, values: Sequence[float | None], write: Callable[[float], str]) -> str:
    cells = "".join(f"<td>{'' if value is None else escape(write(value))}</td>" for value in values)
    return f'<tr><th scope="row">{number(step)}</th>{cells}</tr>'
