"""The figures of a run beside its losses, one at a time."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.charts.chart import series_of
from qlora_ui.components.charts.chart_words import summarise_measure
from qlora_ui.components.charts.curve_card import CurveCard, Subject
from qlora_ui.components.charts.measures import Measure, measured
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.explain import Explain
from qlora_ui.components.forms.select_list import amend_list
from qlora_ui.components.layout import row
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _


class MeasuresCard(CurveCard):
    """The other figures of a run, of which one is shown. Offered is what was measured; there must be something."""

    _names_curves = False

    def __init__(self, job: Job) -> None:
        offered = measured(job.curves)
        super().__init__(job, _("Also measured"), subject_of(offered[0]))
        self._offered = offered
        with self.beside_title, row(gap=1) as chosen:
            self._select = ui.select(self._options(), value=offered[0].name, on_change=self._choose)
            self._select.props("outlined dense hide-bottom-space").classes("qu-measure-select")
            self._meaning = ui.element("span")
        amend_list(self._select, _("Figure"))
        chosen.move(self.beside_title, 1)
        self._explain(offered[0])
        with self:
            follow = throttled(self, self._follow_offer, seconds=2.0)
            listen(job.metric_added, lambda _metric: follow())

    def _options(self) -> dict[str, str]:
        return {measure.name: _(measure.title) for measure in self._offered}

    def _follow_offer(self) -> None:
        """A figure may be measured late, such as those of the first evaluation."""
        if (offered := measured(self._job.curves)) != self._offered:
            self._offered = offered
            self._select.set_options(self._options())

    def _choose(self) -> None:
        chosen = next((one for one in self._offered if one.name == self._select.value), None)
        if chosen is not None:
            self.draw(subject_of(chosen))
            self._explain(chosen)

    def _explain(self, measure: Measure) -> None:
        self._meaning.clear()
        with self._meaning:
            Explain(_(measure.title), _(measure.meaning))


def subject_of(measure: Measure) -> Subject:
    """One figure beside the losses."""
    return Subject(
        _("{figure} by step", figure=_(measure.title)),
        series_of(measure),
        measure.scale,
        lambda curves: summarise_measure(curves, measure),
        lambda curves, name: measure.in_words(curves.latest(name)),
        measure.in_words,
    )
