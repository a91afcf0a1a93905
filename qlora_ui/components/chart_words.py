"""Curves for those who do not see them: said in sentences, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from qlora_ui.components.chart import Points, Series, averaged, end_of, start_of, thinned
from qlora_ui.locales import _
from qlora_ui.locales.figures import fixed, number, significant

TABLE_ROWS = 100


def summarise(training: Points, evaluation: Points = ()) -> str:
    """The curves in a few sentences: from where to where, the lowest point, and what the evaluation says."""
    if not training and not evaluation:
        return _("There is no point yet; the first comes with the first reported step.")
    sentences = []
    if training:
        sentences += [_course(training), _lowest(training)]
    if evaluation:
        sentences.append(_evaluation(evaluation))
    return " ".join(filter(None, sentences))


def _course(training: Points) -> str:
    """From where to where a curve went; where it is smoothed, between means of a few points, and that is said."""
    steps, points = training[-1][0], averaged(len(training))
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


def _lowest(training: Points) -> str:
    """The lowest single point; empty where the course has said that figure already."""
    step, value = min(training, key=lambda point: point[1])
    if figure(value) in {figure(start_of(training)), figure(end_of(training))}:
        return ""
    return _("Its lowest point is {value} at step {step}.", value=figure(value), step=number(step))


def _evaluation(points: Points) -> str:
    (step, latest), (best_step, best) = points[-1], min(points, key=lambda point: point[1])
    places = {"value": figure(latest), "step": number(step)}
    if figure(best) == figure(latest):
        return _("Evaluation {value} at step {step}.", **places)
    return _(
        "Evaluation {value} at step {step}, up from its best, {best} at step {best_step}.",
        **places,
        best=figure(best),
        best_step=number(best_step),
    )


def figure(value: float | None) -> str:
    """A loss for people: two decimals, more for small ones, a dash for none."""
    if value is None:
        return "–"
    return fixed(value, 2) if abs(value) >= 0.1 else significant(value, 2)


def table_html(curves: Mapping[str, Points], series: Sequence[Series], limit: int = TABLE_ROWS) -> str:
    """The curves as a table, one row a step, with every evaluated step in it and about `limit` others.

    A table that leaves steps out says so in its caption.
    """
    rows = _rows(curves, series, limit)
    steps = {step for one in series for step, _value in curves[one["name"]]}
    caption = f"<caption>{escape(_left_out(len(rows), len(steps)))}</caption>" if len(rows) < len(steps) else ""
    names = "".join(f'<th scope="col">{escape(one["label"])}</th>' for one in series)
    head = f'<tr><th scope="col">{escape(_("Step"))}</th>{names}</tr>'
    body = "".join(_row(step, [row.get(one["name"]) for one in series]) for step, row in sorted(rows.items()))
    return f'<table class="qu-figures">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'


def _rows(curves: Mapping[str, Points], series: Sequence[Series], limit: int) -> dict[int, dict[str, float]]:
    """Step → values by the curve's name. A step that is shown for one curve shows the others too."""
    chosen: set[int] = set()
    for one in series:
        points = curves[one["name"]]
        chosen |= {step for step, _value in (points if one["dashed"] else thinned(points, limit))}
    values = {one["name"]: dict(curves[one["name"]]) for one in series}
    return {step: {name: known[step] for name, known in values.items() if step in known} for step in chosen}


def _left_out(shown: int, total: int) -> str:
    return _(
        "{shown} of {total} steps, evenly chosen, with every evaluated one. The download has them all.",
        shown=number(shown),
        total=number(total),
    )


def _row(step: int, values: Sequence[float | None]) -> str:
    cells = "".join(f"<td>{'' if value is None else fixed(value, 4)}</td>" for value in values)
    return f'<tr><th scope="row">{number(step)}</th>{cells}</tr>'
