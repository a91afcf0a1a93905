"""/settings in a real browser: links lead to sections, tabs follow each other, secrets leave no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qlora_ui.contract.paths import Workspace
from tests.e2e.conftest import OpenPage
from tests.fakes.server import RunningServer

TOKEN = "hf_SeenByNobodyAtAll12345678"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """An app of its own, because these tests change the preferences of its one person."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with RunningServer(tmp_path / "home") as running:
        yield running


def test_an_address_leads_to_its_section(app: RunningServer, open_page: OpenPage) -> None:
    visit = open_page(f"{app.url}/settings#storage")
    page = visit.page
    expect(page.get_by_role("heading", name="Storage")).to_be_focused()
    expect(page.get_by_role("heading", name="Storage")).to_be_in_viewport()
    page.get_by_role("link", name="Language", exact=True).click()
    expect(page.get_by_role("heading", name="Language")).to_be_focused()
    expect(page).to_have_url(f"{app.url}/settings#language")
    expect(page.get_by_role("link", name="Language", exact=True)).to_have_attribute("aria-current", "location")
    page.evaluate("emitEvent('sub_pages_navigate', '/activity')")
    expect(page.get_by_role("heading", level=1)).to_have_text("Activity")
    page.evaluate("emitEvent('sub_pages_navigate', '/settings#models')")
    expect(page.get_by_role("heading", name="Models and folders")).to_be_focused()
    assert visit.complaints == []


def test_every_open_tab_follows(app: RunningServer, open_page: OpenPage) -> None:
    one, other = open_page(f"{app.url}/settings").page, open_page(f"{app.url}/settings").page
    one.get_by_role("radio", name="Dark").click()
    expect(other.get_by_role("radio", name="Dark")).to_have_attribute("aria-checked", "true")
    expect(other.locator("body.body--dark")).to_be_visible()
    one.get_by_role("switch", name="High contrast").press("Space")
    expect(other.get_by_role("switch", name="High contrast")).to_have_attribute("aria-checked", "true")
    expect(other.locator("body.qu-contrast")).to_be_visible()
    expect(one.get_by_role("status").filter(has_text="Saved: High contrast")).to_be_visible()


def test_a_language_is_taken_over_where_one_is(app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{app.url}/settings#language").page
    for name, tag, title in (("Deutsch", "de", "Sprache"), ("Wie im Browser", "en-US", "Language")):
        page.locator("#language").get_by_role("combobox").click()
        page.get_by_role("option", name=name).click()
        expect(page.locator("html")).to_have_attribute("lang", tag)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_focused()


def test_a_token_leaves_no_trace(app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{app.url}/settings").page
    sent: list[str] = []
    page.on("response", lambda response: sent.append(response.text()) if "settings" in response.url else None)
    field = page.get_by_role("textbox", name="Token")
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.get_by_text("It ends in …5678.")).to_be_visible()
    assert TOKEN not in page.content()
    page.reload()
    expect(page.get_by_text("It ends in …5678.")).to_be_visible()
    assert sent
    assert not any(TOKEN in text for text in sent)
    workspace = Workspace(app.home)
    assert workspace.hub_token.read_text() == TOKEN + "\n"
    assert workspace.hub_token.stat().st_mode & 0o777 == 0o600
    app.stop()
    assert TOKEN not in app.output
    files = [file for file in app.home.rglob("*") if file.is_file() and file != workspace.hub_token]
    assert not any(TOKEN.encode() in file.read_bytes() for file in files)


def test_settings_go_out_and_come_back(app: RunningServer, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(f"{app.url}/settings").page
    with page.expect_download() as started:
        page.get_by_role("button", name="Export", exact=True).click()
    assert started.value.suggested_filename == "qlora-ui-settings.json"
    settings = json.loads(Path(started.value.path()).read_text())
    settings["preferences"]["accessibility"]["screen_reader"] = True
    take_in(page, tmp_path, json.dumps(settings))
    page.get_by_role("button", name="Take these settings").click()
    expect(page.get_by_role("switch", name="Screen-reader mode")).to_have_attribute("aria-checked", "true")
    take_in(page, tmp_path, " " * 70_000)
    expect(page.get_by_role("alert").filter(has_text="larger than 64 KB")).to_be_visible()


def test_a_question_gives_the_focus_back(app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{app.url}/settings").page
    field = page.get_by_role("textbox", name="Token")
    field.fill(TOKEN)
    field.press("Enter")
    remove = page.get_by_role("button", name="Remove: Hub token")
    remove.press("Enter")
    expect(page.get_by_role("dialog", name="Remove it?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(remove).to_be_focused()


def take_in(page: Page, folder: Path, content: str) -> None:
    file = folder / "mine.json"
    file.write_text(content)
    page.locator("#transfer input[type=file]").set_input_files(file)
