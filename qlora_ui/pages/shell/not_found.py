"""What stands where an address leads nowhere."""

from __future__ import annotations

from qlora_ui.components.button import link_button
from qlora_ui.components.layout import Card, row
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.text import paragraph
from qlora_ui.locales import _


def build(path: str) -> None:
    """Say that there is no page at `path`, and lead back."""
    PageHeader(_("This page does not exist"), _("The address may be mistyped, or the run may have been deleted."))
    with Card():
        paragraph(path).classes("qu-mono qu-break")
        with row(wrap=True):
            link_button(_("To the dashboard"), "/", icon="house", variant="primary")
            link_button(_("To the activity"), "/activity", icon="activity")
