"""The head of every page: where one is, its title, a sentence, and what can be done."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.browser.focus import focus
from qlora_ui.components.browser.tab_title import name_tab
from qlora_ui.components.text import Text
from qlora_ui.locales import _
from qlora_ui.theme import Icon

__all__ = ["PageHeader", "name_tab"]


class PageHeader(ui.element, default_classes="qu-col qu-gap-2"):
    """Breadcrumbs, the one h1 of the page, a subtitle, and `actions` on the right.

    It names the browser's tab after the title, and takes the focus when the person came from another page of the app,
    so that a screen reader starts there. `title`, `subtitle` are texts that can be bound; `beside_title` and
    `actions` are rows to put things in.
    """

    def __init__(self, title: str, subtitle: str = "", *, crumbs: list[tuple[str, str]] | None = None) -> None:
        """`crumbs` are the pages above this one, as (word, path)."""
        super().__init__("div")
        with self:
            if crumbs:
                _breadcrumbs(crumbs, title)
            with ui.element("div").classes("qu-header"):
                with ui.element("div").classes("qu-col qu-gap-1"):
                    with ui.element("div").classes("qu-row qu-gap-3 qu-wrap") as self.beside_title:
                        self.title = Text(title, "h1")
                        self.title._props["tabindex"] = "-1"
                    self.subtitle = Text(subtitle, "p", classes="qu-muted")
                    self.subtitle.bind_visibility_from(self.subtitle, "text", bool)
                self.actions = ui.element("div").classes("qu-row qu-wrap")
        name_tab(title)
        if not ui.context.client.sub_pages_router.is_initial_request:
            focus(self.title, scroll=False)


def _breadcrumbs(crumbs: list[tuple[str, str]], title: str) -> None:
    with ui.element("nav").classes("qu-crumbs") as trail, ui.element("ol"):
        trail._props["aria-label"] = _("Breadcrumbs")
        for word, path in crumbs:
            with ui.element("li"):
                ui.link(word, path)
                Icon("chevron-right")
        with ui.element("li"):
            Text(title)._props["aria-current"] = "page"
