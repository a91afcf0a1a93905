"""Asking before something is done that cannot be undone."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.text import heading, paragraph
from qlora_ui.locales import _


async def confirm(title: str, text: str, *, action: str, is_dangerous: bool = False) -> bool:
    """Ask, and wait for the answer. `action` is the verb on the button; Escape and Cancel answer False."""
    with ui.dialog() as dialog, ui.element("div").classes("qu-dialog"):
        dialog._props["aria-label"] = title
        heading(title)
        paragraph(text, muted=True)
        with ui.element("div").classes("qu-row").style("justify-content:flex-end"):
            Button(_("Cancel"), lambda: dialog.submit(False))
            Button(action, lambda: dialog.submit(True), variant="danger" if is_dangerous else "primary")
    dialog.on("hide", dialog.delete, [])  # not before: the browser first gives the focus back to where it was
    return bool(await dialog)
