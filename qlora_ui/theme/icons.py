"""Lucide icons, inlined as SVG so that they take the colour of the text around them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from nicegui import ui

_FOLDER = Path(__file__).parent.parent / "assets" / "icons"
_MARKUP = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class Icon(ui.element, default_classes="qu-icon"):
    """A decoration beside a text that says the same; screen readers skip it.

    `name` is a file of `assets/icons` without its ending; KeyError for any other.
    """

    def __init__(self, name: str, *, size: int | None = None) -> None:
        super().__init__("svg")
        self._props["viewBox"] = "0 0 24 24"
        self._props["aria-hidden"] = "true"
        self._props["innerHTML"] = icon_markup(name)
        if size is not None:
            self.style(f"width:{size}px;height:{size}px")

    def show(self, name: str) -> None:
        """Draw another icon in its place."""
        self._props["innerHTML"] = icon_markup(name)


@cache
def icon_markup(name: str) -> str:
    """The shapes inside the SVG of an icon."""
    try:
        source = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyError(name) from None
    match = _MARKUP.search(source)
    if match is None:
        raise KeyError(name)
    return re.sub(r"\s+", " ", match[1]).strip()
