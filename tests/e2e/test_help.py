"""Help in a real browser: explanations open and close by key, and the pages of help are accessible."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.looking import faults, violations, violations_in_every_look
from tests.fakes.server import RunningServer


@pytest.mark.parametrize("width", [1440, 360])
def test_explanation_opens_and_closes_by_key(busy_app: RunningServer, open_page: OpenPage, width: int) -> None:
    page = open_page(busy_app.url, width=width).page
    button = page.get_by_role("button", name="What is an adapter?")
    explanation = page.get_by_role("dialog", name="Adapter")
    expect(explanation).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(explanation).to_be_visible()
    expect(explanation).to_be_focused()
    expect(explanation).to_be_in_viewport(ratio=1)
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(explanation).to_be_hidden()
    expect(button).to_be_focused()


def test_explanation_leads_to_its_entry_in_the_glossary(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url).page
    page.get_by_role("button", name="What is an adapter?").click()
    page.get_by_role("link", name="More in the glossary").click()
    expect(page).to_have_url(re.compile("/help/glossary#adapter$"))
    expect(page.get_by_role("heading", level=1, name="Glossary")).to_be_focused()
    expect(page.locator("#adapter")).to_be_in_viewport()


@pytest.mark.parametrize(
    "path", ["/help", "/help/glossary", "/help/shortcuts", "/help/architecture", "/help/parameters"]
)
def test_pages_of_help_are_accessible(busy_app: RunningServer, open_page: OpenPage, path: str) -> None:
    visit = open_page(busy_app.url + path)
    visit.page.wait_for_load_state("networkidle")
    for width in (1440, 360):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert faults(visit.page) == []
        assert violations_in_every_look(visit.page) == {}
    assert visit.strangers == []


@pytest.mark.parametrize("path", ["/help/../../README", "/help/..%2Farchitecture", "/help/nothing"])
def test_no_address_becomes_a_file(busy_app: RunningServer, open_page: OpenPage, path: str) -> None:
    page = open_page(busy_app.url).page
    answer = page.request.get(busy_app.url + path, headers={"accept": "text/html"})
    assert answer.status == 404
