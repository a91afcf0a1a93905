"""How far the counting of all rows is; it can be stopped, and begun again."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.browser.focus import focus
from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import row
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.text import LiveRegion, Text
from qlora_ui.components.words import percent, size
from qlora_ui.contract.inspection import SurveyProgress
from qlora_ui.locales import _, n_
from qlora_ui.pages.train.session import TrainSession


class CountingView(ui.element, default_classes="qu-col qu-gap-2"):
    """Changed in place. Screen readers hear of the beginning and of the end, not of every step between."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__("div")
        self._data, self._reading = session.form.data, session.data
        with self:
            with row(gap=3, between=True, wrap=True):
                self._so_far = Text(classes="qu-xs qu-muted qu-num")
                self._stop = Button(_("Stop counting"), self._give_up, size="sm", variant="ghost")
                self._again = Button(_("Count all rows"), self._begin, size="sm")
            self._bar = ProgressBar(_("Counting all rows"), thin=True)
            listen(session.form.changed, self._follow)
        self._voice = LiveRegion()
        self._was_counting = self._data.is_surveying
        self._follow()

    def _follow(self) -> None:
        data = self._data
        is_counting = data.is_surveying and data.look is not None
        is_stopped = data.was_given_up and data.look is not None
        self.set_visibility(is_counting or is_stopped)
        self._bar.set_visibility(is_counting)
        self._stop.set_visibility(is_counting)
        self._again.set_visibility(is_stopped)
        if is_stopped:
            self._so_far.text = _("Not all rows were counted. The training goes through all of them in any case.")
        elif is_counting:
            self._show(data.progress)
        self._tell(is_counting)

    def _show(self, progress: SurveyProgress | None) -> None:
        share = progress.bytes / progress.bytes_total if progress is not None and progress.bytes_total else 0.0
        self._bar.value = min(share, 1.0)
        self._so_far.text = _so_far(progress)

    def _tell(self, is_counting: bool) -> None:
        if is_counting == self._was_counting:
            return
        self._was_counting = is_counting
        if is_counting:
            self._voice.say(_("All rows are being counted."))
        elif self._data.survey is not None:
            rows = self._data.survey.rows
            self._voice.say(n_("{count} row was counted.", "All {count} rows were counted.", rows))
        elif self._data.was_given_up:
            self._voice.say(_("The counting was stopped."))

    def _give_up(self) -> None:
        self._reading.give_up_survey()
        focus(self._again)

    def _begin(self) -> None:
        self._reading.survey_again()
        focus(self._stop)


def _so_far(progress: SurveyProgress | None) -> str:
    if progress is None:
        return _("Counting all rows.")
    if not progress.bytes_total:
        return n_("{count} row counted so far.", "{count} rows counted so far.", progress.rows)
    return n_(
        "{count} row counted so far, {share} of {size}.",
        "{count} rows counted so far, {share} of {size}.",
        progress.rows,
        share=percent(min(1.0, progress.bytes / progress.bytes_total)),
        size=size(progress.bytes_total),
    )
