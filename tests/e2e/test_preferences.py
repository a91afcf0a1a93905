"""How a person likes the app: on every tab at once, and after whatever happens to the server."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.server import RunningServer


def open_tab(browser: Browser, address: str) -> Page:
    page = browser.new_context(color_scheme="light", locale="en-US").new_page()
    return load(page, address)


def load(page: Page, address: str) -> Page:
    page.goto(address)
    page.wait_for_function("window.did_handshake === true")
    return page


def test_a_change_holds_on_every_tab_at_once(browser: Browser, tmp_path: Path) -> None:
    with RunningServer(tmp_path) as server:
        settings = open_tab(browser, f"{server.url}/settings")
        other = load(settings.context.new_page(), f"{server.url}/activity")
        other.evaluate("window.wasNotReloaded = true")
        settings.get_by_role("radio", name="Dark", exact=True).click()
        for page in (settings, other):
            expect(page.locator("body")).to_have_class(re.compile("body--dark"))
        settings.get_by_role("switch", name="High contrast").click()
        for page in (settings, other):
            expect(page.locator("body")).to_have_class(re.compile("qu-contrast"))
        assert other.evaluate("window.wasNotReloaded")
        settings.context.close()


def test_a_language_holds_on_every_tab(browser: Browser, tmp_path: Path) -> None:
    with RunningServer(tmp_path) as server:
        settings = open_tab(browser, f"{server.url}/settings")
        other = load(settings.context.new_page(), f"{server.url}/activity")
        settings.get_by_role("combobox", name="Language").click()
        settings.get_by_role("option", name="Deutsch").click()
        for page in (settings, other):
            expect(page.locator("html")).to_have_attribute("lang", "de")
            expect(page.get_by_role("link", name="Einstellungen").first).to_be_visible()
        settings.context.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_a_change_survives_the_end_of_the_server(browser: Browser, tmp_path: Path, how: signal.Signals) -> None:
    """SIGKILL comes as soon as the page shows that the change was saved: it must be on the disk by then."""
    with RunningServer(tmp_path) as server:
        page = open_tab(browser, f"{server.url}/settings")
        page.get_by_role("radio", name="Dark", exact=True).click()
        expect(page.locator("body")).to_have_class(re.compile("body--dark"))
        page.get_by_role("switch", name="Reduced motion").click()
        expect(page.locator("body")).to_have_class(re.compile("qu-still"))
        server.stop(how)
        page.context.close()
    with RunningServer(tmp_path) as server:
        page = open_tab(browser, f"{server.url}/settings")
        expect(page.locator("body")).to_have_class(re.compile("body--dark"))
        expect(page.locator("body")).to_have_class(re.compile("qu-still"))
        expect(page.get_by_role("radio", name="Dark", exact=True)).to_be_checked()
        expect(page.get_by_role("switch", name="Reduced motion")).to_be_checked()
        page.context.close()
