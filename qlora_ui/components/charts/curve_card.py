"""Curves of a job in a card: the picture or its table, the latest values, and the whole in a few sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nicegui import ui

from qlora_ui.components import reader
from qlora_ui.components.button import icon_button
from qlora_ui.components.charts.chart import CurveChart, Mark, Series, loss_series
from qlora_ui.components.charts.chart_words import summarise, table_html
from qlora_ui.components.charts.measures import Scale
from qlora_ui.components.charts.smoothing import Smoothing, latest
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import Card, row
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.popover import Popover
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.locales.figures import fixed

_TABLE_ANEW_S, _TABLE_ANEW_FOR_SCREEN_READERS_S = 5.0, 30.0
"""A table that is drawn anew loses the place at which somebody reads it."""


@dataclass(frozen=True)
class Subject:
    """What a card draws."""

    label: str
    """What the picture is, for screen readers: `Loss by step`."""
    series: list[Series]
    scale: Scale
    summary: Callable[[Curves], str]
    end: Callable[[Curves, str], str]
    """The present value of a curve, in words."""
    write: Callable[[float], str]
    """A value in the table."""


def losses() -> Subject:
    """Training and evaluation loss."""
    return Subject(
        _("Loss by step"),
        loss_series(),
        {"factor": 1.0, "unit": ""},
        summarise,
        lambda curves, name: loss(latest(curves, name)),
        lambda value: fixed(value, 4),
    )


class CurveCard(Card):
    """Follows curves of a job. Chart and table take the same room, so nothing jumps.

    Who reads with a screen reader gets the table first, and a chart, which takes a large library, only when asked for.
    """

    _names_curves = True
    """Whether a legend says what the curves are, with their present values; the title of a card may say it already."""

    def __init__(self, job: Job, title: str, subject: Subject) -> None:
        super().__init__(title)
        self._job, self._subject = job, subject
        self._marks: list[Mark] = []
        self._chart: CurveChart | None = None
        self._smoothing: Smoothing = "medium"
        self._is_logarithmic = False
        with_screen_reader = reader.preferences().accessibility.screen_reader
        self._view = "table" if with_screen_reader else "chart"
        self._build_head()
        with self:
            self._picture = ui.element("div")
            self._table = ui.html("", sanitize=False).classes("qu-chart-table")
            self._table._props.update({"tabindex": "0", "role": "region"})
            with row(gap=4, between=True, top=True, wrap=True).classes("qu-xs qu-muted"):
                self._summary = Text(tag="p", classes="qu-xs qu-num qu-chart-words")
                self._mark_key = row(gap=3)
            follow = throttled(self, self._follow, seconds=1.0)
            listen(job.metric_added, lambda _metric: follow())
            listen(job.curves_reset, follow)
        seconds = _TABLE_ANEW_FOR_SCREEN_READERS_S if with_screen_reader else _TABLE_ANEW_S
        self._renew_table = throttled(self._table, self._fill_table, seconds=seconds)
        self._show(self._view)

    def draw(self, subject: Subject) -> None:
        """Draw something else from now on."""
        self._subject = subject
        self._build_legend()
        if self._chart is not None:
            self._chart.draw(subject.series, label=subject.label, scale=subject.scale)
        self._fill_table()
        self._follow()

    def show_marks(self, marks: list[Mark]) -> None:
        """What happened at which step."""
        self._marks = marks
        self._build_mark_key()
        if self._chart is not None:
            self._chart.show_marks(marks)

    # ---- the head ----

    def _build_head(self) -> None:
        with self.head:
            with row(gap=4, wrap=True) as self.beside_title:
                self.title.move(self.beside_title)
                self._legend_room = ui.element("div").classes("qu-row qu-gap-4 qu-wrap")
            with row(gap=1, wrap=True):
                views = {"chart": _("Chart"), "table": _("Table")}
                label = _("Show {figure} as", figure=self.title.text)
                self._views = Segmented(views, label=label, value=self._view, on_change=self._show)
                with row(gap=1) as self._tools:
                    self._zoom_button(_("Zoom in"), "zoom-in", 0.5)
                    self._zoom_button(_("Zoom out"), "zoom-out", 2)
                    self._build_settings()
                MenuButton(_("Download"), icon="download", ask=self._downloads)
        self._build_legend()

    def _zoom_button(self, label: str, icon: str, factor: float) -> None:
        icon_button(label, icon, lambda: self._chart and self._chart.run_method("zoomBy", factor), size="sm")

    def _build_settings(self) -> None:
        with Popover(_("How the curves are drawn"), "sliders-horizontal").panel:
            if any(one["smooth"] for one in self._subject.series):
                Text(_("Smoothing"), "div", classes="qu-xs qu-strong")
                strengths = {
                    "off": _("Off", context="smoothing"),
                    "light": _("Light", context="smoothing"),
                    "medium": _("Medium", context="smoothing"),
                    "strong": _("Strong", context="smoothing"),
                }
                Segmented(strengths, label=_("Smoothing"), value=self._smoothing, on_change=self._smooth)
            switch = ui.switch(_("Logarithmic scale"), value=self._is_logarithmic)
            switch.on_value_change(lambda event: self._show_logarithmic(bool(event.value)))

    def _build_legend(self) -> None:
        self._legend_room.clear()
        series = self._subject.series if self._names_curves else []
        with self._legend_room:
            self._legend = {one["name"]: _legend_entry(one["label"], dashed=one["dashed"]) for one in series}

    def _build_mark_key(self) -> None:
        """What the signs on the axis of steps mean."""
        self._mark_key.clear()
        kinds = {mark["kind"] for mark in self._marks}
        with self._mark_key:
            for kind, word in (("checkpoint", _("Checkpoint")), ("best", _("Best"))):
                if kind in kinds:
                    with ui.element("span").classes("qu-legend"):
                        ui.element("b").classes(f"qu-mark-{kind}")._props["aria-hidden"] = "true"
                        Text(word)

    def _smooth(self, strength: str) -> None:
        self._smoothing = strength  # type: ignore[assignment]  # one of those that are offered
        if self._chart is not None:
            self._chart.smooth(self._smoothing)

    def _show_logarithmic(self, value: bool) -> None:
        self._is_logarithmic = value
        if self._chart is not None:
            self._chart.show_logarithmic(value)

    # ---- the picture, the table, the words ----

    def _show(self, view: str) -> None:
        self._view = view
        if view == "chart" and self._chart is None:
            self._build_chart()
        self._picture.set_visibility(view == "chart")
        self._tools.set_visibility(view == "chart")
        self._mark_key.set_visibility(view == "chart")
        self._table.set_visibility(view == "table")
        self._fill_table()
        self._follow()

    def _build_chart(self) -> None:
        subject = self._subject
        with self._picture:
            described_by = self._summary.html_id
            chart = CurveChart(
                self._job, subject.series, label=subject.label, scale=subject.scale, described_by=described_by
            )
        chart.on("unavailable", self._show_table_instead, [])
        chart.smooth(self._smoothing)
        chart.show_logarithmic(self._is_logarithmic)
        self._chart = chart
        chart.show_marks(self._marks)

    def _show_table_instead(self) -> None:
        """The library that draws did not come; who asks for the chart again has it tried again."""
        self._picture.clear()
        self._chart = None
        self._views.show("table")
        self._show("table")

    def _follow(self) -> None:
        curves, series = self._job.curves, self._subject.series
        self._summary.text = self._subject.summary(curves)
        ends = {one["name"]: self._subject.end(curves, one["name"]) for one in series if curves.count(one["name"])}
        for one in series:
            if (text := self._legend.get(one["name"])) is not None:
                text.text = f"{one['label']} {ends.get(one['name'], '')}".strip()
        if self._chart is not None:
            self._chart.show_ends(ends)
        if self._view == "table":
            self._renew_table()

    def _fill_table(self) -> None:
        if self._view == "table":
            self._table._props["aria-label"] = self._subject.label
            self._table.content = table_html(self._job.curves, self._subject.series, write=self._subject.write)

    # ---- files ----

    def _downloads(self) -> list[MenuItem]:
        address = f"/api/v1/jobs/{self._job.id}/curves.csv"
        return [
            MenuItem(
                _("Picture (PNG)"),
                "image",
                action=self._save_picture,
                reason="" if self._view == "chart" else _("It is made of the chart: show that first."),
            ),
            MenuItem(_("All figures (CSV)"), "table", action=lambda: ui.download.from_url(address)),
        ]

    def _save_picture(self) -> None:
        if self._chart is not None:
            title = f"{self._job.name}: {self._subject.label}"
            self._chart.run_method("save", f"{self._job.id}-{self._subject.series[0]['name']}.png", title)


class LossCard(CurveCard):
    """The losses of a training."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, _("Loss"), losses())


def _legend_entry(label: str, *, dashed: bool) -> Text:
    with ui.element("span").classes("qu-legend"):
        line = ui.element("i")
        line.props["aria-hidden"] = "true"
        if dashed:
            line.classes("dashed")
        return Text(label)
