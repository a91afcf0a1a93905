"""The list of a long page's sections: where one is, and a way to each of them."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.layout import Card


class Section(Card, default_classes="qu-section"):
    """A card that an address can lead to: `name` comes after the `#`."""

    def __init__(self, name: str, title: str) -> None:
        super().__init__(title)
        self.name = name
        self._props["id"] = name
        self.title._props["tabindex"] = "-1"


class SectionNav(ui.element, component="section_nav.js"):
    """Links to the sections of this page. It stays in sight on wide screens, is left out on narrow ones, marks the
    section that is being read, and takes the focus to the heading of the section that the page's address names.
    """

    def __init__(self, sections: list[Section], *, label: str) -> None:
        super().__init__()
        path = ui.context.client.sub_pages_router.current_path
        self._props["label"] = label
        self._props["first"] = path.partition("#")[2]  # after a link within the app, the address changes only later
        self._props["sections"] = [{"name": section.name, "title": section.title.text} for section in sections]
