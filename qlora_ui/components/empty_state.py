"""What stands where nothing is yet: what will be here, and the way to it."""

from __future__ import annotations

from typing import Literal

from nicegui import ui

from qlora_ui.components.text import Text, heading
from qlora_ui.theme import Icon


class EmptyState(ui.element, default_classes="qu-col qu-empty"):
    """A title, a sentence, and, put in as a context, the buttons that lead on."""

    def __init__(self, title: str, text: str = "", *, icon: str = "", level: Literal[2, 3] = 2) -> None:
        """`level` is that of its heading: 3 below another heading of level 2."""
        super().__init__("div")
        with self:
            if icon:
                with ui.element("span").classes("qu-dot qu-tone-idle"):
                    Icon(icon, size=22)
            heading(title, level)
            if text:
                Text(text, "p")
