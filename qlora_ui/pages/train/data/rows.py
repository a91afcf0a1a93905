"""One row at a time: as it was, as a conversation, as the template renders it, and as the tokens that are trained."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card, row
from qlora_ui.components.notice import Notice
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.text import LiveRegion, Text, muted
from qlora_ui.components.token_view import (
    TokenStrip,
    conversation_view,
    original_view,
    rendered_view,
    token_legend,
)
from qlora_ui.contract.inspection import ExampleView, RowView
from qlora_ui.contract.recipe import Step, StepName
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.mending import STEPS, mend
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.theme import Icon

_VIEWS = {
    "original": mark("Original"),
    "conversation": mark("Conversation"),
    "rendered": mark("Rendered"),
    "tokens": mark("Tokens"),
}
TOKENS_AT_ONCE = 1_500
"""A longer example is shown whole on demand: thousands of tokens make a page slow."""


class RowCard(Card):
    """One row at a time, in the view of one's choice."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Row"))
        self._session = session
        self._state = session.form.data
        self._tokens_shown = TOKENS_AT_ONCE
        with self.head, row(wrap=True):
            views = {name: _(word) for name, word in _VIEWS.items()}
            label = _("Show the row as")
            self._views = Segmented(views, label=label, value="tokens", on_change=lambda view: self._draw())
            self._back = icon_button(_("Previous row"), "chevron-left", lambda: self._go(0))
            self._on = icon_button(_("Next row"), "chevron-right", lambda: self._go(1))
            self._number = self._number_field()
        with self:
            self._among = ui.element("div")
            self._room = ui.element("div").classes("qu-col")
            self._region = LiveRegion()
            listen(session.form.changed, self._follow)
        self._shown: tuple[object, ...] | None = None
        self._follow()

    def _number_field(self) -> ui.input:
        """Go to any row by its number."""
        field = ui.input().props("dense outlined inputmode=numeric autocomplete=off").classes("qu-row-number")
        field._props["aria-label"] = _("Go to row")
        field._props["placeholder"] = _("Go to row")
        field.on("keydown.enter", lambda: self._go_to(field), [])
        return field.mark("go-to-row")

    def _go_to(self, field: ui.input) -> None:
        text = str(field.value or "").strip().replace(",", "").replace(".", "")
        if text.isdecimal():
            self._session.data.show_row(int(text))
            field.value = ""

    def _go(self, side: int) -> None:
        neighbour = self._state.neighbours[side]
        if neighbour is not None:
            self._session.data.show_row(neighbour, among=self._state.among)

    def _follow(self) -> None:
        state = self._state
        shown = (state.row, state.example, id(state.view), state.survey is not None, id(state.among), state.is_looking)
        if self._shown == shown:
            return
        has_moved = self._shown is not None and self._shown[0] != state.row
        self._shown, self._tokens_shown = shown, TOKENS_AT_ONCE
        self.set_visibility(state.look is not None)
        self.title.text = self._title()
        before, after = state.neighbours
        self._back.set_enabled(before is not None)
        self._on.set_enabled(after is not None)
        if has_moved:
            self._region.say(self.title.text)
        self._draw_among()
        self._draw()

    def _title(self) -> str:
        state = self._state
        if state.survey is not None:
            return _("Row {number} of {count}", number=number(state.row), count=number(state.survey.rows))
        return _("Row {number}", number=number(state.row))

    def _draw_among(self) -> None:
        """Through which rows the arrows go, where they do not go through all."""
        self._among.clear()
        finding = self._state.among
        if finding is None:
            return
        named = len(finding.rows)
        place = finding.rows.index(self._state.row) + 1 if self._state.row in finding.rows else 1
        with self._among, row(between=True, wrap=True).classes("qu-xs qu-muted"):
            text = _(
                "{place} of {count}: {finding}",
                place=number(place),
                count=number(named),
                finding=sentence(finding.message),
            )
            if finding.count > named:
                first = n_("Only the first {count} is named.", "Only the first {count} are named.", named)
                text = f"{text} {first}"
            Text(text)
            Button(_("Back to all rows"), lambda: self._session.data.show_row(self._state.row), size="sm")

    def _draw(self) -> None:
        self._room.clear()
        view = self._state.view
        with self._room:
            if view is None:
                muted(_("The row is being fetched.") if self._state.is_looking else _("There is no such row."))
                return
            _condition(view)
            if self._views.value == "original" or not view.examples:
                original_view(view)
            else:
                self._draw_example(view)
            self._draw_foot(view)

    def _draw_example(self, view: RowView) -> None:
        index = min(self._state.example, len(view.examples) - 1)
        if len(view.examples) > 1:
            self._draw_parts(len(view.examples), index)
        example = view.examples[index]
        if self._views.value == "conversation":
            conversation_view(example)
        elif example.tokens is None or example.rendered is None:
            muted(_("Choose a model first: its tokenizer makes the tokens."))
        elif self._views.value == "rendered":
            rendered_view(example.rendered, view.number)
        else:
            self._draw_tokens(view, example)

    def _draw_parts(self, count: int, index: int) -> None:
        with row(gap=1):
            Text(_("Part {number} of {count}", number=index + 1, count=count), classes="qu-xs qu-muted")
            for label, icon, target in (
                (_("Previous part"), "chevron-left", index - 1),
                (_("Next part"), "chevron-right", index + 1),
            ):
                button = icon_button(label, icon, partial(self._session.data.show_example, target), size="sm")
                button.set_enabled(0 <= target < count)

    def _draw_tokens(self, view: RowView, example: ExampleView) -> None:
        assert example.tokens is not None
        token_legend()
        TokenStrip(example.tokens[: self._tokens_shown], view.number)
        count = len(example.tokens)
        if count > self._tokens_shown:
            Button(_("Show all {count} tokens", count=number(count)), self._show_all, size="sm")
        trained = number(sum(token.trained for token in example.tokens))
        facts = [n_("{count} token, {trained} trained", "{count} tokens, {trained} trained", count, trained=trained)]
        if example.truncated and example.length is not None:
            facts.append(_("cut at the longest length, of {count} tokens", count=number(example.length)))
        with row(between=True, wrap=True).classes("qu-xs qu-muted qu-num"):
            Text(" · ".join(facts))
            with row(gap=1):
                Icon("info", size=14)
                Text(_("These are the very labels that training uses"))

    def _show_all(self) -> None:
        self._tokens_shown = 1_000_000
        self._draw()

    def _draw_foot(self, view: RowView) -> None:
        with row(between=True, wrap=True):
            Text(view.place, classes="qu-xs qu-muted qu-break")
            if not view.left_out:
                step = Step(do="drop_rows", rows=(view.number,))
                Button(_("Leave this row out"), lambda: mend(self._session, step), size="sm", variant="ghost")


def _condition(view: RowView) -> None:
    """Why a row is not trained, where it is not."""
    if view.problem:
        problem = sentence(view.problem)
        Notice(problem[:1].upper() + problem[1:], "error", hint=sentence(view.hint))
    elif view.left_out:
        name: StepName = view.left_out  # type: ignore[assignment]
        Notice(_("This row is left out."), "info", hint=_(STEPS[name]) if name in STEPS else "")
