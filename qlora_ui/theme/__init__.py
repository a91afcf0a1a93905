"""How the app looks: tokens, the style sheet, fonts, icons, and light, dark or as the system has it."""

from __future__ import annotations

import copy
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Literal

from nicegui import app, ui
from starlette.responses import Response

from qlora_ui.theme import widget_icons
from qlora_ui.theme.icons import Icon
from qlora_ui.theme.tokens import DARK, HIGH_CONTRAST_DARK, css_variables

__all__ = ["Appearance", "Icon", "ThemeName", "install", "style_sheet"]

ThemeName = Literal["light", "dark", "system"]

_DARK_MODE = {"light": False, "dark": True, "system": None}
"""What NiceGUI calls them: None follows the system, also when that changes while the page is open."""
_CSS = Path(__file__).parent / "css"
_FONTS = Path(__file__).parent.parent / "assets" / "fonts"
_SHEET = "/static/theme.css"
_YEAR = 365 * 24 * 3600
"""Seconds; the address of the style sheet changes with its content."""


def install() -> None:
    """Serve the style sheet and the fonts from this machine; to be called once, before the app starts."""
    _head()  # reads the files now, while nobody waits for a page
    app.config.vue_config_script += widget_icons.script()
    app.add_route(_SHEET, _answer_style_sheet)
    app.add_static_files("/static/fonts", _FONTS, max_cache_age=_YEAR)


class Appearance:
    """How one open page looks; `show` changes it while it is open."""

    def __init__(
        self, theme: ThemeName = "system", *, high_contrast: bool = False, reduced_motion: bool = False
    ) -> None:
        client = ui.context.client
        client.page = copy.copy(client.page)  # shared with everyone who opens this path
        client.page.dark = _DARK_MODE[theme]
        wishes = _wishes(theme, high_contrast=high_contrast, reduced_motion=reduced_motion)
        ui.add_head_html(_head() + _first_ground(theme, high_contrast=high_contrast))
        ui.add_body_html(_first_look(theme, wishes))
        self._dark_mode = ui.dark_mode(_DARK_MODE[theme])
        self._body = ui.query("body")
        self._dress(wishes)

    def show(self, theme: ThemeName, *, high_contrast: bool, reduced_motion: bool) -> None:
        self._dark_mode.value = _DARK_MODE[theme]
        self._dress(_wishes(theme, high_contrast=high_contrast, reduced_motion=reduced_motion))

    def _dress(self, wishes: dict[str, bool]) -> None:
        self._body.classes(
            add=" ".join(name for name, is_on in wishes.items() if is_on),
            remove=" ".join(name for name, is_on in wishes.items() if not is_on),
        )


def _wishes(theme: ThemeName, *, high_contrast: bool, reduced_motion: bool) -> dict[str, bool]:
    """The classes of `body` by which the style sheet looks."""
    return {"qu-contrast": high_contrast, "qu-still": reduced_motion, "qu-system": theme == "system"}


def _first_ground(theme: ThemeName, *, high_contrast: bool) -> str:
    """The background for the moment in which the body is there and its classes are not yet."""
    if theme == "light":
        return ""
    colors = (HIGH_CONTRAST_DARK if high_contrast else DARK).colors
    condition = "all" if theme == "dark" else "(prefers-color-scheme: dark)"
    return f'<style media="{condition}">body:not([class]) {{ background: {colors.background} }}</style>\n'


def _first_look(theme: ThemeName, wishes: dict[str, bool]) -> str:
    """A script at the start of the body, so that the page never appears in another look than its own."""
    classes = " ".join(name for name, is_on in wishes.items() if is_on)
    is_dark = {"light": "false", "dark": "true", "system": "matchMedia('(prefers-color-scheme: dark)').matches"}[theme]
    return f"<script>document.body.className = ({is_dark} ? 'body--dark ' : 'body--light ') + '{classes}';</script>"


@cache
def _head() -> str:
    font = "/static/fonts/inter-latin-wght-normal.woff2"
    digest = hashlib.sha256(style_sheet().encode()).hexdigest()[:12]
    return (
        f'<link rel="stylesheet" href="{_SHEET}?v={digest}">\n'
        f'<link rel="preload" href="{font}" as="font" type="font/woff2" crossorigin>\n'
    )


async def _answer_style_sheet(_: object) -> Response:
    headers = {"Cache-Control": f"public, max-age={_YEAR}, immutable"}
    return Response(style_sheet(), media_type="text/css", headers=headers)


@cache
def style_sheet() -> str:
    """The tokens and all of `css/` as one sheet, without comments and indentation."""
    sheets = [css_variables(), *(file.read_text(encoding="utf-8") for file in sorted(_CSS.glob("*.css")))]
    without_comments = re.sub(r"/\*.*?\*/", "", "\n".join(sheets), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", without_comments).strip()
