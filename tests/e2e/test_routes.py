"""The frame around every page: the way from one to the next, theme, connection, and addresses that lead nowhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, StartApp
from tests.e2e.looking import violations
from tests.fakes.server import RunningServer

HEADINGS = {
    "/": "Good",
    "/train": "New fine-tune",
    "/playground": "Playground",
    "/evaluate": "Evaluate",
    "/evaluate/dashboard": "Compare models",
    "/publish": "Publish",
    "/activity": "Activity",
    "/settings": "Settings",
}


@pytest.mark.parametrize("path", HEADINGS)
def test_page_has_its_heading_and_title(busy_app: RunningServer, open_page: OpenPage, path: str) -> None:
    page = open_page(busy_app.url + path).page
    expect(page.locator("h1")).to_contain_text(HEADINGS[path])


def test_first_day_says_what_to_do(start_app: StartApp, open_page: OpenPage) -> None:
    visit = open_page(start_app().url)
    expect(visit.page.get_by_role("heading", name="Your first fine-tune")).to_be_visible()
    expect(visit.page.get_by_role("link", name="Use your own data")).to_be_visible()
    assert violations(visit.page) == []


def test_navigation_moves_focus_title_and_mark(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url).page
    side_bar = page.get_by_role("navigation", name="Main")
    side_bar.get_by_role("link", name="Publish").click()
    heading = page.get_by_role("heading", level=1, name="Publish")
    expect(heading).to_be_focused()
    expect(page).to_have_title("(61 %) Publish · qlora-ui")
    expect(side_bar.get_by_role("link", name="Publish")).to_have_attribute("aria-current", "page")
    expect(side_bar.get_by_role("link", name="Dashboard")).not_to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page).to_have_title("(61 %) Dashboard · qlora-ui")


def test_narrow_side_bar_opens_and_closes(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url, width=360).page
    side_bar = page.get_by_role("navigation", name="Main")
    expect(side_bar).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(side_bar).to_be_visible()
    page.keyboard.press("Escape")
    expect(side_bar).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    side_bar.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()
    expect(side_bar).to_be_hidden()


def test_theme_is_switched_and_remembered(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(fresh_app.url).page
    body = page.locator("body")
    page.get_by_role("button", name="Switch to light").click()
    page.get_by_role("button", name="Switch to dark").click()
    expect(body).to_have_class(re.compile("body--dark"))
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    page.get_by_role("button", name="as the system has it").click()
    expect(page.get_by_role("button", name="Switch to light")).to_be_visible()


def test_connection_is_shown_as_it_is(start_app: StartApp, open_page: OpenPage) -> None:
    app = start_app()
    page = open_page(app.url).page
    status = page.locator(".qu-connection")
    expect(status).to_have_text("Online")
    app.process.kill()
    app.process.wait()
    expect(status).to_have_text("Offline", timeout=15_000)
    expect(page.get_by_text("Runs go on without this page.")).to_be_visible(timeout=15_000)


def test_unknown_run_is_not_found_and_leads_back(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{busy_app.url}/activity/nosuch").page
    expect(page.get_by_role("heading", level=1)).to_have_text("No such run")
    assert page.request.get(f"{busy_app.url}/activity/nosuch").status == 404
    page.get_by_role("link", name="All activity").click()
    expect(page.get_by_role("heading", level=1, name="Activity")).to_be_visible()


def test_unknown_address_leads_back(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{busy_app.url}/no/such/page").page
    expect(page.get_by_role("heading", level=1)).to_have_text("This page does not exist")
    assert violations(page) == []
    page.get_by_role("link", name="To the dashboard").click()
    expect(page).to_have_title("(61 %) Dashboard · qlora-ui")


def test_skip_link_is_first_and_leads_to_the_page(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url).page
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to main content")
    page.keyboard.press("Enter")
    expect(page.locator(".qu-page")).to_be_focused()
