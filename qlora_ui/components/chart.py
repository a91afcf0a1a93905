"""The loss curve of a job, drawn live from deltas; `chart_words` says it and makes a table of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from html import escape
from statistics import fmean
from typing import TypedDict

import nicegui.elements.echart  # noqa: F401  (puts "nicegui-echart" on the page's import map)
from nicegui import ui
from nicegui.element import Element

from qlora_ui.components.events import listen, throttled
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, language, tag

Points = Sequence[tuple[int, float]]
"""A curve: (step, value) pairs with rising steps."""

POINTS_SENT = 4_000
"""A longer curve is thinned to about this many of its points when it is sent as a whole."""
SMOOTH_FROM = 20
"""With fewer points than this the raw curve says more than a smoothed one."""
REACH_DIVISOR, LEAST_REACH = 30, 3
"""One point in 30, and at least 3, to either side of a point go into its smoothed value."""


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


def loss_series() -> list[Series]:
    """The two curves of a training."""
    training, evaluation = _("Training", context="a curve"), _("Evaluation", context="a curve")
    return [
        {"name": "loss", "label": training, "color": "chart-1", "dashed": False, "smooth": True},
        {"name": "eval_loss", "label": evaluation, "color": "chart-2", "dashed": True, "smooth": False},
    ]


class LossChart(Element, component="chart.js"):
    """The curves of a job as a picture of fixed height. It asks for all points when it appears, then gets new ones.

    For a screen reader it is one picture, described by the element with the id `described_by`. It emits `unavailable`
    when the library that draws it could not be loaded.
    """

    def __init__(self, job: Job, *, described_by: str) -> None:
        super().__init__()
        self._job = job
        self._series = loss_series()
        self._sent: dict[str, int] | None = None
        self._props["series"] = self._series
        self._props["total"] = job.total_steps
        self._props["ends"] = {}
        self._props["smoothing"] = {"from": SMOOTH_FROM, "divisor": REACH_DIVISOR, "least": LEAST_REACH}
        self._props["words"] = {"label": _("Loss by step"), "step": _("Step {step}")}
        self._props["language"] = tag(language())
        self._props["described"] = described_by
        flush = throttled(self, self._send_new, seconds=0.25)
        self.on("ready", self._send_all, [])
        with self:
            listen(job.metric_added, lambda _metric: flush())
            listen(job.curves_reset, self._send_all)
            listen(job.changed, self._follow_total)

    def show_ends(self, ends: dict[str, str]) -> None:
        """What stands at the end of each curve, by the curve's name."""
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
