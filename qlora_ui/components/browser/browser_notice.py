"""Notifications of the browser, outside of the page."""

from __future__ import annotations

from nicegui import ui


class BrowserNotice(ui.element, component="browser_notice.js"):
    """Shows what is told while none of the app's tabs is in sight, in a browser that was allowed to.

    Where it was not allowed, or cannot, nothing happens.
    """

    def show(self, title: str, body: str, *, tag: str, path: str) -> None:
        """A click brings the tab to the front and opens `path`, an address within the app; empty opens nothing.

        Of several hidden tabs that show the same `tag`, one is seen; a tab in sight keeps the others silent.
        """
        self.run_method("show", title, body, tag, path)
