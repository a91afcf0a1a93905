"""Short messages at the edge of the screen; screen readers read them out."""

from __future__ import annotations

from typing import Literal

from nicegui import ui

from qlora_ui.contract.errors import QloraUiError


def toast(
    message: str, kind: Literal["positive", "negative", "warning", "info"] = "positive", *, hint: str = ""
) -> None:
    """Show a message for five seconds, an error or a warning for fifteen; those can be dismissed before."""
    lasts = kind in {"negative", "warning"}
    ui.notify(
        message,
        position="bottom-right",
        caption=hint,
        timeout=15_000 if lasts else 5_000,
        close_button="Dismiss" if lasts else False,
        classes=f"qu-toast qu-toast-{kind}",
    )


def toast_error(error: QloraUiError) -> None:
    """Say what went wrong and what to do about it."""
    toast(error.message, "negative", hint=error.hint)
