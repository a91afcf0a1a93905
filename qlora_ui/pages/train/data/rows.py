"""One row at a time: as it was, as a conversation, as the template renders it, and as the tokens that are trained."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import icon_button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card, row
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.text import Text, muted
from qlora_ui.components.token_view import TokenStrip, conversation_view, original_view, token_legend
from qlora_ui.contract.inspection import ExampleView, RowView
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.theme import Icon

_VIEWS = {"original": mark("Original"), "conversation": mark("Conversation"), "tokens": mark("Tokens")}


class RowCard(Card):
    """One row at a time, in the view of one's choice."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Row"))
        self._session = session
        with self.head, row(wrap=True):
            views = {name: _(word) for name, word in _VIEWS.items()}
            label = _("Show the row as")
            self._views = Segmented(views, label=label, value="tokens", on_change=lambda view: self._draw())
            icon_button(_("Previous row"), "chevron-left", lambda: self._go(0))
            icon_button(_("Next row"), "chevron-right", lambda: self._go(1))
        with self:
            self._room = ui.element("div").classes("qu-col")
            listen(session.form.changed, self._follow)
        self._shown: tuple[object, ...] | None = None
        self._follow()

    def _go(self, side: int) -> None:
        neighbour = self._session.form.data.neighbours[side]
        if neighbour is not None:
            self._session.data.show_row(neighbour, among=self._session.form.data.among)

    def _follow(self) -> None:
        state = self._session.form.data
        shown = (state.row, state.example, id(state.view), state.survey is not None)
        if self._shown == shown:
            return
        self._shown = shown
        self.set_visibility(state.view is not None)
        if state.survey is not None:
            self.title.text = _("Row {number} of {count}", number=number(state.row), count=number(state.survey.rows))
        else:
            self.title.text = _("Row {number}", number=number(state.row))
        self._draw()

    def _draw(self) -> None:
        self._room.clear()
        state = self._session.form.data
        if state.view is None:
            return
        with self._room:
            if self._views.value == "original" or not state.view.examples:
                original_view(state.view)
                if state.view.problem:
                    Text(sentence(state.view.problem), "p", classes="qu-sm qu-error")
                return
            example = state.view.examples[min(state.example, len(state.view.examples) - 1)]
            if self._views.value == "conversation":
                conversation_view(example)
            else:
                _tokens(state.view, example)


def _tokens(view: RowView, example: ExampleView) -> None:
    if example.tokens is None:
        muted(_("Choose a model first: its tokenizer makes the tokens."))
        return
    token_legend()
    TokenStrip(example, view.number)
    trained = number(sum(token.trained for token in example.tokens))
    count = len(example.tokens)
    facts = [n_("{count} token, {trained} trained", "{count} tokens, {trained} trained", count, trained=trained)]
    facts += [_("cut at the longest length")] * example.truncated
    with row(between=True, wrap=True).classes("qu-xs qu-muted qu-num"):
        Text(" · ".join(facts))
        with row(gap=1):
            Icon("info", size=14)
            Text(_("These are the very labels that training uses"))
