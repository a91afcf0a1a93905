"""One row of data as training meets it: as it was written, as a conversation, and as tokens with their labels."""

from __future__ import annotations

import json
from html import escape

from nicegui import ui
from nicegui.element import Element

from qlora_ui.contract.inspection import RowView, TokenView

_MARKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class TokenStrip(Element, component="token_view.js"):
    """The tokens of one row. Trained ones are coloured and underlined, special ones boxed; arrow keys walk along."""

    def __init__(self, row: RowView) -> None:
        super().__init__()
        tokens = row.tokens or []
        self._props["tokens"] = [{"text": visible(t.text), "kind": kind(t), "about": about(t)} for t in tokens]
        self._props["label"] = f"Tokens of row {row.number:,}"
        self._props["idle"] = "Point at a token, or walk with the arrow keys, to see its number and label."


def token_legend() -> None:
    """What the marks in a TokenStrip mean."""
    ui.html(
        '<span><i class="qu-swatch trained"></i>trained</span><span><i class="qu-swatch special"></i>special</span>'
        "<span>not marked: read, not trained</span>",
        sanitize=False,
    ).classes("qu-token-legend")


def conversation_view(row: RowView) -> None:
    """The turns of a row in order, each with its role and whether it is trained."""
    turns = "".join(
        f'<li class="qu-turn {"trained" if turn.trained else "read"}"><div class="qu-turn-role">{turn.role}'
        f"<span>{'trained' if turn.trained else 'read, not trained'}</span></div>"
        f'<div class="qu-turn-text">{escape(turn.content)}</div></li>'
        for turn in row.turns
    )
    ui.html(f'<ol class="qu-turns">{turns}</ol>', sanitize=False)


def original_view(row: RowView) -> None:
    """A row as its file has it."""
    content = json.dumps(row.original, indent=2, ensure_ascii=False, default=str)
    label = f"Row {row.number} as its file has it"
    ui.html(f'<pre class="qu-pre" tabindex="0" aria-label="{label}">{escape(content)}</pre>', sanitize=False)


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
    special = "special token" if token.special else "token"
    label = f"trained, its label is {token.id}" if token.trained else "read, not trained (label −100)"
    return f"“{visible(token.text)}”, {special} {token.id}, {label}"
