"""One row of data as training meets it: as it was written, as a conversation, and as tokens with their labels.

Every view is bounded: a row may be a whole book, and nobody reads more than a few pages of it on a page.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape

from nicegui import ui
from nicegui.element import Element

from qlora_ui.components.text import Text
from qlora_ui.contract.inspection import ExampleView, Role, RowView, TokenView, TurnView
from qlora_ui.locales import _, mark, n_
from qlora_ui.locales.figures import number

SHOWN_CHARACTERS = 50_000
"""Of a text, or of all turns together."""
SHOWN_TURNS = 200
_MARKS = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NOTHING = "∅"
_JOINER = "\N{ZERO WIDTH JOINER}"
_ABOUT = (
    mark("“{text}”, token {id}, read, not trained (label −100)"),
    mark("“{text}”, token {id}, trained, its label is {id}"),
    mark("“{text}”, special token {id}, read, not trained (label −100)"),
    mark("“{text}”, special token {id}, trained, its label is {id}"),
)
"""What is said of a token: 1 is added for a trained one, 2 for a special one."""
_SPEAKERS: dict[Role, str] = {
    "system": mark("System message"),
    "user": mark("User"),
    "assistant": mark("Assistant"),
    "tool": mark("Tool"),
    "text": mark("Text"),
}


class TokenStrip(Element, component="token_view.js"):
    """The tokens of one row. Trained ones are coloured and underlined, special ones boxed; arrow keys walk along."""

    def __init__(self, tokens: Sequence[TokenView], number_of_row: int) -> None:
        super().__init__()
        self._props["tokens"] = [[visible(token.text), token.id, kind(token)] for token in tokens]
        self._props["sentences"] = [_(sentence) for sentence in _ABOUT]
        self._props["label"] = _("Tokens of row {number}", number=number(number_of_row))
        self._props["idle"] = _("Point at a token, or walk with the arrow keys, to see its number and label.")

    def go_to(self, index: int) -> None:
        """Take the focus to a token, counted from 0."""
        self.run_method("go", index)


def token_legend(tokens: Sequence[TokenView]) -> None:
    """What the marks in a TokenStrip of these tokens mean."""
    with ui.element("p").classes("qu-token-legend"):
        for swatch, meaning in (
            ("trained", _("trained")),
            ("special", _("special")),
            ("trained special", _("special and trained")),
            ("", _("not marked: read, not trained")),
        ):
            with ui.element("span"):
                if swatch:
                    ui.element("i").classes(f"qu-swatch {swatch}")
                Text(meaning)
        if not all(token.text for token in tokens):
            Text(_("{sign} a further part of the character before it", sign=_NOTHING))


def rendered_view(text: str, number_of_row: int) -> None:
    """What the template makes of an example, line ends and all."""
    _pre(text, _("Row {number} as the template writes it", number=number(number_of_row)))


def conversation_view(example: ExampleView, label: str = "") -> None:
    """The turns of an example in order, each with its role and whether it is trained.

    With a `label` a long one scrolls in a region of that name; else it takes the height that it needs.
    """
    with ui.element("div").classes("qu-col") as room:
        if label:
            room.classes("qu-turns-room")
            room._props.update({"role": "region", "tabindex": "0", "aria-label": label})
        _show_turns(example.turns)
        if example.rejected:
            words = _("The answer that is not wanted, which this training does not see")
            Text(words, "p", classes="qu-xs qu-muted")
            _show_turns(example.rejected)


def _show_turns(turns: Sequence[TurnView]) -> None:
    left, items = SHOWN_CHARACTERS, list[str]()
    for turn in turns[:SHOWN_TURNS]:
        items.append(_turn(turn, left))
        left -= len(turn.content)
        if left <= 0:
            break
    ui.html(f'<ol class="qu-turns">{"".join(items)}</ol>', sanitize=False)
    if left < 0:
        _first_characters_only()
    if rest := len(turns) - len(items):
        Text(n_("{count} more turn", "{count} more turns", rest), "p", classes="qu-xs qu-muted")


def _turn(turn: TurnView, characters: int) -> str:
    kind, word = ("trained", _("trained")) if turn.trained else ("read", _("read, not trained"))
    content = escape(turn.content[:characters]) or f'<span class="qu-muted">{escape(_("empty"))}</span>'
    return (
        f'<li class="qu-turn {kind}"><div class="qu-turn-role">{escape(_(_SPEAKERS[turn.role]))}'
        f'<span>{escape(word)}</span></div><div class="qu-turn-text">{content}</div></li>'
    )


def original_view(row: RowView) -> None:
    """A row as its file has it; of one that could not be read, the text that stood there."""
    _pre(_original(row.original), _("Row {number} as its file has it", number=number(row.number)))


def _original(row: object) -> str:
    """The beginning of a row as JSON, one character more than is shown; it is not written any further than that."""
    if isinstance(row, str):
        return row
    pieces = json.JSONEncoder(indent=2, ensure_ascii=False, default=str).iterencode(row)
    return "".join(_up_to(SHOWN_CHARACTERS, pieces))


def _up_to(characters: int, pieces: Iterable[str]) -> Iterable[str]:
    for piece in pieces:
        yield piece
        characters -= len(piece)
        if characters < 0:
            return


def _pre(text: str, label: str) -> None:
    """Text as it stands; of a very long one the beginning."""
    shown = escape(text[:SHOWN_CHARACTERS])
    ui.html(
        f'<pre class="qu-pre" tabindex="0" role="region" aria-label="{escape(label)}">{shown}</pre>', sanitize=False
    )
    if len(text) > SHOWN_CHARACTERS:
        _first_characters_only()


def _first_characters_only() -> None:
    words = _("Only the first {count} characters are shown.", count=number(SHOWN_CHARACTERS))
    Text(words, "p", classes="qu-xs qu-muted")


def visible(text: str) -> str:
    """A token's text with all shown that a page would swallow: line ends, tabs, lone spaces, control characters.

    A mark that would cling to the token before, such as an accent, stands on a dotted circle.
    """
    if text.isprintable() and not text.startswith(" ") and text.isascii():  # as most tokens are
        return text or _NOTHING
    if not text.strip(" "):
        return "·" * len(text)
    shown = text if _JOINER in text[1:-1] else "".join(map(_visible, text))
    return f"◌{shown}" if unicodedata.category(shown[0]) in ("Mn", "Me") else shown


def _visible(character: str) -> str:
    if character.isprintable() or character == " ":
        return character
    code = ord(character)
    return _MARKS.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def kind(token: TokenView) -> int:
    """1 for a trained token, 2 for a special one, 3 for one that is both, 0 for any other."""
    return token.trained + 2 * token.special
