"""Notifications of the browser, outside of the page."""

from __future__ import annotations

from typing import Literal, cast

from nicegui import ui

Permission = Literal["granted", "denied", "default", "unsupported"]
"""As the browser has it: `default` means that it was not asked yet, `unsupported` that it cannot show any here."""

ANSWER_WITHIN_S = 60.0


class BrowserNotice(ui.element, component="browser_notice.js"):
    """Shows what is told while none of the app's tabs is in sight, in a browser that was allowed to."""

    def show(self, title: str, body: str, *, tag: str, path: str) -> None:
        """A click brings the tab to the front and opens `path`, an address within the app.

        Of several hidden tabs that show the same `tag`, one is seen; a tab in sight keeps the others silent.
        """
        self.run_method("show", title, body, tag, path)

    async def ask(self) -> Permission:
        """Let the browser ask the person, unless they have answered before; call it when they press something."""
        try:
            return cast(Permission, await self.run_method("ask", timeout=ANSWER_WITHIN_S))
        except TimeoutError:
            return "default"
