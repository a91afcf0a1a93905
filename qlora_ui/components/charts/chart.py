"""Curves of a job, drawn live from deltas; `chart_words` says them and makes a table of them."""

from __future__ import annotations

from html import escape
from typing import Literal, TypedDict

import nicegui.elements.echart  # noqa: F401  (puts "nicegui-echart" on the page's import map)
from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.components.charts.measures import Measure, Scale
from qlora_ui.components.charts.smoothing import (
    DIVISORS,
    LEAST_REACH,
    SMOOTH_FROM,
    Smoothing,
    column,
    reach_of,
    smoothed,
)
from qlora_ui.components.events import listen, throttled
from qlora_ui.jobs.history.curves import Point
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, language, tag

POINTS_SENT = 2_000
"""A longer curve is thinned to at most this many of its points, in the whole and in each stretch that is looked at."""
SMOOTH_POINTS = 1_000
"""How many points the smoothed line of such a curve has."""
_SMOOTH_ANEW_S = 5.0


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


class Mark(TypedDict):
    """Something that happened at a step."""

    step: int
    kind: Literal["checkpoint", "best", "resumed"]
    label: str


def loss_series() -> list[Series]:
    """The two curves of a training."""
    training, evaluation = _("Training", context="a curve"), _("Evaluation", context="a curve")
    return [
        {"name": "loss", "label": training, "color": "chart-1", "dashed": False, "smooth": True},
        {"name": "eval_loss", "label": evaluation, "color": "chart-2", "dashed": True, "smooth": False},
    ]


def series_of(measure: Measure) -> list[Series]:
    """The curve of one figure beside the losses."""
    kind = {"color": "chart-2", "dashed": True} if measure.is_of_evaluation else {"color": "chart-1", "dashed": False}
    return [
        {
            "name": measure.name,
            "label": _(measure.title),
            "color": str(kind["color"]),
            "dashed": bool(kind["dashed"]),
            "smooth": False,
        }
    ]


class CurveChart(Element, component="chart.js", esm={"qlora-ui-charting": "charting"}):
    """Curves of a job as a picture of fixed height. It asks for all points when it appears, then gets new ones.

    Dragging, the keys and Ctrl with the wheel show a stretch of the steps; of long curves it then asks for the points
    of that stretch. For a screen reader it is one picture, described by the element with the id `described_by`. It
    emits `unavailable` when the library that draws it could not be loaded.
    """

    def __init__(self, job: Job, series: list[Series], *, label: str, scale: Scale, described_by: str) -> None:
        super().__init__()
        self._job = job
        self._series = series
        self._sent: dict[str, int] | None = None
        keys = _("{label}. Arrow keys move along the curve, plus and minus zoom, Escape shows the whole.", label=label)
        words = {"label": label, "step": _("Step {step}"), "whole": _("Show all steps"), "keys": keys}
        self._props.update({"series": series, "scale": scale, "words": words, "language": tag(language())})
        self._props.update({"total": job.total_steps, "ends": {}, "marks": [], "described": described_by})
        self.smooth("medium")
        self.on("ready", self._send_all)
        self.on("zoom", self._zoom)
        flush = throttled(self, self._send_new, seconds=0.8)
        self._renew_smooth = throttled(self, self._send_smooth, seconds=_SMOOTH_ANEW_S)
        with self:
            listen(job.metric_added, lambda _metric: flush())
            listen(job.curves_reset, self._send_all)
            listen(job.changed, self._follow_total)

    def draw(self, series: list[Series], *, label: str, scale: Scale) -> None:
        """Draw other curves from now on."""
        self._series, self._sent = series, None
        self._props["words"] |= {"label": label}
        self._props.update({"scale": scale, "series": series, "ends": {}})

    def show_ends(self, ends: dict[str, str]) -> None:
        """What stands at the end of each curve, by the curve's name."""
        self._props["ends"] = ends

    def show_marks(self, marks: list[Mark]) -> None:
        if self._props["marks"] != marks:
            self._props["marks"] = marks

    def smooth(self, strength: Smoothing) -> None:
        """How strongly curves are smoothed that are drawn with a smoothed line."""
        self._divisor = DIVISORS.get(strength)
        if self._divisor is None:
            self._props.pop("smoothing", None)
            return
        self._props["smoothing"] = {"from": SMOOTH_FROM, "divisor": self._divisor, "least": LEAST_REACH}
        if self._sent is not None:
            self._send_smooth()

    def show_logarithmic(self, value: bool) -> None:
        """Show values on a logarithmic scale, without those that are not above 0."""
        self._props["logarithmic"] = value

    # ---- points ----

    def _send_all(self, event: GenericEventArguments | None = None) -> None:
        curves = {name: self._job.curves.thinned(name, POINTS_SENT) for name in self._names}
        self._sent = {name: points[-1][0] if points else -1 for name, points in curves.items()}
        self.run_method("replace", curves, self._smooth_lines())
        if event is not None and event.args:  # it is there again after a pause, and shows a stretch
            self._zoom(event)

    def _send_new(self) -> None:
        """Send the points after the last sent step; a page without a connection asks for them when it is back."""
        if self._sent is None or not self.client.has_socket_connection:
            return
        added = {name: self._job.curves.after(name, step) for name, step in self._sent.items()}
        added = {name: points for name, points in added.items() if points}
        if added:
            self._sent |= {name: points[-1][0] for name, points in added.items()}
            self.run_method("append", added)
            self._renew_smooth()

    def _send_smooth(self) -> None:
        """A long curve is smoothed here, from all its points; the browser smoothes one that it has as a whole."""
        if lines := self._smooth_lines():
            self.run_method("append", {}, lines)

    def _zoom(self, event: GenericEventArguments) -> None:
        """Send the points of a stretch of curves that the browser knows only thinned."""
        curves = self._job.curves
        if not event.args or all(curves.count(name) <= POINTS_SENT for name in self._names):
            return
        first, last = int(event.args[0]), int(event.args[1])
        shown = {name: curves.thinned(name, POINTS_SENT, first=first, last=last) for name in self._names}
        self.run_method("look_closer", [first, last], shown, self._smooth_lines())

    def _smooth_lines(self) -> dict[str, list[Point]]:
        """The smoothed lines of curves that are sent thinned."""
        if self._divisor is None:
            return {}
        curves = {one["name"]: column(self._job.curves, one["name"]) for one in self._series if one["smooth"]}
        return {
            name: smoothed(curve, reach_of(len(curve), self._divisor), SMOOTH_POINTS)
            for name, curve in curves.items()
            if len(curve) > POINTS_SENT
        }

    @property
    def _names(self) -> list[str]:
        return [one["name"] for one in self._series]

    def _follow_total(self) -> None:
        if self._props["total"] != self._job.total_steps:
            self._props["total"] = self._job.total_steps


def sparkline(points: list[Point], label: str) -> ui.html:
    """A curve as a small picture without axes; `label` says what it shows. Fewer than two points make a flat line."""
    box = 'class="qu-sparkline" viewBox="0 0 120 32" preserveAspectRatio="none"'
    path = f'<path d="{sparkline_path(points)}"/>'
    return ui.html(f'<svg {box} role="img" aria-label="{escape(label)}">{path}</svg>', sanitize=False)


def sparkline_path(points: list[Point], width: float = 120, height: float = 32) -> str:
    """The SVG path of a curve that fills the box, with 2 units of air above and below."""
    if len(points) < 2:
        return f"M0,{height / 2:g} H{width:g}"
    steps, values = [p[0] for p in points], [p[1] for p in points]
    low, high, first, last = min(values), max(values), steps[0], steps[-1]
    reach = (high - low) or 1.0
    places = (
        f"{width * (step - first) / (last - first):.1f},{2 + (height - 4) * (high - value) / reach:.1f}"
        for step, value in points
    )
    return "M" + " L".join(places)
