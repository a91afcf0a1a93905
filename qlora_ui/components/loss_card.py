"""The loss of a job in a card: the curve or its table, the latest values, and the whole in a sentence."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import icon_button
from qlora_ui.components.chart import LOSS_SERIES, LossChart, latest, summarise, table_html
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, row
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job


class LossCard(Card):
    """Follows a job's training and evaluation loss. Chart and table take the same room, so nothing jumps."""

    def __init__(self, job: Job) -> None:
        super().__init__("Loss")
        self._job = job
        with self.head:
            with row(gap=4, wrap=True):
                self.title.move(ui.context.slot.parent)
                self._legend = {one["name"]: _legend_entry(one["label"], dashed=one["dashed"]) for one in LOSS_SERIES}
            with row():
                views = {"chart": "Chart", "table": "Table"}
                self._view = Segmented(views, label="Show the loss as", on_change=self._switch)
                icon_button("Download the figures as CSV", "download", self._download, size="sm")
        with self:
            self._chart = LossChart(job)
            self._table = ui.html("", sanitize=False).classes("qu-chart-table")
            self._table.props('tabindex=0 role=region aria-label="Loss by step"').set_visibility(False)
            self._summary = Text(tag="p", classes="qu-xs qu-muted qu-num")
            follow = throttled(self, self._follow, seconds=0.5)
            listen(job.metric_added, lambda _: follow())
            listen(job.curves_reset, follow)
        self._follow()

    def _follow(self) -> None:
        curves = {one["name"]: self._job.curves.points(one["name"]) for one in LOSS_SERIES}
        sentence = summarise(curves["loss"], curves["eval_loss"])
        self._summary.text = sentence
        ends = {name: loss(latest(self._job.curves, name)) for name, points in curves.items() if points}
        self._chart.describe(sentence, ends)
        for one in LOSS_SERIES:
            self._legend[one["name"]].text = f"{one['label']} {ends.get(one['name'], '')}".strip()
        if self._view.value == "table":
            self._table.content = table_html(curves, LOSS_SERIES)

    def _download(self) -> None:
        ui.download.content(csv_of(self._job.curves), f"{self._job.id}.csv", "text/csv")

    def _switch(self, view: str) -> None:
        self._chart.set_visibility(view == "chart")
        self._table.set_visibility(view == "table")
        self._follow()


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
