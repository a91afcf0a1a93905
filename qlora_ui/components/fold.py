"""A line that unfolds into more, which is made only when somebody wants to see it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from qlora_ui.components.text import Text


class Fold(ui.element, default_classes="qu-more"):
    """The browser's own disclosure. `build`, sync or async, fills it when it is opened for the first time."""

    def __init__(self, title: str, build: Callable[[], Any]) -> None:
        super().__init__("details")
        self._build = build
        self._is_built = False
        self.is_open = False
        with self:
            self.title = Text(title, "summary")
            self._room = ui.element("div").classes("qu-col")
        self.on("toggle", self._toggle, js_handler="(event) => emit(event.target.open)")

    async def _toggle(self, event: GenericEventArguments) -> None:
        self.is_open = bool(event.args)
        if self.is_open and not self._is_built:
            self._is_built = True
            await self.fill()

    async def fill(self) -> None:
        """Fill it anew."""
        self._room.clear()
        with self._room:
            result = self._build()
            if inspect.isawaitable(result):
                await result
