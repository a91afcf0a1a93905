"""How the app looks: tokens, the style sheet, fonts, icons, and light, dark or as the system has it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from nicegui import app, ui

from qlora_ui.theme.icons import Icon
from qlora_ui.theme.tokens import DARK, LIGHT, css_variables

__all__ = ["DARK", "LIGHT", "Appearance", "Icon", "ThemeName", "dark_mode_value", "install"]

ThemeName = Literal["light", "dark", "system"]

_CSS = Path(__file__).parent / "css"
_FONTS = Path(__file__).parent.parent / "assets" / "fonts"
_YEAR = 365 * 24 * 3600
"""Seconds; the address of the style sheet changes with its content."""


def install() -> None:
    """Serve the style sheets and the fonts from this machine; to be called once, before the app starts."""
    app.add_static_files("/static/theme", _CSS, max_cache_age=_YEAR)
    app.add_static_files("/static/fonts", _FONTS, max_cache_age=_YEAR)


class Appearance:
    """How one open page looks; `show` changes it while it is open."""

    def __init__(
        self, theme: ThemeName = "system", *, high_contrast: bool = False, reduced_motion: bool = False
    ) -> None:
        ui.add_head_html(_head())
        self._dark_mode = ui.dark_mode(dark_mode_value(theme))
        self._body = ui.query("body")
        self.show(theme, high_contrast=high_contrast, reduced_motion=reduced_motion)

    def show(self, theme: ThemeName, *, high_contrast: bool, reduced_motion: bool) -> None:
        self._dark_mode.value = dark_mode_value(theme)
        wanted = {"qu-contrast": high_contrast, "qu-still": reduced_motion}
        self._body.classes(
            add=" ".join(name for name, is_on in wanted.items() if is_on),
            remove=" ".join(name for name, is_on in wanted.items() if not is_on),
        )


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
