"""A button that opens a small panel with a few settings, beside what they are about."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.theme import Icon


class Popover(ui.element, default_classes="qu-popover-place"):
    """An icon that opens a panel; the browser opens and closes it by itself. Used as a context it takes the panel's."""

    def __init__(self, label: str, icon: str) -> None:
        """`label` is the button's name for screen readers and its tooltip, and the name of the panel."""
        super().__init__("span")
        with self:
            button = ui.element("button").classes("qu-btn qu-btn-ghost qu-btn-sm qu-btn-icon")
            with button:
                Icon(icon)
            self.panel = ui.element("div").classes("qu-popover qu-gap-3")
        button._props.update({"type": "button", "aria-label": label, "title": label})
        button._props["popovertarget"] = self.panel.html_id
        self.panel._props.update({"popover": "auto", "role": "dialog", "aria-label": label})
