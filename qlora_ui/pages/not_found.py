"""What stands where an address leads nowhere."""

from __future__ import annotations

from qlora_ui.components.button import link_button
from qlora_ui.components.layout import Card, row
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.text import paragraph


def build(path: str) -> None:
    """Say that there is no page at `path`, and lead back."""
    PageHeader("This page does not exist", "The address may be mistyped, or the run may have been deleted.")
    with Card():
        paragraph(path).classes("qu-mono qu-break")
        with row(wrap=True):
            link_button("To the dashboard", "/", icon="house", variant="primary")
            link_button("To the activity", "/activity", icon="activity")
