"""A button that takes in one small text file, by a native input that screen readers and keyboards know."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments


class FilePicker(Element, component="file_picker.js"):
    """Calls `on_text(name, content)` with the file that a person chose, `on_refused(name)` with one that is too large.

    The browser compares with `max_bytes`, which is a kindness and no safeguard: whoever reads the text checks it.
    """

    def __init__(
        self,
        label: str,
        *,
        accept: str,
        max_bytes: int,
        on_text: Callable[[str, str], Any | Awaitable[Any]],
        on_refused: Callable[[str], Any | Awaitable[Any]],
    ) -> None:
        super().__init__()
        self._props.update({"label": label, "accept": accept, "max": max_bytes})
        self._on_text, self._on_refused = on_text, on_refused
        self.on("text", self._take)
        self.on("refused", lambda event: self._on_refused(str(event.args)[:200]))

    def _take(self, event: GenericEventArguments) -> Any:
        """What a browser sends is anything at all."""
        sent = event.args if isinstance(event.args, dict) else {}
        return self._on_text(str(sent.get("name", ""))[:200], str(sent.get("text", "")))
