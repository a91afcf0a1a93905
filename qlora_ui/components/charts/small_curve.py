"""The training loss of a job at a glance: a small picture, or its words and figures."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components import reader
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.charts.chart import loss_series, sparkline
from qlora_ui.components.charts.chart_words import summarise, table_html
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.text import Text
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _

_DRAW_ANEW_S, _TABLE_ANEW_S = 1.0, 10.0
_POINTS = 120
"""As many as such a small picture can show."""


class SmallCurve(ui.element):
    """Follows a job's loss. `table_button` makes the button that shows the figures in place of the picture.

    Who reads with a screen reader gets a sentence instead of the picture.
    """

    def __init__(self, job: Job) -> None:
        super().__init__("div")
        self._job = job
        self._is_table = False
        self._in_words = reader.preferences().accessibility.screen_reader
        with self:
            self._picture = ui.element("div")
            self._words = Text(tag="p", classes="qu-muted qu-sm")
            self._table = ui.html("", sanitize=False).classes("qu-chart-table")
            self._table._props.update({"tabindex": "0", "role": "region", "aria-label": _("Loss by step")})
            draw = throttled(self, self._draw, seconds=_DRAW_ANEW_S)
            self._renew_table = throttled(self._table, self._fill_table, seconds=_TABLE_ANEW_S)
            listen(job.metric_added, lambda _metric: draw())
            listen(job.curves_reset, draw)
        self._draw()

    def table_button(self) -> Button:
        """To be put where the card has its actions."""

        def switch() -> None:
            self._is_table = not self._is_table
            button._props["aria-expanded"] = "true" if self._is_table else "false"
            self._fill_table()
            self._draw()

        button = icon_button(_("Show as table"), "table", switch, size="sm")
        button._props.update({"aria-expanded": "false", "aria-controls": self._table.html_id})
        return button

    def _draw(self) -> None:
        points = self._job.curves.thinned("loss", _POINTS)
        sentence = self._sentence(len(points))
        has_picture = len(points) > 1 and not self._in_words
        self._picture.set_visibility(has_picture and not self._is_table)
        self._words.set_visibility(not has_picture and not self._is_table)
        self._table.set_visibility(self._is_table)
        self._words.text = "" if has_picture else sentence
        if self._is_table:
            self._renew_table()
        elif has_picture:
            self._picture.clear()
            with self._picture:
                sparkline(points, sentence)

    def _sentence(self, points: int) -> str:
        if points < 2:
            return _("The curve begins with the first steps.")
        return summarise(self._job.curves)

    def _fill_table(self) -> None:
        if self._is_table:
            self._table.content = table_html(self._job.curves, loss_series())
