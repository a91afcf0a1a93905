"""One row at a time: as it was, as a conversation, as the template renders it, and as the tokens that are trained."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.browser.focus import focus
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import Card, row
from qlora_ui.components.text import LiveRegion, Text
from qlora_ui.contract.inspection import Finding, RowView
from qlora_ui.contract.recipe import Step
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.mending import STEPS, mend, steps_of, take_back, take_in_again
from qlora_ui.pages.train.data.row_body import VIEWS, RowBody
from qlora_ui.pages.train.session import TrainSession

MOST_DIGITS = 15
"""Of a row's number; no data have as many rows."""


class RowCard(Card):
    """One row at a time, in the view of one's choice.

    What has the focus is never drawn anew: all but the row itself is changed in place.
    """

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Row"))
        self._session, self._state = session, session.form.data
        self._shown: tuple[object, ...] | None = None
        self._seen: RowView | None = None
        """As it came: what stands on the page may be a copy that says how it is left out."""
        self._among: Finding | None = self._state.among
        self.title._props["tabindex"] = "-1"
        with self.head, ui.element("div").classes("qu-row-tools"):
            views = {name: _(word) for name, word in VIEWS.items()}
            label = _("Show the row as")
            self._views = Segmented(views, label=label, value="tokens", on_change=lambda kind: self._show())
            self._back = icon_button(_("Previous row"), "chevron-left", lambda: self._go(0))
            self._on = icon_button(_("Next row"), "chevron-right", lambda: self._go(1))
            self._number = self._number_field()
        with self:
            self._wrong = Text(tag="p", classes="qu-xs qu-error")
            self._wrong._props["role"] = "alert"
            self._add_place_among()
            self._add_parts()
            self._body = RowBody()
            self._add_foot()
            self._voice = LiveRegion()
            listen(session.form.changed, self._follow)
        self._follow()

    def _number_field(self) -> ui.input:
        """Go to any row by its number."""
        field = ui.input().props("dense outlined inputmode=numeric autocomplete=off").classes("qu-row-number")
        field._props["aria-label"] = _("Go to row")
        field._props["placeholder"] = _("Go to row")
        field.on("keydown.enter", self._go_to, [])
        return field.mark("go-to-row")

    def _add_place_among(self) -> None:
        """Through which rows the arrows go, where they do not go through all."""
        with row(between=True, wrap=True).classes("qu-xs qu-muted") as self._among_line:
            self._among_text = Text(classes="qu-grow")
            self._to_all = Button(_("Back to all rows"), self._leave_finding, size="sm")

    def _add_parts(self) -> None:
        """Which of the examples that came of the row is shown, where there are several."""
        with row(gap=1) as self._parts_line:
            self._parts = Text(classes="qu-xs qu-muted qu-num")
            self._part_back = icon_button(_("Previous part"), "chevron-left", lambda: self._go_part(-1), size="sm")
            self._part_on = icon_button(_("Next part"), "chevron-right", lambda: self._go_part(1), size="sm")

    def _add_foot(self) -> None:
        with row(between=True, wrap=True).classes("qu-row-foot") as self._foot:
            self._place = Text(classes="qu-xs qu-muted qu-break")
            self._leave = Button(on_click=self._change_mends, size="sm", variant="ghost").mark("leave-out")

    # ---- going ----

    def _go(self, side: int) -> None:
        neighbour = self._state.neighbours[side]
        if neighbour is not None:
            self._session.data.show_row(neighbour, among=self._state.among)

    def _go_to(self) -> None:
        text = str(self._number.value or "").strip()
        wanted = "".join(filter(str.isdecimal, text))  # whatever stands between the thousands
        survey = self._state.survey
        if not text:
            return
        if not 0 < len(wanted) <= MOST_DIGITS or int(wanted) < 1 or (survey is not None and int(wanted) > survey.rows):
            last = survey.rows if survey is not None else 0
            self._wrong.text = (
                n_("Give a number from 1 to {count}.", "Give a number from 1 to {count}.", last)
                if last
                else _("Give the number of a row, from 1 on.")
            )
            return
        self._wrong.text, self._number.value = "", ""
        self._session.data.show_row(int(wanted))

    def _go_part(self, side: int) -> None:
        view = self._state.view
        if view is not None:
            self._session.data.show_example(min(max(self._index(view) + side, 0), len(view.examples) - 1))

    def _leave_finding(self) -> None:
        self._session.data.show_row(self._state.row)
        focus(self.title, scroll=False)

    # ---- mending ----

    async def _change_mends(self) -> None:
        """Leave the row out, or take back what leaves it out."""
        view = self._view
        if view is None:
            return
        if not view.left_out:
            await mend(self._session, Step(do="drop_rows", rows=(view.number,)))
        elif view.left_out == "drop_rows":
            await take_in_again(self._session, view.number)
        else:
            await take_back(
                self._session, next(step.do for step in steps_of(self._session) if step.do == view.left_out)
            )

    # ---- showing ----

    def _follow(self) -> None:
        state = self._state
        self.set_visibility(state.look is not None)
        before, after = state.neighbours
        self._back.set_enabled(before is not None)
        self._on.set_enabled(after is not None)
        if state.view is None and state.is_looking:
            self._body.wait()
            return
        shown = (state.row, state.example, state.survey is not None)
        if shown == self._shown and state.view is self._seen and state.among is self._among:
            return
        has_moved = self._shown is not None and self._shown[:2] != shown[:2]
        self._shown, self._seen = shown, state.view
        self._show()
        if has_moved:
            self._voice.say(" ".join(filter(None, (self.title.text, self._among_text.text, self._parts.text))))
        if state.among is not self._among:
            self._among = state.among
            if state.among is not None:  # a person asked for these rows from elsewhere on the page
                focus(self.title)

    @property
    def _view(self) -> RowView | None:
        """The shown row; one that cannot be used is left out as well, where a mend says so."""
        view, steps = self._state.view, steps_of(self._session)
        if view is None or view.left_out:
            return view
        if any(view.number in step.rows for step in steps):
            return view.model_copy(update={"left_out": "drop_rows"})
        if view.problem and any(step.do == "skip_bad_rows" for step in steps):
            return view.model_copy(update={"left_out": "skip_bad_rows"})
        return view

    def _show(self) -> None:
        state, view = self._state, self._view
        self.title.text = self._title()
        self._show_place_among(state.among)
        self._show_parts(view)
        self._body.show(view, self._index(view) if view is not None else 0, self._views.value)
        self._show_foot(view)

    def _title(self) -> str:
        state = self._state
        if state.survey is not None:
            return _("Row {number} of {count}", number=number(state.row), count=number(state.survey.rows))
        return _("Row {number}", number=number(state.row))

    def _index(self, view: RowView) -> int:
        return max(0, min(self._state.example, len(view.examples) - 1))

    def _show_place_among(self, finding: Finding | None) -> None:
        self._among_line.set_visibility(finding is not None)
        self._among_text.text = _place_among(finding, self._state.row) if finding is not None else ""

    def _show_parts(self, view: RowView | None) -> None:
        count = len(view.examples) if view is not None else 0
        self._parts_line.set_visibility(count > 1)
        index = self._index(view) if view is not None else 0
        self._parts.text = _("Part {number} of {count}", number=index + 1, count=count) if count > 1 else ""
        self._part_back.set_enabled(index > 0)
        self._part_on.set_enabled(index + 1 < count)

    def _show_foot(self, view: RowView | None) -> None:
        self._foot.set_visibility(view is not None)
        if view is None:
            return
        self._place.text = view.place
        words = _("Take it in again") if view.left_out == "drop_rows" else _("Leave this row out")
        name = next((words for step, words in STEPS.items() if step == view.left_out), "")
        if name and view.left_out != "drop_rows":
            words = _("Take back: {step}", step=_(name))
        self._leave.text = words


def _place_among(finding: Finding, shown: int) -> str:
    """`2 of 37: These rows are cut at 1,024 tokens …`"""
    named = len(finding.rows)
    place = finding.rows.index(shown) + 1 if shown in finding.rows else 1
    message = sentence(finding.message)
    text = _("{place} of {count}: {finding}", place=number(place), count=number(named), finding=message)
    if finding.count <= named:
        return text
    first = n_("Only the first {count} is named.", "Only the first {count} are named.", named)
    return f"{text} {first}"
