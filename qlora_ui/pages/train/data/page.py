"""The second step of /train: the data, what was understood of it, and the very tokens that are trained."""

from __future__ import annotations

from typing import Literal

from qlora_ui.components.browser.focus import focus_heading
from qlora_ui.components.button import Button
from qlora_ui.components.layout import Card, Skeleton, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import heading, muted
from qlora_ui.locales import _, sentence
from qlora_ui.pages.train.data.chooser import Chooser
from qlora_ui.pages.train.data.chosen import show_chosen
from qlora_ui.pages.train.data.figures import show_figures
from qlora_ui.pages.train.data.findings import show_findings
from qlora_ui.pages.train.data.mending import MendsCard
from qlora_ui.pages.train.data.progress import CountingView
from qlora_ui.pages.train.data.rows import RowCard
from qlora_ui.pages.train.data.split import SplitCard
from qlora_ui.pages.train.data.template import TemplateCard
from qlora_ui.pages.train.data.understanding import UnderstandingView, recall_note
from qlora_ui.pages.train.session import TrainSession

_SPACED = "qu-col qu-gap-4"


def build(session: TrainSession) -> None:
    DataCard(session)
    MendsCard(session)
    RowCard(session)
    TemplateCard(session)
    SplitCard(session)


class DataCard(Card):
    """What is chosen, the ways to other data, how it is read, and what is to be known of it."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__()
        self._session, self._form = session, session.form
        self._wanted: Literal["", "more", "other"] = ""
        """Which data a person is looking for, while some are chosen."""
        changed = self._form.changed
        with self:
            self._chosen = Live(changed, self._chosen_key, self._show_chosen, classes=_SPACED)
            Live(changed, self._problem_key, self._show_problem, classes=_SPACED)
            self._ways = Live(changed, self._ways_key, self._show_ways, classes=_SPACED)
            Live(changed, self._waiting_key, self._show_waiting, classes=_SPACED)
            UnderstandingView(session)
            CountingView(session)
            Live(changed, lambda: self._form.data.findings, self._show_findings, classes=_SPACED)
            Live(changed, self._figures_key, self._show_figures, classes=_SPACED)

    # ---- what is chosen ----

    def _chosen_key(self) -> object:
        look = self._form.data.look
        return [source.path for source in self._form.sources], look.sources if look is not None else None

    def _show_chosen(self) -> None:
        if self._form.sources:
            show_chosen(
                self._session, on_more=lambda: self._look_for("more"), on_replace=lambda: self._look_for("other")
            )

    # ---- the ways to data ----

    def _ways_key(self) -> object:
        """As little as can be: an upload that is under way breaks off where its place is drawn anew."""
        return self._wanted or (not self._form.sources, self._tried)

    @property
    def _tried(self) -> str:
        """What was chosen and could not be read."""
        sources = self._form.sources
        return sources[0].path if sources and self._form.data.problem is not None else ""

    def _show_ways(self) -> None:
        if self._form.sources and not self._tried and not self._wanted:
            return
        if self._wanted:
            titles = {"more": _("Add more data"), "other": _("Choose other data")}
            with row(between=True, wrap=True):
                heading(titles[self._wanted], 3)
                Button(_("Cancel"), lambda: self._look_for(""), size="sm")
        elif not self._form.sources:
            heading(_("Data"))
        Chooser(self._session, self._choose, tried="" if self._wanted else self._tried)

    def _look_for(self, wanted: Literal["", "more", "other"]) -> None:
        self._wanted = wanted
        self._ways.follow()
        focus_heading(self._ways if wanted else self._chosen)

    async def _choose(self, reference: str) -> None:
        more, self._wanted = self._wanted == "more", ""
        await self._session.choose_data(reference, more=more)
        self._ways.follow()

    # ---- what became of it ----

    def _problem_key(self) -> object:
        return self._form.data.problem, self._form.before_recall is not None

    def _show_problem(self) -> None:
        problem = self._form.data.problem
        if problem is None:
            return
        with Notice(sentence(problem[0]), "error", hint=sentence(problem[1])).body, row(wrap=True):
            Button(_("Read it again"), self._session.read_data, icon="rotate-ccw", size="sm").style("margin-top:8px")
            if self._form.says_how_to_read and self._form.before_recall is None:
                anew = Button(_("Forget how it is read"), self._session.forget_reading, size="sm").style(
                    "margin-top:8px"
                )
                anew.mark("forget-reading")
        if self._form.before_recall is not None:
            recall_note(self._session)

    def _waiting_key(self) -> object:
        return self._is_waiting, self._form.data.note

    @property
    def _is_waiting(self) -> bool:
        return bool(self._form.sources) and self._form.data.is_looking and self._form.data.look is None

    def _show_waiting(self) -> None:
        if self._is_waiting:
            note = self._form.data.note
            muted(sentence(note) if note else _("Reading the first rows."))
            Skeleton(height="72px")

    def _show_findings(self) -> None:
        show_findings(self._session, self._form.data.findings)

    def _figures_key(self) -> object:
        return self._form.data.survey, self._form.get("max_length")

    def _show_figures(self) -> None:
        survey, query = self._form.data.survey, self._form.query()
        if survey is not None and query is not None:
            show_figures(survey, query.recipe.max_length)
