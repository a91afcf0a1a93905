"""What is seen of a row: why it is not trained, where it is not, and the row in the view of one's choice."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, muted
from qlora_ui.components.token_view import (
    TokenStrip,
    conversation_view,
    original_view,
    rendered_view,
    token_legend,
)
from qlora_ui.contract.inspection import ExampleView, RowView, TokenView
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.mending import STEPS
from qlora_ui.theme import Icon

VIEWS = {
    "original": mark("Original"),
    "conversation": mark("Conversation"),
    "rendered": mark("Rendered"),
    "tokens": mark("Tokens"),
}
TOKENS_AT_ONCE = 1_500
"""A longer example is shown further on demand: thousands of tokens make a page slow."""
TOKENS_MORE = 5_000


class RowBody(ui.element, default_classes="qu-row-room"):
    """The row that is shown last stays until the next one is there, so that the page does not jump."""

    def __init__(self) -> None:
        super().__init__("div")
        self._tokens_shown = TOKENS_AT_ONCE
        self._shown: tuple[RowView, int, str] | None = None

    def wait(self) -> None:
        """Another row is on its way."""
        self._props["aria-busy"] = "true"
        if self._shown is None:
            self.clear()
            with self:
                muted(_("The row is being fetched."))

    def show(self, view: RowView | None, example: int, kind: str) -> None:
        """Show the example with this index, from 0, in a view of `VIEWS`; None says that there is no such row."""
        self._props["aria-busy"] = "false"
        self._tokens_shown = TOKENS_AT_ONCE
        self._shown = (view, example, kind) if view is not None else None
        self._draw()

    def _draw(self) -> None:
        self.clear()
        with self:
            if self._shown is None:
                muted(_("There is no such row."))
                return
            view, example, kind = self._shown
            _condition(view)
            if kind == "original" or not view.examples:
                if kind != "original":
                    muted(_("It is not trained, so it is shown as its file has it."), size="xs")
                original_view(view)
            else:
                self._draw_example(view, view.examples[example], kind)

    def _draw_example(self, view: RowView, example: ExampleView, kind: str) -> None:
        if kind == "conversation":
            label = _("Row {number} as a conversation", number=number(view.number))
            conversation_view(example, label)
        elif example.tokens is None or example.rendered is None:
            muted(_("Choose a model first: its tokenizer makes the tokens."))
        elif kind == "rendered":
            rendered_view(example.rendered, view.number)
        else:
            self._draw_tokens(view, example, example.tokens)

    def _draw_tokens(self, view: RowView, example: ExampleView, tokens: list[TokenView]) -> None:
        if not any(token.trained for token in tokens):
            hint = _("It is cut before the answer: raise the longest example, or shorten the row.")
            Notice(_("No token of this row is trained."), "warning", hint=hint if example.truncated else "")
        token_legend(tokens[: self._tokens_shown])
        self._strip = TokenStrip(tokens[: self._tokens_shown], view.number)
        more = min(len(tokens) - self._tokens_shown, TOKENS_MORE)
        if more > 0:
            with row(gap=3, wrap=True):
                words = _(
                    "The first {shown} of {count} tokens.", shown=number(self._tokens_shown), count=number(len(tokens))
                )
                muted(words, size="xs")
                Button(n_("Show {count} more", "Show {count} more", more), self._show_more, size="sm")
        with row(between=True, wrap=True).classes("qu-xs qu-muted qu-num"):
            Text(" · ".join(_facts(example, tokens)))
            with row(gap=1):
                Icon("info", size=14)
                Text(_("These are the very labels that training uses"))

    def _show_more(self) -> None:
        """The focus goes to the first of the further tokens: the button is gone or means others now."""
        first, self._tokens_shown = self._tokens_shown, self._tokens_shown + TOKENS_MORE
        self._draw()
        self._strip.go_to(first)


def _facts(example: ExampleView, tokens: list[TokenView]) -> list[str]:
    """What can be counted of the tokens of one example."""
    trained = [token for token in tokens if token.trained]
    figures = n_(
        "{count} token, {trained} trained",
        "{count} tokens, {trained} trained",
        len(tokens),
        trained=number(len(trained)),
    )
    facts = [figures]
    if example.truncated and example.length is not None:
        facts.append(_("cut at the longest length, of {count} tokens", count=number(example.length)))
    elif trained and all(turn.role != "text" for turn in example.turns):
        is_ended = trained[-1].special
        facts.append(_("end of turn is trained") if is_ended else _("end of turn is not trained"))
    return facts


def _condition(view: RowView) -> None:
    """Why a row is not trained, where it is not."""
    problem = sentence(view.problem)
    problem = problem[:1].upper() + problem[1:]
    if view.left_out:
        step = next((words for name, words in STEPS.items() if name == view.left_out), "")
        hint = _("By the mend: {step}.", step=_(step)) if step else ""
        with Notice(_("This row is left out."), "info", hint=hint).body:
            if problem:
                Text(problem, "div")
    elif problem:
        Notice(problem, "error", hint=sentence(view.hint))
