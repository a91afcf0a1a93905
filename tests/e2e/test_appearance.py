"""How the app looks to people with wishes: as their system has it, with more contrast, in colours of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from qlora_ui.theme.tokens import DARK, HIGH_CONTRAST_DARK, HIGH_CONTRAST_LIGHT, LIGHT, Theme
from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
REMEMBER_LOOKS = """
window.looks = new Set();
const look = () => {
  if (document.body) window.looks.add(getComputedStyle(document.body).backgroundColor);
  requestAnimationFrame(look);
};
look();
"""


@pytest.fixture
def visit(browser: Browser, fresh_app: RunningServer) -> Iterator[Any]:
    """Opens the dashboard with what a person's system asks for: `visit(color_scheme="dark", contrast="more")`."""
    contexts = []

    def visit(**wishes: Any) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **wishes)
        contexts.append(context)
        page: Page = context.new_page()
        page.add_init_script(REMEMBER_LOOKS)
        page.goto(fresh_app.url)
        page.wait_for_function("window.did_handshake === true")
        return page

    yield visit
    for context in contexts:
        context.close()


def test_system_theme_is_followed_live(visit: Any) -> None:
    page = visit(color_scheme="dark")
    assert page.evaluate(BACKGROUND) == rgb(DARK)
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_class(re.compile("body--light"))
    assert page.evaluate(BACKGROUND) == rgb(LIGHT)
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    assert page.evaluate(BACKGROUND) == rgb(DARK)
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_never_appears_in_another_look_than_its_own(visit: Any, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    assert page.evaluate("[...window.looks]") == [rgb(DARK if scheme == "dark" else LIGHT)]


@pytest.mark.parametrize(("scheme", "theme"), [("light", HIGH_CONTRAST_LIGHT), ("dark", HIGH_CONTRAST_DARK)])
def test_contrast_that_the_system_asks_for_is_given(visit: Any, scheme: str, theme: Theme) -> None:
    page = visit(color_scheme=scheme, contrast="more")
    assert page.evaluate(BACKGROUND) == rgb(theme)
    border = page.evaluate("getComputedStyle(document.body).getPropertyValue('--border')")
    assert border == theme.colors.border


def test_less_motion_is_none(visit: Any) -> None:
    durations = "[...document.querySelectorAll('*')].map((e) => parseFloat(getComputedStyle(e).transitionDuration))"
    assert max(visit(reduced_motion="no-preference").evaluate(durations)) > 0.1
    assert max(visit(reduced_motion="reduce").evaluate(durations)) < 0.001


def test_focus_and_state_are_seen_in_colours_of_the_system(visit: Any) -> None:
    page = visit(forced_colors="active")
    style = "(element) => (({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])(getComputedStyle(element))"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.locator(":focus").evaluate(style) == ["solid", "2px"]
    ground = "(element) => getComputedStyle(element).backgroundColor"
    links = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert links.and_(page.locator("[aria-current=page]")).evaluate(ground) != links.last.evaluate(ground)


def test_disabled_button_says_why_to_the_keyboard(open_page: OpenPage, fresh_app: RunningServer) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    page.get_by_role("radio", name="YAML").click()
    button = page.get_by_role("button", name="Start training", exact=True)
    expect(button).to_have_accessible_description("No model is chosen yet.")
    reason = button.locator(".qu-reason")
    expect(reason).to_be_hidden()
    page.keyboard.press("Tab")  # from here on the browser shows where the focus is
    button.focus()
    expect(reason).to_be_visible()
    expect(reason).to_have_text("No model is chosen yet.")


@pytest.mark.parametrize("path", ["/activity", "/settings"])
def test_widgets_draw_their_icons_without_a_font(open_page: OpenPage, busy_app: RunningServer, path: str) -> None:
    page = open_page(busy_app.url + path).page
    expect(page.locator(".q-select__dropdown-icon svg").first).to_be_visible()
    fonts = (
        "document.fonts.ready.then((fonts) => [...fonts].filter((f) => f.status !== 'unloaded').map((f) => f.family))"
    )
    assert {family.strip('"') for family in page.evaluate(fonts)} <= {"Inter", "JetBrains Mono"}


def rgb(theme: Theme) -> str:
    """The background of a theme as the browser writes it."""
    color = theme.colors.background
    return f"rgb({', '.join(str(int(color[place : place + 2], 16)) for place in (1, 3, 5))})"
