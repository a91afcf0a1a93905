"""What the top bar says of the connection when the network of the machine changes."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer


def test_a_server_on_this_machine_needs_no_network(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/settings").page
    state = page.locator(".qu-connection")
    expect(state).to_have_attribute("data-state", "online")
    with page.expect_response("**/healthz"):
        page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(state).to_have_attribute("data-state", "online")


def test_a_server_that_cannot_be_reached_is_found_again(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/settings").page
    state = page.locator(".qu-connection")
    expect(state).to_have_attribute("data-state", "online")
    page.route("**/healthz", lambda route: route.abort())
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(state).to_have_attribute("data-state", "offline")
    page.unroute("**/healthz")
    page.evaluate("window.dispatchEvent(new Event('online'))")
    expect(state).to_have_attribute("data-state", "online")
