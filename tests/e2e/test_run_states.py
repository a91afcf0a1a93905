"""What opens and unfolds where runs are: accessible in every look, and whole in every window, in the longest words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus, QueueState
from qlora_ui.settings import prepare_home
from tests.e2e.conftest import LONG_NAME, OpenPage, StartApp
from tests.e2e.data_states import said, to_data
from tests.e2e.looking import OPENED, faults, settle, violations_in_every_look
from tests.fakes.rich_run import write_rich_run
from tests.fakes.runs import FakeRun, write_run

WIDTHS = (360, 720, 3840, 1440)
LANGUAGE = "de"
"""It has the longest words."""
PAUSED, LAST = "night-shift", "last-of-all"


@dataclass(frozen=True)
class Night:
    """A server that was left alone overnight: its queue is held, and something of everything is in it."""

    url: str
    running: str
    finished: str

    def page_of(self, name: str) -> str:
        run = {"running": self.running, "finished": self.finished}.get(name)
        return f"{self.url}/activity/{run}" if run else f"{self.url}/{name}"


@pytest.fixture(scope="module")
def night(start_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    home = tmp_path_factory.mktemp("night")
    workspace = Workspace(home)
    prepare_home(workspace)
    write_atomically(workspace.queue_state, QueueState(held=True).model_dump_json())
    at_work = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(at_work.pid)
    running = write_rich_run(workspace, "support tone", JobStatus.RUNNING, process=identity, alert=True).id
    finished = write_rich_run(workspace, LONG_NAME, steps=930, total_steps=930).id
    write_run(workspace, FakeRun(PAUSED, JobStatus.PAUSED, steps=40, minutes_ago=9))
    write_run(workspace, FakeRun("after-support-tone", JobStatus.PENDING, minutes_ago=8, minutes=0, after=running))
    write_run(workspace, FakeRun(LAST, JobStatus.PENDING, minutes_ago=7, minutes=0))
    yield Night(start_app(home).url, running, finished)
    at_work.communicate(b"\n", timeout=10)


# ---- the list ----


def held_queue(page: Page) -> None:
    expect(page.locator(".qu-reorder-entry")).to_have_count(3)
    expect(button(page, "Continue the queue")).to_be_visible()


def menu_in_the_queue(page: Page) -> None:
    page.locator(".qu-reorder-entry").last.get_by_role("button").last.click()
    expect(page.get_by_role("menuitem", name=said(page, "Move to the front"))).to_be_visible()


def menu_of_a_row(page: Page) -> None:
    row = page.locator(".qu-runs tbody tr").filter(has_text=LONG_NAME)
    row.get_by_role("button", name=said(page, "What can be done with {name}").format(name=LONG_NAME)).click()
    expect(page.get_by_role("menuitem", name=said(page, "Delete"))).to_be_visible()


def chosen_runs(page: Page) -> None:
    page.get_by_role("checkbox", name=said(page, "Select all runs of this page")).check()
    expect(page.locator(".qu-bulk")).to_be_visible()
    scroll_to_top(page)


def filters_in_use(page: Page) -> None:
    page.get_by_role("combobox", name=said(page, "When the runs were made")).click()
    page.get_by_role("option", name=said(page, "Made between two days")).click()
    page.locator("input[type=date]").first.fill("2020-02-29")
    page.get_by_role("group", name=said(page, "Show runs by status")).get_by_role("button").first.click()
    expect(page).to_have_url(re.compile("from=2020-02-29"))
    expect(page).to_have_url(re.compile("status="))
    expect(button(page, "Clear the filters")).to_be_visible()
    scroll_to_top(page)


def choice_of_days(page: Page) -> None:
    page.get_by_role("combobox", name=said(page, "When the runs were made")).click()
    expect(page.get_by_role("option").first).to_be_visible()


# ---- one run ----


def more_epochs(page: Page) -> None:
    button(page, "Train longer").click()
    dialog = dialog_of(page)
    dialog.get_by_role("textbox").fill("no number")
    dialog.get_by_role("button", name=said(page, "Queue it")).click()
    expect(dialog.get_by_role("alert")).to_be_visible()


def menu_of_a_checkpoint(page: Page) -> None:
    page.get_by_role("button", name=_any_step(page, "More to do with the checkpoint at step {step}")).first.click()
    expect(page.get_by_role("menuitem", name=said(page, "Go on from here"))).to_be_visible()


def branch(page: Page) -> None:
    menu_of_a_checkpoint(page)
    page.get_by_role("menuitem", name=said(page, "Go on from here")).click()
    expect(dialog_of(page).get_by_role("textbox").first).to_be_focused()


def menu_of_the_run(page: Page) -> None:
    button(page, "More to do with this run").click()
    expect(page.get_by_role("menuitem", name=said(page, "Delete"))).to_be_visible()


def zoomed_chart(page: Page) -> None:
    expect(page.locator(".qu-chart svg text").first).to_be_visible()
    for _time in range(3):
        button(page, "Zoom in").first.click()
    expect(button(page, "Show all steps").first).to_be_visible()
    scroll_to_top(page)


def drawing_of_the_chart(page: Page) -> None:
    expect(page.locator(".qu-chart svg text").first).to_be_visible()
    button(page, "How the curves are drawn").first.click()
    expect(page.locator(".qu-popover:popover-open")).to_be_visible()
    page.locator(".qu-popover:popover-open").get_by_role("switch").click()


def downloads_of_the_chart(page: Page) -> None:
    button(page, "Download").first.click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


# ---- a new run ----


def prompts_to_watch(page: Page) -> None:
    to_data(page)
    page.get_by_label(said(page, "Starter data")).click()
    expect(page.get_by_role("option").first).to_be_visible(timeout=60_000)
    button(page, "Continue to settings").click()
    page.get_by_role("button", name=said(page, "Reports and checkpoints")).click()
    for text in ("Why is my invoice twice as high as last year?", "Rindfleischetikettierungsüberwachung" * 8, ""):
        button(page, "Add a prompt").click()
        page.keyboard.insert_text(text)
    expect(page.locator(".qu-prompt-line")).to_have_count(3)
    scroll_to_top(page)


STATES: tuple[tuple[str, Callable[[Page], None]], ...] = (
    ("activity", held_queue),
    ("activity", menu_in_the_queue),
    ("activity", menu_of_a_row),
    ("activity", chosen_runs),
    ("activity", filters_in_use),
    ("activity", choice_of_days),
    ("finished", more_epochs),
    ("finished", menu_of_a_checkpoint),
    ("finished", branch),
    ("running", menu_of_the_run),
    ("running", zoomed_chart),
    ("running", drawing_of_the_chart),
    ("running", downloads_of_the_chart),
    ("train", prompts_to_watch),
)
"""A page of the night, and what is done on it."""


@pytest.mark.parametrize(("name", "open_it"), STATES, ids=lambda part: getattr(part, "__name__", part))
def test_state_is_accessible_and_fits_every_window(
    night: Night, open_page: OpenPage, name: str, open_it: Callable[[Page], None]
) -> None:
    visit = open_page(night.page_of(name), language=LANGUAGE)
    page = visit.page
    page.wait_for_load_state("networkidle")
    open_it(page)
    is_over = page.locator(OPENED).filter(visible=True).count() > 0
    found = violations_in_every_look(page, within=OPENED if is_over else "")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[f"layout, {width} px"] = faults(page)
    assert page.locator(OPENED).filter(visible=True).count() > 0 or not is_over, "it closed before it was looked at"
    assert {where: what for where, what in found.items() if what} == {}
    assert visit.complaints == []


def button(page: Page, text: str) -> Locator:
    return page.get_by_role("button", name=said(page, text))


def dialog_of(page: Page) -> Locator:
    dialog = page.locator(".q-dialog .qu-dialog")
    expect(dialog).to_be_visible()
    return dialog


def scroll_to_top(page: Page) -> None:
    """What lies half below the top bar is a small target."""
    page.evaluate("scrollTo(0, 0)")


def _any_step(page: Page, text: str) -> re.Pattern[str]:
    before, after = said(page, text).split("{step}")
    return re.compile(re.escape(before) + r"[\d.,]+" + re.escape(after))
