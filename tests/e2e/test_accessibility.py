"""axe finds nothing on any page: light, dark and high contrast, wide and narrow, with menus and dialogs open."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.looking import OPENED, faults, settle, violations, violations_in_every_look
from tests.e2e.routes import MISSING, ROUTES, address
from tests.fakes.server import RunningServer

WIDTHS = (360, 720, 3840, 1440)
NARROW, WIDE = 360, 1440


@pytest.mark.parametrize("name", ROUTES)
def test_page_is_accessible_fits_every_window_and_keeps_to_itself(
    busy_app: RunningServer, open_page: OpenPage, name: str
) -> None:
    visit = open_page(address(busy_app, name))
    page = visit.page
    expect(page.locator("h1")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    found: dict[str, list[str]] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[f"layout, {width} px"] = faults(page)
        if width == NARROW:
            found["axe, narrow"] = violations(page)
    found |= violations_in_every_look(page)
    assert {where: what for where, what in found.items() if what} == {}
    if name not in MISSING:
        assert visit.complaints == []
    assert visit.strangers == []


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or run a command").fill("s")
    expect(page.get_by_role("option").first).to_be_visible()


def palette_without_a_find(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or run a command").fill("qqqqqq")
    expect(page.locator(".qu-palette-nothing")).to_be_visible()


def shortcuts(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def bell(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()


def user_menu(page: Page) -> None:
    page.get_by_role("button", name="User menu").click()
    expect(page.get_by_role("menuitem", name="Settings")).to_be_visible()


def navigation(page: Page) -> None:
    page.set_viewport_size({"width": NARROW, "height": 900})
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def explanation(page: Page) -> None:
    page.locator(".qu-explain").first.click()
    expect(page.locator(".qu-popover:popover-open")).to_be_visible()


def confirmation(page: Page) -> None:
    page.get_by_role("button", name="More to do with this run").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("dialog", name=re.compile("^Delete"))).to_be_visible()


def language_list(page: Page) -> None:
    page.get_by_role("combobox").first.click()
    expect(page.get_by_role("option").first).to_be_visible()


def chart_table(page: Page) -> None:
    page.get_by_role("radio", name="Table").first.click()
    expect(page.get_by_role("region", name="Loss by step").get_by_role("table")).to_be_visible()


WHAT_OPENS: tuple[tuple[str, Callable[[Page], None]], ...] = (
    ("dashboard", palette),
    ("help", palette_without_a_find),
    ("dashboard", shortcuts),
    ("dashboard", bell),
    ("dashboard", user_menu),
    ("settings", navigation),
    ("dashboard", explanation),
    ("finished run", confirmation),
    ("settings", language_list),
    ("finished run", chart_table),
)


@pytest.mark.parametrize(("name", "open_it"), WHAT_OPENS, ids=lambda part: getattr(part, "__name__", part))
def test_what_opens_is_accessible_and_fits(
    busy_app: RunningServer, open_page: OpenPage, name: str, open_it: Callable[[Page], None]
) -> None:
    page = open_page(address(busy_app, name)).page
    page.wait_for_load_state("networkidle")
    open_it(page)
    found = violations_in_every_look(page, within="" if open_it is chart_table else OPENED)
    for width in (WIDE, NARROW):
        if open_it is navigation and width == WIDE:
            continue
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[f"layout, {width} px"] = faults(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_first_day_is_accessible(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(fresh_app.url).page
    page.wait_for_load_state("networkidle")
    assert violations_in_every_look(page) == {}
