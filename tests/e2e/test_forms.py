"""Forms by keyboard alone: where a mistake leads, how help opens and closes, how views are walked through."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer


def to_settings(page: Page) -> None:
    """Choose the starter and its data, and open the settings."""
    page.get_by_label("Starter").first.check()
    expect(page.get_by_text("The small model that comes along.")).to_be_visible()
    page.get_by_role("button", name="Continue to data").click()
    page.get_by_label("Starter data").click()
    expect(page.get_by_role("option").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Continue to settings").click()
    expect(page.get_by_label("Batch size", exact=True)).to_be_visible()


def test_a_mistake_takes_the_focus_and_is_tied_to_its_field(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_settings(page)
    field = page.get_by_label("Batch size", exact=True)
    field.fill("0")
    field.press("Tab")
    error = page.get_by_role("alert").filter(has_text="'0' was given, but it must be a whole number")
    expect(error).to_have_count(1)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("^How many examples.+it must be a whole number"))
    page.get_by_role("button", name="Continue to check").press("Enter")
    expect(field).to_be_focused()
    page.get_by_role("button", name=re.compile("Start$")).press("Enter")
    page.get_by_role("button", name="Continue to check").wait_for(state="hidden")
    page.get_by_role("button", name="Show me where").press("Enter")
    expect(field).to_be_focused()
    field.fill("2")
    field.press("Tab")
    expect(error).to_have_count(0)
    expect(field).to_have_attribute("aria-invalid", "false")


def test_the_sentence_about_a_knob_is_a_keystroke_away(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_settings(page)
    info = page.get_by_role("button", name="About Batch size")
    sentence = page.get_by_text("How many examples are on the device at once")
    info.focus()
    page.keyboard.press("Enter")
    expect(sentence).to_be_visible()
    expect(info).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(sentence).to_be_hidden()
    expect(info).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Batch size", exact=True)).to_be_focused()


def test_the_arrow_keys_go_through_the_views(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    form, yaml = page.get_by_role("radio", name="Form", exact=True), page.get_by_role("radio", name="YAML", exact=True)
    expect(form).to_be_checked()
    form.focus()
    page.keyboard.press("ArrowRight")
    expect(yaml).to_be_focused()
    expect(yaml).to_be_checked()
    expect(page.locator(".cm-content")).to_be_visible()
    expect(form).to_have_attribute("tabindex", "-1")
    page.keyboard.press("ArrowRight")
    expect(form).to_be_checked()


def test_choosing_data_takes_the_focus_along(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    page.get_by_label("Starter").first.check()
    expect(page.get_by_text("The small model that comes along.")).to_be_visible()
    page.get_by_role("button", name="Continue to data").press("Enter")
    page.get_by_label("Starter data").press("Space")
    expect(page.get_by_role("option").first).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Starter data")).to_be_focused()
    page.get_by_role("button", name="Replace").press("Enter")
    expect(page.get_by_label("Drop a data file here")).to_be_visible()
    expect(page.get_by_role("heading", name="Choose other data")).to_be_focused()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_label("Drop a data file here")).to_be_hidden()
    expect(page.get_by_role("heading", name="Starter data")).to_be_focused()


def test_the_focus_goes_to_cancel_while_a_file_travels_and_back(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    page.route("**/api/v1/datasets/**", lambda _route: None)  # it never arrives
    page.get_by_role("button", name=re.compile("Data$")).click()
    files = page.get_by_label("Drop a data file here")
    files.focus()
    files.set_input_files({"name": "rows.jsonl", "mimeType": "text/plain", "buffer": b"{}\n"})
    cancel = page.get_by_role("button", name="Cancel the upload")
    expect(cancel).to_be_focused()
    cancel.press("Enter")
    expect(page.get_by_text("The upload was cancelled")).to_be_visible()
    expect(files).to_be_focused()
