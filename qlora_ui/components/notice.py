"""A sentence that a person should not miss, where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.badge import Tone
from qlora_ui.components.text import Text
from qlora_ui.locales import _
from qlora_ui.theme import Icon

_ICONS: dict[Tone, str] = {
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "error": "circle-alert",
    "idle": "info",
}


class Notice(ui.element, default_classes="qu-note"):
    """What is the matter, and what to do about it. Errors and warnings are read out at once.

    Used as a context it takes more, such as links, below its text. With `on_dismiss` it can be sent away.
    """

    def __init__(
        self, text: str, tone: Tone = "info", *, hint: str = "", on_dismiss: Callable[[], Any] | None = None
    ) -> None:
        super().__init__("div")
        self.classes(f"qu-tone-{tone}")
        self._props["role"] = "alert" if tone in {"error", "warning"} else "status"
        with self:
            Icon(_ICONS[tone])
            with ui.element("div").classes("qu-grow") as self.body:
                Text(text, "div", classes="qu-strong" if hint else "")
                if hint:
                    Text(hint, "div")
            if on_dismiss is not None:
                self._add_close(on_dismiss)

    def _add_close(self, on_dismiss: Callable[[], Any]) -> None:
        def dismiss() -> None:
            on_dismiss()
            self.delete()

        with ui.element("button").classes("qu-note-close").on("click", dismiss) as button:
            button._props.update({"type": "button", "aria-label": _("Dismiss"), "title": _("Dismiss")})
            Icon("x")
