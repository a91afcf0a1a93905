"""The app without a mouse: Tab reaches everything in order, keys open pages, Escape leads back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from qlora_ui.pages.shortcuts import SHORTCUTS
from tests.e2e.conftest import OpenPage
from tests.e2e.data_states import to_data
from tests.e2e.looking import HERE, settle
from tests.e2e.routes import address
from tests.fakes.server import RunningServer

WALK = (HERE / "walk.js").read_text(encoding="utf-8")
WALKED = (
    *("dashboard", "train", "publish", "compare", "activity", "settings", "help", "glossary", "shortcuts"),
    *("not found", "finished run", "failed run", "interrupted run", "running run", "waiting run", "paused run"),
    *("score", "receipt"),
)
"""Routes that differ in what can be reached on them."""
PATHS = {keys: shortcut.path for keys, shortcut in SHORTCUTS.items() if keys.startswith("g ")}


def walk(page: Page) -> list[str]:
    """Press Tab until the focus leaves the page; gives what is wrong with the way, one line each."""
    names: list[str] = page.evaluate(WALK)
    wrong: list[str] = []
    reached: list[int] = []
    before: dict[str, Any] | None = None
    for _ in range(len(names) + 5):
        page.keyboard.press("Tab")
        here: dict[str, Any] | None = page.evaluate("walk.here()")
        if here is None or (here["at"] in reached and here["at"] != reached[-1]):
            break
        wrong += [f"{here['name']} {what}" for what in here["wrong"]]
        if before and _leads_back(before["box"], here["box"]):
            wrong.append(f"{here['name']} lies before {before['name']}, which is reached first")
        reached.append(here["at"])
        before = here
    else:
        wrong.append(f"the focus does not come out: {before}")
    wrong += [f"{names[at]} is not reached" for at in range(len(names)) if at not in reached]
    known = [at for at in reached if at >= 0]
    if known != sorted(known):
        wrong.append(f"it is not the order of the document: {[names[at] for at in known]}")
    return wrong


def _leads_back(before: list[float], here: list[float]) -> bool:
    """Whether a box lies to the left of another in the same row, or above and to the left of it."""
    is_left = here[2] <= before[0]
    return is_left and here[3] <= before[3] and here[1] <= before[1]


@pytest.mark.parametrize("name", WALKED)
def test_tab_reaches_everything_in_order(busy_app: RunningServer, open_page: OpenPage, name: str) -> None:
    page = open_page(address(busy_app, name)).page
    expect(page.locator("h1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    settle(page)
    assert walk(page) == []


def test_the_walk_finds_what_is_wrong(open_page: OpenPage, busy_app: RunningServer) -> None:
    page = open_page(busy_app.url).page
    page.set_content(
        """<style>:focus-visible { outline: 2px solid red } .still:focus-visible { outline: none }</style>
        <button class="still">Silent</button>
        <button style="position:fixed; top:60px; left:10px; width:200px; height:40px">Covered</button>
        <div style="position:fixed; top:50px; left:0; width:400px; height:80px; background:white"></div>
        <button style="position:fixed; top:300px; left:300px">Right</button>
        <button style="position:fixed; top:300px; left:100px">Left</button>
        <button tabindex="2">Last in the document</button>"""
    )
    found = "\n".join(walk(page))
    assert '"Silent" does not show that it has the focus' in found
    assert '"Covered" is covered' in found
    assert '"Left" lies before <button> "Right"' in found
    assert "it is not the order of the document" in found
    page.set_content("<button>One</button><button onkeydown='event.preventDefault()'>Trap</button><button>Two</button>")
    found = "\n".join(walk(page))
    assert "the focus does not come out" in found
    assert '"Two" is not reached' in found


@pytest.mark.parametrize("keys", PATHS)
def test_keys_open_pages_and_move_the_focus(busy_app: RunningServer, open_page: OpenPage, keys: str) -> None:
    start = "/settings" if PATHS[keys] != "/settings" else "/"
    page = open_page(busy_app.url + start).page
    for key in keys.split():
        page.keyboard.press(key)
    page.wait_for_url(busy_app.url + PATHS[keys])
    expect(page.locator("h1")).to_be_focused()
    expect(page).to_have_title(re.compile(" · qlora-ui$"))


def test_no_key_does_anything_while_one_writes(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url + "/train").page
    field = page.get_by_role("textbox").first
    field.focus()
    field.press_sequentially("g d ? t n /")
    expect(field).to_have_value(re.compile(re.escape("g d ? t n /")))
    assert page.url == f"{busy_app.url}/train"
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_no_key_does_anything_in_the_editor(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(fresh_app.url + "/train").page
    editor = open_editor(page)
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# g d ? t n /")
    expect(editor).to_contain_text("# g d ? t n /")
    page.keyboard.press("Control+k")
    assert page.url == f"{fresh_app.url}/train"
    expect(page.locator("dialog[open], .q-dialog")).to_have_count(0)


def test_the_editor_is_no_trap(fresh_app: RunningServer, open_page: OpenPage) -> None:
    """Escape, then Tab leads out of it, and Tab alone may indent."""
    page = open_page(fresh_app.url + "/train").page
    editor = open_editor(page)
    editor.focus()
    for _ in range(2):
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
    expect(editor).not_to_be_focused()


def open_editor(page: Page) -> Locator:
    """Go to the settings of a new fine-tune, as YAML."""
    to_data(page)
    page.get_by_label("Starter data").click()
    expect(page.get_by_role("option").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name=re.compile(r"^(Done: |\d )?Settings$")).click()
    page.get_by_role("radio", name="YAML").click()
    return page.locator(".cm-content")


def comes_back(page: Page, opener: Locator, opened: Locator) -> None:
    """The opener opens with Enter, the focus goes inside, and Escape gives it back."""
    opener.focus()
    page.keyboard.press("Enter")
    expect(opened).to_be_visible()
    expect(opened.locator(":focus").or_(opened.and_(page.locator(":focus")))).to_have_count(1)
    page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    expect(opener).to_be_focused()


def test_escape_closes_and_gives_the_focus_back(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url).page
    page.wait_for_load_state("networkidle")
    search = page.get_by_role("button", name="Search or run a command")
    comes_back(page, search, page.locator("dialog.qu-palette"))
    comes_back(page, page.get_by_role("button", name=re.compile("^Notifications")), page.locator(".qu-bell-panel"))
    comes_back(page, page.get_by_role("button", name="User menu"), page.locator(".qu-menu-list"))
    explain = page.locator(".qu-explain button").first
    comes_back(page, explain, page.locator(".qu-popover:popover-open"))
    link = page.get_by_role("navigation", name="Main").get_by_role("link", name="Publish")
    for keys, dialog in (("Control+k", page.locator("dialog.qu-palette")), ("?", page.locator(".qu-keys"))):
        link.focus()
        page.keyboard.press(keys)
        expect(dialog).to_be_visible()
        expect(link).not_to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(link).to_be_focused()


def test_a_question_is_answered_with_escape(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(address(busy_app, "finished run")).page
    more = page.get_by_role("button", name="More to do with this run")
    question = page.get_by_role("dialog", name=re.compile("^Delete"))
    more.focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    expect(question.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(more).to_be_focused()
    expect(page.locator("h1")).to_be_visible()


def test_the_narrow_navigation_gives_the_focus_back(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url, width=360).page
    menu = page.get_by_role("button", name="Menu", exact=True)
    menu.focus()
    page.keyboard.press("Enter")
    side_bar = page.get_by_role("navigation", name="Main")
    expect(side_bar).to_be_visible()
    page.keyboard.press("Tab")
    expect(side_bar.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(side_bar).to_be_hidden()
    expect(menu).to_be_focused()
