"""The list of all runs in a real browser: its address, its boxes, its queue, and what a keyboard does in it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus, QueueState
from qlora_ui.settings import prepare_home
from tests.e2e.conftest import OpenPage, StartApp
from tests.e2e.looking import faults, settle, violations_in_every_look
from tests.fakes.runs import FakeRun, write_run
from tests.fakes.server import RunningServer

WAITING = ("one", "two", "three")
PAST = 40


@pytest.fixture(scope="module")
def long_list(start_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> RunningServer:
    """A home with runs on two pages, and a queue that is held, so that nothing in it starts."""
    home = tmp_path_factory.mktemp("long")
    workspace = Workspace(home)
    prepare_home(workspace)
    write_atomically(workspace.queue_state, QueueState(held=True).model_dump_json())
    for age, name in enumerate(WAITING):
        write_run(workspace, FakeRun(name, JobStatus.PENDING, minutes_ago=5 - age, minutes=0))
    for age in range(PAST):
        status = JobStatus.FAILED if age % 4 == 0 else JobStatus.COMPLETED
        run = FakeRun(f"past {age:02}", status, steps=3, minutes_ago=20 + age, minutes=1, summary={"train_loss": 1.5})
        write_run(workspace, run)
    return start_app(home)


@pytest.fixture
def page(long_list: RunningServer, open_page: OpenPage) -> Page:
    return list_at(long_list, open_page)


def list_at(app: RunningServer, open_page: OpenPage, query: str = "", **options: int) -> Page:
    page = open_page(f"{app.url}/activity{query}", **options).page
    expect(rows(page).first).to_be_visible()
    return page


def rows(page: Page) -> Locator:
    return page.locator(".qu-runs tbody tr")


def box(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=f"Select {name}", exact=True)


def queue(page: Page) -> Locator:
    return page.locator(".qu-reorder-entry .qu-title-link")


# ---- the address ----


def test_filters_pages_and_the_back_button(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Finished")).click()
    expect(page).to_have_url(re.compile(r"/activity\?status=completed$"))
    page.get_by_role("button", name="Next page").click()
    expect(page).to_have_url(re.compile(r"page=2$"))
    expect(page.get_by_text("26–30 of 30")).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_text("1–25 of 30")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("1–25 of 43")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Finished"))).to_have_attribute("aria-pressed", "false")
    page.go_forward()
    expect(page.get_by_text("1–25 of 30")).to_be_visible()
    page.reload()
    expect(page.get_by_text("1–25 of 30")).to_be_visible()


def test_typing_is_one_step_back(page: Page) -> None:
    find = page.get_by_role("textbox", name="Find a run")
    find.press_sequentially("past-", delay=10)
    expect(page).to_have_url(re.compile(r"q=past-$"))
    find.press_sequentially("07", delay=10)
    expect(page).to_have_url(re.compile(r"q=past-07$"))
    expect(rows(page)).to_have_count(1)
    expect(find).to_be_focused()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/activity$"))
    expect(find).to_have_value("")
    expect(rows(page)).to_have_count(25)


def test_the_list_comes_back_as_it_was_left(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Failed")).click()
    page.get_by_role("link", name=re.compile("^past 08")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("past 08")
    expect(page).to_have_url(re.compile(r"/activity/\d+"))
    page.go_back()
    expect(page.get_by_text("1–10 of 10")).to_be_visible()
    expect(page).to_have_url(re.compile(r"status=failed$"))


def test_the_side_bar_leads_to_the_whole_list(long_list: RunningServer, open_page: OpenPage) -> None:
    page = list_at(long_list, open_page, "?q=past-07")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("^Activity")).click()
    expect(rows(page)).to_have_count(25)
    expect(page).to_have_url(re.compile(r"/activity$"))


# ---- boxes ----


def test_shift_chooses_a_range_by_mouse_and_by_the_space_bar(page: Page) -> None:
    box(page, "past 02").click()
    box(page, "past 06").click(modifiers=["Shift"])
    expect(page.get_by_text("5 runs chosen").first).to_be_visible()
    expect(box(page, "past 04")).to_be_checked()
    box(page, "past 09").focus()
    page.keyboard.press("Shift+Space")
    expect(page.get_by_text("8 runs chosen").first).to_be_visible()
    expect(box(page, "past 09")).to_be_focused()
    page.get_by_role("button", name="Clear the selection").click()
    expect(box(page, "past 04")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Select all runs of this page")).to_be_focused()
    expect(page.get_by_text("1–25 of 43")).to_be_visible()


def test_the_box_above_stands_for_the_page(page: Page) -> None:
    every = page.get_by_role("checkbox", name="Select all runs of this page")
    every.check()
    expect(page.get_by_text("25 runs chosen").first).to_be_visible()
    box(page, "past 03").uncheck()
    expect(every).to_be_checked(indeterminate=True)
    page.get_by_role("button", name="Choose all 43").click()
    expect(page.get_by_text("43 runs chosen").first).to_be_visible()
    expect(every).to_be_checked()
    every.uncheck()
    expect(page.get_by_text("18 runs chosen").first).to_be_visible()


# ---- one row ----


def test_a_menu_of_a_row_by_keyboard(page: Page) -> None:
    button = page.get_by_role("button", name="What can be done with past 04", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Try again")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_a_menu_at_the_lower_edge_opens_within_the_window(page: Page) -> None:
    button = page.get_by_role("button", name="What can be done with past 15", exact=True)
    button.evaluate("button => button.scrollIntoView({ block: 'end' })")
    button.click()
    item = page.get_by_role("menuitem", name="Delete")
    expect(item).to_be_in_viewport(ratio=1)
    page.keyboard.press("Escape")


# ---- the queue ----


def test_the_queue_is_sorted_by_keyboard_and_keeps_the_focus(page: Page) -> None:
    expect(queue(page)).to_have_text([*WAITING])
    up = page.get_by_role("button", name="Move three up")
    up.focus()
    page.keyboard.press("Enter")
    expect(queue(page)).to_have_text(["one", "three", "two"])
    expect(up).to_be_focused()
    page.keyboard.press("Alt+Home")
    expect(queue(page)).to_have_text(["three", "one", "two"])
    expect(up).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")  # quickly twice
    page.keyboard.press("Alt+ArrowDown")
    expect(queue(page)).to_have_text([*WAITING])
    expect(up).to_be_focused()


def test_the_queue_is_sorted_by_dragging(page: Page) -> None:
    expect(queue(page)).to_have_text([*WAITING])
    entries = page.locator(".qu-reorder-entry")
    bounds = entries.first.bounding_box()
    assert bounds is not None
    grip = entries.nth(2).locator(".qu-grip")
    grip.drag_to(entries.nth(0), target_position={"x": 200, "y": 4})
    expect(queue(page)).to_have_text(["three", "one", "two"])
    grip = entries.nth(0).locator(".qu-grip")
    grip.drag_to(entries.nth(2), target_position={"x": 200, "y": bounds["height"] - 4})
    expect(queue(page)).to_have_text([*WAITING])


def test_holding_the_queue_keeps_the_focus(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = list_at(busy_app, open_page)
    hold, go_on = (page.get_by_role("button", name=name) for name in ("Hold the queue", "Continue the queue"))
    hold.focus()
    page.keyboard.press("Enter")
    expect(go_on).to_be_focused()
    page.keyboard.press("Enter")
    expect(hold).to_be_focused()


# ---- looks ----


@pytest.mark.parametrize("width", [360, 760, 1440])
def test_a_list_with_chosen_runs_is_accessible_and_fits(
    long_list: RunningServer, open_page: OpenPage, width: int
) -> None:
    page = list_at(long_list, open_page, "?when=30d", width=width)
    for name in ("one", "past 01", "past 04"):
        box(page, name).check()
    expect(page.get_by_text("3 runs chosen").first).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # a link that lies half below the top bar is a small target
    settle(page)
    found = {"layout": faults(page), **violations_in_every_look(page)}
    assert {where: what for where, what in found.items() if what} == {}


def test_a_comparison_is_accessible_and_fits(page: Page) -> None:
    for name in ("one", "past 01", "past 04"):
        box(page, name).check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog", name="Compare runs")).to_be_visible()
    found = violations_in_every_look(page, within=".q-dialog")
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[f"layout, {width} px"] = faults(page)
    assert {where: what for where, what in found.items() if what} == {}


# ---- what goes ----


def test_deleting_from_a_menu_by_keyboard_keeps_a_place_for_the_focus(page: Page) -> None:
    page.get_by_role("textbox", name="Find a run").fill("past-13")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="What can be done with past 13", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Delete").press("Enter")
    page.get_by_role("dialog", name="Delete past 13?").get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_text("No run fits")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
