"""The bell in a real browser: the keyboard, the focus, and notifications of the browser itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.store.store import Store
from tests.e2e.conftest import OpenPage, StartApp
from tests.fakes.runs import FakeRun, write_run

# A browser without a screen shows no notifications; this one notes them, and tells a page that nobody looks at it.
WATCHED = """
window.noted = [];
window.Notification = class {
  static permission = "granted";
  constructor(title, options) {
    Object.assign(this, { title, ...options });
    window.noted.push(this);
  }
  close() { this.closed = true; }
};
Object.defineProperty(document, "hidden", { get: () => !window.isInSight });
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One in which nothing has run, of a person who wants the browser to tell."""
    workspace = Workspace(tmp_path / "home")
    for folder in (workspace.home, workspace.runs, workspace.datasets):
        folder.mkdir()
    preferences = UserPreferences.model_validate({"notifications": {"browser": True}})
    Store(workspace).preferences.put(preferences)
    return workspace.home


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(reduced_motion="reduce") as context:
        context.add_init_script(WATCHED)
        yield context


def open_tab(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.did_handshake === true")
    return page


def test_the_list_opens_and_closes_by_keyboard_and_gives_the_focus_back(
    home: Path, start_app: StartApp, open_page: OpenPage
) -> None:
    app = start_app(home)
    page = open_page(app.url + "/settings").page
    run = write_run(Workspace(home), FakeRun("support-tone"))
    bell = page.get_by_role("banner").get_by_role("button", name="Notifications, 1 unread")
    bell.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_be_focused()
    link = panel.get_by_role("link", name="support-tone finished")
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Mark all as read")).to_be_focused()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell).to_be_focused()
    page.keyboard.press("Enter")
    link.click()
    expect(panel).to_be_hidden()
    expect(page).to_have_url(app.url + f"/activity/{run.id}")


def test_the_browser_tells_while_no_tab_is_in_sight(home: Path, start_app: StartApp, context: BrowserContext) -> None:
    app = start_app(home)
    tabs = [open_tab(context, app.url + "/settings") for _ in range(2)]
    run = write_run(Workspace(home), FakeRun("support-tone"))
    for tab in tabs:
        tab.wait_for_function("window.noted.length > 0")
    tags = [tab.evaluate("window.noted.map(notice => notice.tag)") for tab in tabs]
    assert tags[0] == tags[1], "so that a browser shows one of them"
    assert len(tags[0]) == 1
    assert tabs[0].evaluate("window.noted[0].title") == "support-tone finished"
    tabs[0].evaluate("window.noted[0].onclick()")
    expect(tabs[0]).to_have_url(app.url + f"/activity/{run.id}")
    seen = open_tab(context, app.url + "/settings")
    seen.evaluate("window.isInSight = true")
    write_run(Workspace(home), FakeRun("second run"))
    expect(seen.get_by_text("second run finished").first).to_be_visible()
    seen.evaluate("window.isInSight = false")
    write_run(Workspace(home), FakeRun("third run"))
    tabs[1].wait_for_function("window.noted.some(notice => notice.title.startsWith('third'))")
    titles = tabs[1].evaluate("window.noted.map(notice => notice.title)")
    assert titles == ["support-tone finished", "third run finished"], "the second one was shown by the tab in sight"
