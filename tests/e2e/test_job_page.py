"""One job's page in a real browser: its curves, its log, its menus, and what stands there after a reload."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qlora_ui.components.charts.chart import POINTS_SENT
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from tests.e2e.conftest import OpenPage, StartApp
from tests.e2e.data_states import said
from tests.e2e.looking import faults, settle, violations_in_every_look
from tests.fakes.rich_run import write_rich_run


@dataclass(frozen=True)
class RichApp:
    """A server on a home with trainings that measured everything."""

    url: str
    running: str
    failed: str
    long: str
    """With more points than are sent at once."""

    def page_of(self, run: str) -> str:
        return f"{self.url}/activity/{run}"


@pytest.fixture(scope="module")
def rich_app(start_app: StartApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RichApp]:
    home = tmp_path_factory.mktemp("rich")
    workspace = Workspace(home)
    at_work = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    me = ProcessIdentity.of(at_work.pid)
    running = write_rich_run(workspace, "support tone", JobStatus.RUNNING, process=me, alert=True).id
    failed = write_rich_run(workspace, "broken tone", JobStatus.FAILED, steps=400).id
    long = write_rich_run(workspace, "long tone", steps=9_000, total_steps=9_000).id
    yield RichApp(start_app(home).url, running, failed, long)
    at_work.communicate(b"\n", timeout=10)


def chart_of(page: Page, number: int = 0) -> tuple[float, float, float, float]:
    """Where a chart stands once it is drawn: x, y, width, height."""
    chart = page.locator(".qu-chart").nth(number)
    expect(chart.locator("svg text").first).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def test_dragging_shows_a_stretch_and_escape_shows_the_whole(rich_app: RichApp, open_page: OpenPage) -> None:
    visit = open_page(rich_app.page_of(rich_app.running))
    page = visit.page
    x, y, width, height = chart_of(page)
    steps = page.locator(".qu-chart").first.locator("svg text")
    expect(steps.filter(has_text=re.compile("^1,500$"))).to_have_count(1)
    page.mouse.move(x + width * 0.2, y + height / 2)
    page.mouse.down()
    page.mouse.move(x + width * 0.4, y + height / 2, steps=4)
    page.mouse.up()
    whole = page.get_by_role("button", name="Show all steps")
    expect(whole).to_be_visible()
    expect(steps.filter(has_text=re.compile("^1,500$"))).to_have_count(0)
    page.locator(".qu-chart").first.focus()
    page.keyboard.press("Escape")
    expect(whole).to_have_count(0)
    expect(steps.filter(has_text=re.compile("^1,500$"))).to_have_count(1)
    assert visit.complaints == []


def test_keys_zoom_and_move_a_crosshair_that_is_read_out(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.running)).page
    chart_of(page)
    chart = page.locator(".qu-chart").first
    chart.focus()
    page.keyboard.press("End")
    spoken = chart.get_by_role("status")
    expect(spoken).to_contain_text("Step 930")
    page.keyboard.press("ArrowLeft")
    expect(spoken).to_contain_text("Step 929")
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Show all steps")).to_be_visible()


def test_a_stretch_of_a_long_curve_has_points_that_the_whole_had_not(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.long)).page
    chart_of(page)
    known = "() => getElement(document.querySelector('.qu-chart').id.slice(1)).%s.loss.length"
    page.wait_for_function(f"({known % 'points'})() > 1000")
    assert page.evaluate(known % "points") <= POINTS_SENT
    for _time in range(3):
        page.get_by_role("button", name="Zoom in").first.click()
    shown = "getElement(document.querySelector('.qu-chart').id.slice(1)).closer?.points.loss.length"
    page.wait_for_function(f"{shown} === {9_000 // 8 + 3}")  # each step of the stretch, and one beyond either edge


def test_the_curves_can_be_taken_away_as_a_picture_and_as_a_table(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.running)).page
    chart_of(page)
    card = page.locator("section", has=page.get_by_role("heading", name="Loss"))
    for entry, ending, head in (("Picture", ".png", b"\x89PNG"), ("All figures", ".csv", b"step,")):
        card.get_by_role("button", name="Download").click()
        with page.expect_download() as downloading:
            page.get_by_role("menuitem", name=entry).click()
        assert downloading.value.suggested_filename.endswith(ending)
        assert Path(downloading.value.path()).read_bytes().startswith(head)


def test_a_search_goes_through_the_whole_log(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.long)).page
    log = page.get_by_role("log")
    expect(log).to_contain_text("Finished.")
    expect(log).not_to_contain_text("It reads the data.")
    page.get_by_label("Find in log").fill("the base model")
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
    expect(log.locator(".here")).to_contain_text("It loads the base model in 4 bits.")
    expect(log.locator("mark")).to_have_text("the base model")
    expect(log).to_contain_text("It reads the data.")
    page.get_by_label("Find in log").fill("loss 1.0")
    expect(page.get_by_text(re.compile(r"^1 of [\d,]+$"))).to_be_visible()
    page.get_by_role("button", name="Earlier match").click()
    expect(page.get_by_text(re.compile(r"^2 of [\d,]+$"))).to_be_visible()


def test_earlier_lines_come_as_one_scrolls_up(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.long)).page
    lines = page.locator(".qu-log-line")
    expect(lines).to_have_count(200)
    page.get_by_role("log").evaluate("box => box.scrollTop = 0")
    expect(lines).to_have_count(400)
    expect(page.get_by_role("switch", name="Follow")).to_have_attribute("aria-checked", "false")


def test_a_reload_and_a_second_browser_show_the_same(rich_app: RichApp, open_page: OpenPage) -> None:
    first = open_page(rich_app.page_of(rich_app.running)).page
    second = open_page(rich_app.page_of(rich_app.running), width=390).page
    for page in (first, second):
        for _time in range(2):
            expect(page.get_by_text("step 930 of 1,500", exact=False).first).to_be_visible()
            expect(page.get_by_text("Training 1.112")).to_be_visible()
            expect(page.get_by_role("heading", name="Checkpoints")).to_be_visible()
            expect(page.get_by_role("log")).to_contain_text("step 930")
            chart_of(page)
            page.reload()
            page.wait_for_function("window.did_handshake === true")


def test_what_python_said_is_one_click_away(rich_app: RichApp, open_page: OpenPage) -> None:
    page = open_page(rich_app.page_of(rich_app.failed)).page
    expect(page.get_by_text("ValueError: the batch is empty")).to_have_count(0)
    page.get_by_text("Show what Python said").click()
    expect(page.get_by_text("ValueError: the batch is empty")).to_be_visible()


@pytest.mark.parametrize("language", ["en-US", "de"])
@pytest.mark.parametrize("which", ["running", "failed"])
def test_everything_unfolded_is_accessible_and_fits(
    rich_app: RichApp, open_page: OpenPage, which: str, language: str
) -> None:
    page = open_page(rich_app.page_of(getattr(rich_app, which)), language=language).page
    chart_of(page)
    for fold in page.locator("main summary").all():
        fold.click()
    page.get_by_role("radio", name=said(page, "Console"), exact=True).click()
    expect(page.locator(".qu-files").first).to_be_visible()
    expect(page.locator(".qu-console")).to_be_visible()
    found: dict[str, list[str]] = {}
    for width in (360, 720, 3840, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[f"layout, {width} px"] = faults(page)
    if language == "en-US":
        found |= violations_in_every_look(page)
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize("words", ["First and last", "All prompts"])
def test_each_view_of_the_answers_is_accessible_and_fits(rich_app: RichApp, open_page: OpenPage, words: str) -> None:
    page = open_page(rich_app.page_of(rich_app.running)).page
    page.get_by_role("radio", name=words).click()
    expect(page.locator(".qu-beside, .qu-answers").first).to_be_visible()
    found = violations_in_every_look(page)
    page.set_viewport_size({"width": 360, "height": 900})
    settle(page)
    found["layout"] = faults(page)
    assert {where: what for where, what in found.items() if what} == {}
