"""Tokens that can be read, and icons of which none is missing and none is carried along for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qlora_ui.theme.icons import icon_markup
from qlora_ui.theme.tokens import DARK, LIGHT, Theme, css_variables

PACKAGE = Path(__file__).parents[3] / "qlora_ui"
TEXTS = ("text", "text_muted", "primary_text", "secondary", "success", "warning", "error", "info")
GROUNDS = ("background", "surface", "surface_raised", "surface_sunken")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(theme: Theme) -> None:
    colors = theme.colors
    pairs = [(text, ground) for text in TEXTS for ground in GROUNDS]
    pairs += [(tone, f"{tone}_soft") for tone in ("success", "warning", "error", "info")]
    pairs += [("on_primary", "primary"), ("on_primary", "primary_hover"), ("primary_text", "primary_soft")]
    poor = {
        pair: round(ratio, 2)
        for pair in pairs
        if (ratio := contrast(getattr(colors, pair[0]), getattr(colors, pair[1]))) < 4.5
    }
    assert poor == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_edges_of_inputs_can_be_seen(theme: Theme) -> None:
    assert contrast(theme.colors.border_strong, theme.colors.surface) >= 3


def test_every_variable_of_the_style_sheets_is_a_token() -> None:
    defined = set(re.findall(r"--([\w-]+):", css_variables()))
    for sheet in (PACKAGE / "theme" / "css").glob("*.css"):
        source = sheet.read_text(encoding="utf-8")
        own = set(re.findall(r"--([\w-]+):", source))
        assert set(re.findall(r"var\(--([\w-]+)", source)) - defined - own == set(), sheet.name


def test_dark_changes_only_what_differs() -> None:
    dark = css_variables().partition(".body--dark")[2]
    assert "--background: #0f0f15" in dark
    assert "--space-1" not in dark


def test_every_icon_is_used() -> None:
    names = {file.stem for file in (PACKAGE / "assets" / "icons").glob("*.svg")}
    source = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("components", "pages")
        for file in (PACKAGE / folder).rglob("*.py")
    )
    assert {name for name in names if f'"{name}"' not in source} == set()


def test_icons_are_drawings_only() -> None:
    markup = icon_markup("house")
    assert markup.startswith("<path")
    assert "<script" not in markup
    with pytest.raises(KeyError):
        icon_markup("no-such-icon")


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2 between two colours such as `#5151cd`."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
