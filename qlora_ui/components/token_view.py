"""One row of data as training meets it: as it was written, as a conversation, and as tokens with their labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from nicegui import ui
from nicegui.element import Element

from qlora_ui.components.text import Text
from qlora_ui.contract.inspection import ExampleView, RowView, TokenView
from qlora_ui.locales import _, mark, n_
from qlora_ui.locales.figures import number

SHOWN_CHARACTERS = 50_000
"""Of a text; more makes a page slow, and nobody reads it."""
_MARKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ABOUT = {
    (False, False): mark("“{text}”, token {id}, read, not trained (label −100)"),
    (False, True): mark("“{text}”, token {id}, trained, its label is {id}"),
    (True, False): mark("“{text}”, special token {id}, read, not trained (label −100)"),
    (True, True): mark("“{text}”, special token {id}, trained, its label is {id}"),
}
"""Whether it is special, whether it is trained → what is said of a token."""


class TokenStrip(Element, component="token_view.js"):
    """The tokens of one row. Trained ones are coloured and underlined, special ones boxed; arrow keys walk along."""

    def __init__(self, tokens: Sequence[TokenView], number_of_row: int) -> None:
        super().__init__()
        self._props["tokens"] = [{"text": visible(t.text), "kind": kind(t), "about": about(t)} for t in tokens]
        self._props["label"] = _("Tokens of row {number}", number=number(number_of_row))
        self._props["idle"] = _("Point at a token, or walk with the arrow keys, to see its number and label.")


def token_legend() -> None:
    """What the marks in a TokenStrip mean."""
    with ui.element("p").classes("qu-token-legend"):
        for swatch, meaning in (
            ("trained", _("trained")),
            ("special", _("special")),
            ("", _("not marked: read, not trained")),
        ):
            with ui.element("span"):
                if swatch:
                    ui.element("i").classes(f"qu-swatch {swatch}")
                Text(meaning)


def rendered_view(text: str, number_of_row: int) -> None:
    """What the template makes of an example, line ends and all."""
    label = _("Row {number} as the template writes it", number=number(number_of_row))
    _pre(text, label)


def conversation_view(example: ExampleView) -> None:
    """The turns of an example in order, each with its role and whether it is trained."""
    words = {True: escape(_("trained")), False: escape(_("read, not trained"))}
    turns = "".join(
        f'<li class="qu-turn {"trained" if turn.trained else "read"}"><div class="qu-turn-role">{turn.role}'
        f"<span>{words[turn.trained]}</span></div>"
        f'<div class="qu-turn-text">{escape(turn.content)}</div></li>'
        for turn in example.turns
    )
    ui.html(f'<ol class="qu-turns">{turns}</ol>', sanitize=False)
    if example.rejected:
        Text(_("The answer that is not wanted, which this training does not see"), "p", classes="qu-xs qu-muted")
        conversation_view(ExampleView(turns=example.rejected))


def original_view(row: RowView) -> None:
    """A row as its file has it."""
    is_text = isinstance(row.original, str)  # of a row that could not be read
    content = row.original if is_text else json.dumps(row.original, indent=2, ensure_ascii=False, default=str)
    label = _("Row {number} as its file has it", number=number(row.number))
    _pre(content, label)


def _pre(text: str, label: str) -> None:
    """Text as it stands; of a very long one the beginning, with a word on how much is missing."""
    rest = len(text) - SHOWN_CHARACTERS
    shown = escape(text[:SHOWN_CHARACTERS])
    ui.html(
        f'<pre class="qu-pre" tabindex="0" role="region" aria-label="{escape(label)}">{shown}</pre>', sanitize=False
    )
    if rest > 0:
        Text(n_("{count} more character", "{count} more characters", rest), "p", classes="qu-xs qu-muted")


def visible(text: str) -> str:
    """A token's text with all shown that a page would swallow: line ends, tabs, lone spaces, control characters."""
    if text and not text.strip(" "):
        return "·" * len(text)
    shown = (_MARKS.get(c) or (c if c.isprintable() or c == " " else f"\\x{ord(c):02x}") for c in text)
    return "".join(shown) or "∅"


def kind(token: TokenView) -> str:
    """The CSS classes of a token."""
    return " ".join(["qu-token", *["trained"] * token.trained, *["special"] * token.special])


def about(token: TokenView) -> str:
    """One sentence: the token, its number and what training does with it."""
    return _(_ABOUT[token.special, token.trained], text=visible(token.text), id=token.id)
