"""A person's own file becomes an adapter: upload, look, train, watch it finish. Everything in it is real."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from qlora_ui.contract.parsing import parse_yaml
from qlora_ui.contract.paths import RunPaths, dataset_location
from tests.e2e.conftest import OpenPage
from tests.e2e.data_states import name_path, to_data, write_odd_csv
from tests.e2e.looking import violations
from tests.fakes.server import RunningServer

ROWS, STEPS = 60, 12
TRAINING_MS = 240_000


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    """The first rows of the starter's data under a name of one's own."""
    lines = dataset_location("starter").read_text(encoding="utf-8").splitlines()[:ROWS]
    path = tmp_path / "support tone.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def upload(page: Page, path: Path) -> None:
    page.get_by_label("Drop a data file here").set_input_files(path)


def test_upload_train_and_watch_it_finish(fresh_app: RunningServer, open_page: OpenPage, data_file: Path) -> None:
    visit = open_page(f"{fresh_app.url}/train")
    page = visit.page
    to_data(page)
    upload(page, data_file)
    expect(page.get_by_text(f"{ROWS} rows")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("option").filter(has_text="<|im_end|>").last).to_have_class(re.compile("trained"))
    page.get_by_role("button", name="Continue to settings").click()
    page.get_by_label("Step limit", exact=True).fill(str(STEPS))
    page.get_by_label("Step limit", exact=True).blur()
    expect(page.get_by_text("Steps", exact=True).locator("+ dd")).to_have_text(str(STEPS))
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/activity/*")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("support tone"))
    expect(page.locator(".qu-badge").first).to_have_text("Finished", timeout=TRAINING_MS)
    expect(page.get_by_text(re.compile(rf"(Fell|Rose) from [\d.]+ to [\d.]+ over {STEPS} steps"))).to_be_visible()
    chart = page.get_by_role("img", name="Loss by step")
    expect(chart).to_have_accessible_description(re.compile(f"over {STEPS} steps"))
    [adapter] = (fresh_app.home / "runs").glob("*/adapter/adapter_config.json")
    assert json.loads(adapter.read_text())["peft_type"] == "LORA"
    page.reload()
    expect(page.get_by_text(re.compile(f"over {STEPS} steps"))).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("Finished.")
    page.get_by_role("link", name="Activity", exact=True).first.click()
    expect(page.get_by_role("table").get_by_text("Finished")).to_be_visible()
    assert visit.complaints == []
    assert visit.strangers == []


def test_a_wrong_file_is_refused_in_words_and_the_right_one_still_works(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path, tmp_path: Path
) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG")
    upload(page, picture)
    expect(page.get_by_role("alert").filter(has_text="cannot be read as training data")).to_be_visible()
    lines = data_file.read_text(encoding="utf-8").splitlines()
    lines[16] = lines[16][:-5]
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join(lines), encoding="utf-8")
    upload(page, broken)
    expect(page.get_by_role("alert").filter(has_text=re.compile(r"line 17|Line 17"))).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Replace").click()
    upload(page, data_file)
    expect(page.get_by_text(f"{ROWS} rows")).to_be_visible(timeout=60_000)


def test_tokens_are_walked_through_with_the_keyboard(fresh_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    page.get_by_label("Starter data").click()
    tokens = page.get_by_role("option")
    tokens.first.focus(timeout=60_000)
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(tokens.last).to_be_focused()
    expect(page.locator(".qu-token-about")).to_contain_text("token")
    page.keyboard.press("Home")
    expect(tokens.first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_is_accessible_and_fits_a_phone(fresh_app: RunningServer, open_page: OpenPage, scheme: str) -> None:
    page = open_page(f"{fresh_app.url}/train", width=360, scheme=scheme).page
    to_data(page)
    page.get_by_label("Starter data").click()
    expect(page.get_by_role("option").first).to_be_visible(timeout=60_000)
    found: dict[str, list[str]] = {}
    for word in ("Model", "Data", "Settings", "Check", "Start"):
        page.get_by_role("button", name=re.compile(rf"^(Done: |\d )?{word}$")).click()
        expect(page.locator(".qu-step-now")).to_contain_text(word)
        if word == "Check":
            expect(page.get_by_text("free on the disk")).to_be_visible()
        found[word] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("radio", name="YAML").click()
    expect(page.locator(".cm-content")).to_have_attribute("aria-label", "Settings as YAML")
    found["YAML"] = violations(page)
    assert {step: names for step, names in found.items() if names} == {}


def test_a_table_of_ones_own_is_assigned_mended_and_trained_as_it_was_shown(
    fresh_app: RunningServer, open_page: OpenPage, tmp_path: Path
) -> None:
    table = tmp_path / "tickets.csv"
    write_odd_csv(table, rows=26)
    before = set((fresh_app.home / "runs").glob("*"))
    page = open_page(f"{fresh_app.url}/train").page
    to_data(page)
    name_path(page, table)
    expect(page.get_by_text("Only a guess")).to_be_visible(timeout=60_000)
    parts = page.locator(".qu-parts")
    parts.get_by_role("combobox", name="Question").click()
    page.get_by_role("option", name="customer wrote", exact=True).click()
    expect(parts.get_by_role("combobox", name="Answer")).to_have_value("we replied")  # the only text that is left
    page.get_by_role("button", name="That is right").click()
    expect(page.get_by_text("Chosen by you")).to_be_visible()
    trained = page.locator(".qu-reading-example .qu-turn.trained")
    expect(trained).to_contain_text("Parcel 7 comes on day 2.")
    page.get_by_role("button", name="Remove duplicates: ").click()
    mends = page.get_by_role("region", name="Mends")
    expect(mends.get_by_role("status")).to_have_text("2 rows are left out now. 24 examples remain.", timeout=60_000)
    page.get_by_role("button", name="Continue to settings").click()
    page.get_by_label("Step limit", exact=True).fill("4")
    page.get_by_label("Step limit", exact=True).blur()
    expect(page.get_by_text("Steps", exact=True).locator("+ dd")).to_have_text("4")
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/activity/*")
    expect(page.locator(".qu-badge").first).to_have_text("Finished", timeout=TRAINING_MS)
    [run] = set((fresh_app.home / "runs").glob("*")) - before
    parameters = parse_yaml(RunPaths(run).parameters.read_text(encoding="utf-8"))
    assert parameters["data_format"] == "question_answer"
    assert parameters["data_mapping"] == {"question": "customer wrote", "answer": "we replied"}
    assert [step["do"] for step in parameters["data_steps"]] == ["remove_duplicates"]
