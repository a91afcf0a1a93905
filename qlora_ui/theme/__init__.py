"""How the app looks: tokens, the style sheet, fonts, icons, and light, dark or as the system has it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from nicegui import app, ui

from qlora_ui.theme.icons import Icon
from qlora_ui.theme.tokens import DARK, LIGHT, css_variables

__all__ = ["DARK", "LIGHT", "Icon", "ThemeName", "apply", "dark_mode_value", "install"]

ThemeName = Literal["light", "dark", "system"]

_CSS = Path(__file__).parent / "css"
_FONTS = Path(__file__).parent.parent / "assets" / "fonts"
_YEAR = 365 * 24 * 3600
"""Seconds; the address of the style sheet changes with its content."""


def install() -> None:
    """Serve the style sheets and the fonts from this machine; to be called once, before the app starts."""
    app.add_static_files("/static/theme", _CSS, max_cache_age=_YEAR)
    app.add_static_files("/static/fonts", _FONTS, max_cache_age=_YEAR)


def apply(theme: ThemeName = "system") -> ui.dark_mode:
    """Dress the page that is being built.

    Returns the switch between light (False), dark (True) and the system's choice (None).
    """
    ui.add_head_html(_head())
    return ui.dark_mode(dark_mode_value(theme))


def dark_mode_value(theme: ThemeName) -> bool | None:
    return {"light": False, "dark": True, "system": None}[theme]


@cache
def _head() -> str:
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(_CSS.glob("*.css")))).hexdigest()[:12]
    sheets = "".join(
        f'<link rel="stylesheet" href="/static/theme/{file.name}?v={digest}">\n' for file in sorted(_CSS.glob("*.css"))
    )
    font = "/static/fonts/inter-latin-wght-normal.woff2"
    return (
        f'<link rel="preload" href="{font}" as="font" type="font/woff2" crossorigin>\n'
        f"<style>\n{css_variables()}</style>\n{sheets}"
    )
