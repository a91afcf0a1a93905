"""Tokens that can be read, and icons of which none is missing and none is carried along for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qlora_ui.theme import style_sheet
from qlora_ui.theme.icons import icon_markup
from qlora_ui.theme.tokens import DARK, HIGH_CONTRAST_DARK, HIGH_CONTRAST_LIGHT, LIGHT, Theme, css_variables

PACKAGE = Path(__file__).parents[3] / "qlora_ui"
NORMAL = {"light": LIGHT, "dark": DARK}
HIGH_CONTRAST = {"high contrast light": HIGH_CONTRAST_LIGHT, "high contrast dark": HIGH_CONTRAST_DARK}
MODES = NORMAL | HIGH_CONTRAST
TEXTS = ("text", "text_muted", "primary_text", "secondary", "success", "warning", "error", "info")
GROUNDS = ("background", "surface", "surface_raised", "surface_sunken")
TONES = ("success", "warning", "error", "info")
CURVES = ("chart_1", "chart_2", "chart_3", "chart_4", "chart_5")
EDGES = ("border_strong", "primary", "primary_text")
"""Edges of inputs, switches that are on and progress bars, the ring around what has the focus."""
ON_GROUNDS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((tone, f"{tone}_soft") for tone in TONES),
    *(("text", f"{tone}_soft") for tone in TONES),
    *((text, "primary_soft") for text in ("text", "text_muted", "primary_text")),
    *(("on_primary", ground) for ground in ("primary", "primary_hover")),
    ("background", "text"),  # tooltips
]
"""Every text with every ground that it is read on."""


@pytest.mark.parametrize("mode", MODES)
def test_text_can_be_read_on_every_ground(mode: str) -> None:
    assert too_poor(MODES[mode], ON_GROUNDS, 7.0 if mode in HIGH_CONTRAST else 4.5) == {}


@pytest.mark.parametrize("mode", MODES)
def test_edges_can_be_seen_on_every_ground(mode: str) -> None:
    edges = (*EDGES, "border") if mode in HIGH_CONTRAST else EDGES
    pairs = [(edge, ground) for edge in edges for ground in GROUNDS]
    assert too_poor(MODES[mode], pairs, 4.5 if mode in HIGH_CONTRAST else 3.0) == {}


@pytest.mark.parametrize("mode", MODES)
def test_curves_can_be_seen_on_their_card(mode: str) -> None:
    assert too_poor(MODES[mode], [(curve, "surface") for curve in CURVES], 4.5) == {}
    assert len({getattr(MODES[mode].colors, curve) for curve in CURVES}) == len(CURVES)


def test_every_variable_of_the_style_sheet_is_defined() -> None:
    sheet = style_sheet()
    assert set(re.findall(r"var\(--([\w-]+)", sheet)) - set(re.findall(r"--([\w-]+):", sheet)) == set()


def test_style_sheet_holds_every_file_without_its_comments() -> None:
    sheet = style_sheet()
    assert "/*" not in sheet
    for file in (PACKAGE / "theme" / "css").glob("*.css"):
        classes = re.findall(r"^(\.[\w-]+) \{", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert {name for name in classes if name not in sheet} == set(), file.name


def test_each_mode_changes_only_what_differs() -> None:
    rules = dict(re.findall(r"^(body\S*) \{\n(.*?)\}", css_variables(), flags=re.DOTALL | re.MULTILINE))
    assert "--background: #0f0f15" in rules["body.body--dark"]
    assert "--background: #000000" in rules["body.qu-contrast.body--dark"]
    assert not [selector for selector, rule in rules.items() if "--space-1" in rule]


@pytest.mark.parametrize("scheme", NORMAL)
def test_wanted_and_asked_for_contrast_look_the_same(scheme: str) -> None:
    rules = dict(re.findall(r"(body\S*) \{\n(.*?)\}", css_variables(), flags=re.DOTALL))
    ending = ".body--dark" if scheme == "dark" else ""
    assert rules[f"body.qu-contrast{ending}"] == rules[f"body.qu-system{ending}"]


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


def too_poor(theme: Theme, pairs: list[tuple[str, str]], least: float) -> dict[tuple[str, str], float]:
    """The pairs of tokens whose contrast is below `least`, each with its own."""
    ratios = {pair: contrast(getattr(theme.colors, pair[0]), getattr(theme.colors, pair[1])) for pair in pairs}
    return {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < least}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2 between two colours such as `#5151cd`."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
