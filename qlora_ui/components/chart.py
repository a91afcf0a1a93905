"""The loss curve of a job: drawn live from deltas, said in a sentence, and readable as a table."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from html import escape
from statistics import fmean
from typing import TypedDict

import nicegui.elements.echart  # noqa: F401  (puts "nicegui-echart" on the page's import map)
from nicegui import ui
from nicegui.element import Element

from qlora_ui.components.events import listen, throttled
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job

Points = Sequence[tuple[int, float]]
"""A curve: (step, value) pairs with rising steps."""

POINTS_SENT = 4_000
"""A longer curve is thinned to about this many of its points when it is sent as a whole."""
TABLE_ROWS = 100
SMOOTH_FROM = 20
"""With fewer points than this the raw curve says more than a smoothed one."""
REACH_DIVISOR, LEAST_REACH = 30, 3
"""One point in 30, and at least 3, to either side of a point go into its smoothed value."""
TRAINING_LOSS_HELP = "How surprised the model is by the examples, as a mean over the last few steps; lower is better."


class Series(TypedDict):
    """How one curve is drawn."""

    name: str
    """Its name in `Curves`."""
    label: str
    color: str
    """A token such as `chart-1`."""
    dashed: bool
    smooth: bool
    """Draw the raw curve thin and a smoothed one over it."""


LOSS_SERIES: list[Series] = [
    {"name": "loss", "label": "Training", "color": "chart-1", "dashed": False, "smooth": True},
    {"name": "eval_loss", "label": "Evaluation", "color": "chart-2", "dashed": True, "smooth": False},
]


class LossChart(Element, component="chart.js"):
    """The curves of a job as a picture of fixed height. It asks for all points when it appears, then gets new ones."""

    def __init__(self, job: Job, series: list[Series] | None = None) -> None:
        super().__init__()
        self._job = job
        self._series = LOSS_SERIES if series is None else series
        self._sent: dict[str, int] | None = None
        self._props["series"] = self._series
        self._props["total"] = job.total_steps
        self._props["label"] = ""
        self._props["ends"] = {}
        self._props["smoothing"] = {"from": SMOOTH_FROM, "divisor": REACH_DIVISOR, "least": LEAST_REACH}
        flush = throttled(self, self._send_new, seconds=0.25)
        self.on("ready", self._send_all, [])
        with self:
            listen(job.metric_added, lambda _: flush())
            listen(job.curves_reset, self._send_all)
            listen(job.changed, self._follow_total)

    def describe(self, sentence: str, ends: dict[str, str]) -> None:
        """What a screen reader says of the picture, and what stands at the end of each curve, by the curve's name."""
        self._props["label"] = sentence
        self._props["ends"] = ends

    def _send_all(self) -> None:
        curves = {one["name"]: self._job.curves.points(one["name"]) for one in self._series}
        self._sent = {name: points[-1][0] if points else -1 for name, points in curves.items()}
        self.run_method("replace", {name: thinned(points, POINTS_SENT) for name, points in curves.items()})

    def _send_new(self) -> None:
        """Send the points after the last sent step; a page without a connection asks for them when it is back."""
        if self._sent is None or not self.client.has_socket_connection:
            return
        added = {name: points_after(self._job.curves.points(name), step) for name, step in self._sent.items()}
        added = {name: points for name, points in added.items() if points}
        if added:
            self._sent |= {name: points[-1][0] for name, points in added.items()}
            self.run_method("append", added)

    def _follow_total(self) -> None:
        if self._props["total"] != self._job.total_steps:
            self._props["total"] = self._job.total_steps


def sparkline(points: Points, label: str) -> ui.html:
    """A curve as a small picture without axes; `label` says what it shows. Fewer than two points make a flat line."""
    box = 'class="qu-sparkline" viewBox="0 0 120 32" preserveAspectRatio="none"'
    path = f'<path d="{sparkline_path(points)}"/>'
    return ui.html(f'<svg {box} role="img" aria-label="{escape(label)}">{path}</svg>', sanitize=False)


def sparkline_path(points: Points, width: float = 120, height: float = 32) -> str:
    """The SVG path of a curve that fills the box, with 2 units of air above and below."""
    if len(points) < 2:
        return f"M0,{height / 2:g} H{width:g}"
    points = thinned(points, 120)
    steps, values = [p[0] for p in points], [p[1] for p in points]
    low, high, first, last = min(values), max(values), steps[0], steps[-1]
    reach = (high - low) or 1.0
    places = (
        f"{width * (step - first) / (last - first):.1f},{2 + (height - 4) * (high - value) / reach:.1f}"
        for step, value in points
    )
    return "M" + " L".join(places)


def summarise(training: Points, evaluation: Points = ()) -> str:
    """The curves in a sentence: from where to where over how many steps, and what the evaluation says."""
    if not training and not evaluation:
        return "There is no point yet; the first comes with the first reported step."
    parts = []
    if training:
        parts.append(_course(training))
    if evaluation:
        (step, latest), (best_step, best) = evaluation[-1], min(evaluation, key=lambda point: point[1])
        words = f"evaluation {figure(latest)} at step {step:,}"
        if figure(best) != figure(latest):
            words += f", up from its best, {figure(best)} at step {best_step:,}"
        parts.append(words)
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _course(training: Points) -> str:
    """From where to where a curve went; where it is smoothed, between means of a few points, and that is said."""
    step, first, last = training[-1][0], start_of(training) or 0.0, end_of(training) or 0.0
    count = averaged(len(training))
    means = f" (means of {count} points)" if count > 1 else ""
    if len(training) == 1:
        return f"Training loss {figure(last)} at step {step:,}"
    if figure(first) == figure(last):
        return f"Stayed at {figure(last)} over {step:,} steps{means}"
    verb = "Fell" if last < first else "Rose"
    return f"{verb} from {figure(first)} to {figure(last)} over {step:,} steps{means}"


def figure(value: float | None) -> str:
    """A loss for people: two decimals, more for small ones, a dash for none."""
    if value is None:
        return "–"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def table_html(curves: Mapping[str, Points], series: Sequence[Series], limit: int = TABLE_ROWS) -> str:
    """The curves as a table, one row a step, with every evaluated step in it and about `limit` others."""
    by_step: dict[int, dict[str, float]] = {}
    for one in series:
        points = curves[one["name"]]
        for step, value in points if one["dashed"] else thinned(points, limit):
            by_step.setdefault(step, {})[one["name"]] = value
    for one in series:  # a step that is shown for one curve shows the others too
        by_step = {step: row | known(curves[one["name"]], step, one["name"]) for step, row in by_step.items()}
    head = "".join(f'<th scope="col">{escape(one["label"])}</th>' for one in series)
    rows = "".join(_row(step, [row.get(one["name"]) for one in series]) for step, row in sorted(by_step.items()))
    head = f'<tr><th scope="col">Step</th>{head}</tr>'
    return f'<table class="qu-figures"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def known(points: Points, step: int, name: str) -> dict[str, float]:
    """The value of a curve at exactly this step, by name; empty where it was not measured."""
    place = bisect_left(points, step, key=lambda point: point[0])
    return {name: points[place][1]} if place < len(points) and points[place][0] == step else {}


def averaged(count: int) -> int:
    """How many points at an end of a smoothed curve of `count` points go into its value there."""
    return 1 if count < SMOOTH_FROM else 1 + max(LEAST_REACH, -(-count // REACH_DIVISOR))


def start_of(points: Points) -> float | None:
    """Where a noisy curve begins: the mean of its first few points; None for an empty one."""
    return _mean(points[: averaged(len(points))])


def end_of(points: Points) -> float | None:
    """Where a noisy curve stands: the mean of its last few points, at which its smoothed line ends; None for none."""
    return _mean(points[-averaged(len(points)) :])


def latest(curves: Curves, name: str) -> float | None:
    """The figure that stands for a curve's present: smoothed for the training loss, else the last one measured."""
    return end_of(curves.points(name)) if name == "loss" else curves.latest(name)


def _mean(points: Points) -> float | None:
    return fmean(value for _, value in points) if points else None


def points_after(points: Points, step: int) -> list[tuple[int, float]]:
    """The points with a larger step."""
    return list(points[bisect_right(points, step, key=lambda point: point[0]) :])


def thinned(points: Points, limit: int) -> list[tuple[int, float]]:
    """At most about `limit` of the points, evenly chosen, always with the first and the last. None is made up."""
    if len(points) <= limit:
        return list(points)
    stride = -(-len(points) // limit)
    chosen = list(points[::stride])
    return chosen if chosen[-1] == points[-1] else [*chosen, points[-1]]


def _row(step: int, values: Sequence[float | None]) -> str:
    cells = "".join(f"<td>{'' if value is None else f'{value:.4f}'}</td>" for value in values)
    return f'<tr><th scope="row">{step:,}</th>{cells}</tr>'
