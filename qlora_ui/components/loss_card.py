"""The loss of a job in a card: the curve or its table, the latest values, and the whole in a few sentences."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components import reader
from qlora_ui.components.button import icon_button
from qlora_ui.components.chart import LossChart, Points, latest, loss_series
from qlora_ui.components.chart_words import summarise, table_html
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, row
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _

_TABLE_ANEW_S, _TABLE_ANEW_FOR_SCREEN_READERS_S = 5.0, 30.0
"""A table that is drawn anew loses the place at which somebody reads it."""


class LossCard(Card):
    """Follows a job's training and evaluation loss. Chart and table take the same room, so nothing jumps.

    Who reads with a screen reader gets the table first, and a chart, which takes a large library, only when asked for.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(_("Loss"))
        self._job, self._series = job, loss_series()
        self._chart: LossChart | None = None
        with_screen_reader = reader.preferences().accessibility.screen_reader
        view = "table" if with_screen_reader else "chart"
        self._build_head(view)
        with self:
            self._picture = ui.element("div")
            self._table = ui.html("", sanitize=False).classes("qu-chart-table")
            self._table._props.update({"tabindex": "0", "role": "region", "aria-label": _("Loss by step")})
            self._summary = Text(tag="p", classes="qu-xs qu-muted qu-num")
            follow = throttled(self, self._follow, seconds=0.5)
            listen(job.metric_added, lambda _metric: follow())
            listen(job.curves_reset, follow)
        seconds = _TABLE_ANEW_FOR_SCREEN_READERS_S if with_screen_reader else _TABLE_ANEW_S
        self._renew_table = throttled(self._table, self._fill_table, seconds=seconds)
        self._show(view)

    def _build_head(self, view: str) -> None:
        with self.head:
            with row(gap=4, wrap=True):
                self.title.move(ui.context.slot.parent)
                self._legend = {one["name"]: _legend_entry(one["label"], dashed=one["dashed"]) for one in self._series}
            with row():
                views = {"chart": _("Chart"), "table": _("Table")}
                self._view = Segmented(views, label=_("Show the loss as"), value=view, on_change=self._show)
                icon_button(_("Download the figures as CSV"), "download", self._download, size="sm")

    def _show(self, view: str) -> None:
        if view == "chart" and self._chart is None:
            with self._picture:
                self._chart = LossChart(self._job, described_by=self._summary.html_id)
                self._chart.on("unavailable", self._show_table_instead, [])
        self._picture.set_visibility(view == "chart")
        self._table.set_visibility(view == "table")
        self._fill_table()
        self._follow()

    def _show_table_instead(self) -> None:
        """The library that draws did not come; who asks for the chart again has it tried again."""
        self._picture.clear()
        self._chart = None
        self._view.show("table")
        self._show("table")

    def _follow(self) -> None:
        curves = self._curves()
        self._summary.text = summarise(curves["loss"], curves["eval_loss"])
        ends = {name: loss(latest(self._job.curves, name)) for name, points in curves.items() if points}
        for one in self._series:
            self._legend[one["name"]].text = f"{one['label']} {ends.get(one['name'], '')}".strip()
        if self._chart is not None:
            self._chart.show_ends(ends)
        if self._view.value == "table":
            self._renew_table()

    def _fill_table(self) -> None:
        if self._view.value == "table":
            self._table.content = table_html(self._curves(), self._series)

    def _curves(self) -> dict[str, Points]:
        return {one["name"]: self._job.curves.points(one["name"]) for one in self._series}

    def _download(self) -> None:
        ui.download.content(csv_of(self._job.curves), f"{self._job.id}.csv", "text/csv")


def csv_of(all_curves: Curves) -> str:
    """All curves of a job, unthinned: one line a step, one column a curve, empty where it was not measured there."""
    curves = {name: dict(all_curves.points(name)) for name in all_curves.names}
    steps = sorted({step for points in curves.values() for step in points})
    lines = [",".join(["step", *curves])]
    lines += [",".join([str(step), *(str(points.get(step, "")) for points in curves.values())]) for step in steps]
    return "\n".join(lines) + "\n"


def _legend_entry(label: str, *, dashed: bool) -> Text:
    with ui.element("span").classes("qu-legend"):
        line = ui.element("i")
        line.props["aria-hidden"] = "true"
        if dashed:
            line.classes("dashed")
        return Text(label)
