"""Findings, mends, single rows and the chat template on the step of the data, with real data in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.data_states import to_data
from tests.e2e.looking import faults, violations_in_every_look
from tests.fakes.server import RunningServer

READ_MS = 60_000
ODD = (
    ("مرحبا كيف حالك؟", "أنا بخير، شكرا لك!"),
    ("Emoji", "👩\N{ZERO WIDTH JOINER}👧 family 🎉"),
    ("White", "\n\n\t    \N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE} x"),
    ("Long", "a" * 90 + " https://example.org/" + "x" * 300),
    ("Markup", "<script>alert(1)</script> & <b>bold</b>"),
)


@pytest.fixture
def data_file(tmp_path: Path) -> Path:
    """Short rows, two of them twice; then one with an e-mail address, and five that are hard to draw."""
    rows = [{"question": f"What is {n} plus {n * n}?", "answer": f"It is {n + n * n}."} for n in range(30)]
    rows += rows[:2]
    rows += [{"question": "Whom do I write to?", "answer": "To jane.doe@nordkraft.de."}]
    rows += [{"question": question, "answer": answer} for question, answer in ODD]
    path = tmp_path / "odd.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def open_data(page: Page, path: Path) -> None:
    """Name the file, and wait until all rows were gone through."""
    to_data(page)
    page.get_by_text("Path on this machine").click()
    page.get_by_role("textbox", name="Path").fill(str(path))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Row 1 of 38")).to_be_visible(timeout=READ_MS)


def row_card(page: Page) -> Locator:
    return page.locator("section", has=page.get_by_role("radiogroup", name="Show the row as"))


def go_to_row(page: Page, number: int) -> None:
    page.get_by_role("textbox", name="Go to row").fill(str(number))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Row {number} of 38")).to_be_visible()


def test_a_mend_is_chosen_and_taken_back_with_the_keyboard(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    open_data(page, data_file)
    page.get_by_role("button", name="Remove duplicates: ").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Mends")
    expect(page.get_by_role("status").filter(has_text="2 rows are left out now. 36 examples remain.")).to_have_count(1)
    expect(heading).to_be_focused()
    expect(page.get_by_role("button", name="Remove duplicates")).to_have_count(1)  # only the one that takes it back
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Take back: Remove duplicates")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="38 examples remain.")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove duplicates: ")).to_be_visible()
    expect(heading).to_be_focused()


def test_a_finding_takes_the_focus_to_its_rows_and_a_row_is_left_out_there(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    open_data(page, data_file)
    page.get_by_role("button", name="See them: These rows are equal").press("Enter")
    expect(page.get_by_role("heading", name="Row 31 of 38")).to_be_focused()
    expect(page.get_by_role("heading", name="Row 31 of 38")).to_be_in_viewport()
    on = page.get_by_role("button", name="Next row")
    on.press("Enter")
    expect(page.get_by_role("heading", name="Row 32 of 38")).to_be_visible()
    expect(on).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="Row 32 of 38 2 of 2")).to_have_count(1)
    page.get_by_role("button", name="Leave this row out").press("Enter")
    back = page.get_by_role("button", name="Take it in again")
    expect(back).to_be_focused()
    expect(row_card(page).get_by_text("This row is left out.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Leave this row out")).to_be_focused()
    expect(page.get_by_role("option").first).to_be_visible()


def test_tokens_are_marked_without_colour_and_told_about(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    open_data(page, data_file)
    tokens = page.get_by_role("option")
    ends = tokens.filter(has_text="<|im_end|>")
    read, trained = tokens.filter(has_text="What").first, tokens.filter(has_text="It").last
    assert [_edges(token) for token in (read, trained)] == [("0px", "0px", "solid"), ("0px", "2px", "solid")]
    assert [_edges(ends.nth(place)) for place in (0, 1)] == [("1px", "1px", "dashed"), ("1px", "2px", "solid")]
    about = page.locator(".qu-token-about")
    ends.nth(1).hover()
    expect(about).to_have_text(re.compile(r"“<\|im_end\|>”, special token (\d+), trained, its label is \1"))
    expect(ends.nth(0)).to_have_accessible_name(re.compile(r"special token \d+, read, not trained \(label −100\)"))
    page.get_by_role("heading", name="Row 1 of 38").hover()
    expect(about).to_have_text(re.compile("Point at a token"))
    go_to_row(page, 35 + 1)  # white space
    page.get_by_role("option").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    expect(page.get_by_role("option").last).to_be_focused()
    assert page.get_by_role("listbox", name="Tokens of row 36").locator("[tabindex='0']").count() == 1


def _edges(token: Locator) -> tuple[str, ...]:
    """The width of the edge above, that of the one below, and how they are drawn."""
    names = ("borderTopWidth", "borderBottomWidth", "borderTopStyle")
    return tuple(token.evaluate("(element, name) => getComputedStyle(element)[name]", name) for name in names)


def test_every_view_of_odd_rows_fits_a_phone_and_is_accessible(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    visit = open_page(f"{fresh_app.url}/train", width=360)
    page = visit.page
    open_data(page, data_file)
    page.get_by_role("button", name="Mask them: ").click()
    expect(page.get_by_role("heading", name="Mends")).to_be_visible()
    expect(page.get_by_role("heading", name="Row 1 of 38")).to_be_visible()
    page.get_by_text("As a table").click()
    for number in range(34, 39):
        go_to_row(page, number)
        for view in ("Original", "Conversation", "Rendered", "Tokens"):
            page.get_by_role("radio", name=view).click()
            expect(page.get_by_role("radio", name=view)).to_be_checked()
            assert faults(page) == [], f"row {number}, {view}"
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations_in_every_look(page) == {}
    assert visit.complaints == []


def test_a_template_is_edited_with_its_mistakes_in_sight(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    visit = open_page(f"{fresh_app.url}/train")
    page = visit.page
    open_data(page, data_file)
    opener = page.get_by_role("button", name="Edit", exact=True)
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name="Edit the chat template")
    editor = dialog.get_by_role("textbox", name="Chat template")
    expect(dialog.get_by_role("region", name="Row 1 as the template writes it")).to_contain_text("<|im_start|>user")
    expect(editor).to_be_visible()  # CodeMirror comes in by itself, and gets its name then
    assert violations_in_every_look(page, within=".q-dialog") == {}
    editor.focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("{% if %}")
    expect(dialog.get_by_role("alert").filter(has_text="a mistake in line 2")).to_be_visible()
    expect(dialog.locator(".cm-line.qu-line-wrong")).to_have_text(re.compile(r"^\{% if %\}"))
    expect(dialog.get_by_role("button", name="Use this template")).to_be_disabled()
    dialog.get_by_role("button", name="Go to line 2").click()
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    question = page.get_by_role("dialog", name="Throw your changes away?")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Back to the model's own").click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.locator(".qu-line-wrong")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    assert visit.complaints == []


def test_a_template_whose_markers_are_no_tokens_is_warned_of(
    fresh_app: RunningServer, open_page: OpenPage, data_file: Path
) -> None:
    page = open_page(f"{fresh_app.url}/train").page
    open_data(page, data_file)
    page.get_by_role("combobox", name="Turns become text by").click()
    page.get_by_role("option", name="Zephyr").click()
    card = page.locator("section", has=page.get_by_role("combobox", name="Turns become text by"))
    expect(card.get_by_text("are no tokens of this model and are cut into pieces")).to_be_visible()
    expect(card.get_by_text("The chat template Zephyr was chosen.")).to_be_visible()
