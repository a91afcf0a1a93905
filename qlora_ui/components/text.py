"""Words on a page: text, headings and links."""

from __future__ import annotations

from typing import Literal

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """Plain text in the HTML element of one's choice; never HTML itself. Bindable by `bind_text_from`."""

    def __init__(self, text: str = "", tag: str = "span", *, classes: str = "") -> None:
        super().__init__(text=text, tag=tag)
        if classes:
            self.classes(classes)


def heading(text: str, level: Literal[1, 2, 3] = 2) -> Text:
    """A heading; each page has one of level 1, which `PageHeader` makes."""
    return Text(text, f"h{level}")


def paragraph(text: str = "", *, muted: bool = False, size: Literal["xs", "sm", "md", "lg"] = "md") -> Text:
    return Text(text, "p", classes=_classes(muted=muted, size=size))


def muted(text: str = "", *, size: Literal["xs", "sm", "md"] = "sm") -> Text:
    """A side remark within a line."""
    return Text(text, classes=_classes(muted=True, size=size))


def link(text: str, target: str, *, new_tab: bool = False) -> ui.link:
    """A link within a text. `target` is a path of the app or a full address that is not made from anyone's input."""
    element = ui.link(text, target, new_tab=new_tab).classes("qu-link")
    if new_tab:
        element.props('rel="noopener noreferrer"')
    return element


class LiveRegion(Text, default_classes="qu-hidden"):
    """Says aloud to screen readers what changed: when they have finished what they are reading, or at once."""

    def __init__(self, *, is_urgent: bool = False) -> None:
        super().__init__("", "div")
        self._props["role"] = "alert" if is_urgent else "status"
        self._props["aria-live"] = "assertive" if is_urgent else "polite"

    def say(self, sentence: str) -> None:
        """What is said twice in a row differs by a space that nobody hears: only a change is read out."""
        self.text = f"{sentence}\N{NO-BREAK SPACE}" if sentence and sentence == self.text else sentence


def code_block(text: str, label: str) -> Text:
    """A command or a snippet to read and copy; `label` names it for screen readers."""
    block = Text(text, "pre", classes="qu-code")
    block._props.update({"tabindex": "0", "role": "region", "aria-label": label})
    return block


def _classes(*, muted: bool, size: str) -> str:
    return " ".join(name for name in ("qu-muted" if muted else "", "" if size == "md" else f"qu-{size}") if name)
