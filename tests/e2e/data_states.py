"""The step of the data in each of its states, in any language: for tests that look at them, and for pictures."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, expect

from qlora_ui.locales import best_of, load

READ_MS = 60_000
WAYS = ("File, folder or text", "Path on this machine", "Hub")
ODD_COLUMNS = ("ticket", "customer wrote", "we replied", "language")
"""What no format is called by."""


def said(page: Page, text: str, context: str | None = None) -> str:
    """An English text of the app as this page says it."""
    spoken = page.locator("html").get_attribute("lang") or ""
    return load(best_of(spoken)).text(text, context)


def to_data(page: Page) -> None:
    """Choose the starter model and open the next step."""
    page.get_by_label(said(page, "Starter")).first.check()
    expect(page.get_by_text(said(page, "The small model that comes along."))).to_be_visible()
    page.get_by_role("button", name=said(page, "Continue to data")).click()


def name_path(page: Page, path: Path) -> None:
    """Choose data by their path on the server, and wait until they are chosen; the ways to data are open."""
    page.get_by_role("radio", name=said(page, "Path on this machine")).click()
    page.get_by_role("textbox", name=said(page, "Path"), exact=True).fill(str(path))
    page.keyboard.press("Enter")
    expect(page.locator(".qu-source").filter(has_text=path.name)).to_be_visible()


def all_read(page: Page) -> None:
    """Wait until all rows were gone through."""
    expect(page.locator(".qu-figures-row")).to_be_visible(timeout=READ_MS)


def write_odd_csv(path: Path, rows: int = 24) -> None:
    """A table whose columns have to be assigned; two of its rows stand in it twice."""
    replies = [
        (n, f"Where is parcel {n * 7}, please?", f"Parcel {n * 7} comes on day {n % 28 + 1}.", "en")
        for n in range(1, rows - 1)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([ODD_COLUMNS, *replies, replies[0], replies[1]])


def write_faulty_rows(path: Path) -> None:
    """Rows of which more is to be said than fits at once: copies, secrets, damage, white space, length."""
    rows = [{"question": f"What is {n} plus {n * n}?", "answer": f"It is {n + n * n}."} for n in range(60)]
    rows += rows[:3]
    rows += [
        {"question": "Whom do I write to?", "answer": "To jane.doe@nordkraft.de, with the key sk-" + "a1B2" * 12 + "."},
        {"question": "And where is the office?", "answer": "In the StraÃŸe am MÃ¼hlenbach, 3rd floor."},
        {"question": "   What about white space?  \n\n", "answer": "\n\n\nThere is some.   "},
        {"question": "Say nothing at all.", "answer": ""},
        {"question": "Tell me a long story.", "answer": "And then it went on and on. " * 400},
        {"question": "What is the longest word?", "answer": "Rindfleischetikettierungsüberwachungsaufgaben" * 6},
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def states(page: Page, folder: Path) -> Iterator[str]:
    """Go through the states of the step, and give the name of each while the page is in it.

    It begins on `/train` and writes its data into `folder`. Names that begin with `dialog` lie over the page.
    """
    faulty, odd = folder / "support-answers-of-the-last-quarter.jsonl", folder / "tickets.csv"
    write_faulty_rows(faulty)
    write_odd_csv(odd)
    to_data(page)
    yield from _ways_to_data(page)
    name_path(page, odd)
    expect(page.locator(".qu-reading-example")).to_be_visible(timeout=READ_MS)
    all_read(page)
    yield "columns to assign"
    page.get_by_role("button", name=said(page, "Replace")).click()
    name_path(page, faulty)
    all_read(page)
    yield "understood"
    yield from _with_mends(page)
    yield from _template(page)
    yield from _held_out(page)
    page.get_by_role("button", name=said(page, "Add more data")).click()
    name_path(page, odd)
    expect(page.locator(".qu-sources > li")).to_have_count(2)
    all_read(page)
    yield "mixed"


def _ways_to_data(page: Page) -> Iterator[str]:
    for way in WAYS:
        page.get_by_role("radio", name=said(page, way)).click()
        yield f"chooser {way.lower()}"
    page.get_by_role("radio", name=said(page, WAYS[0])).click()
    page.get_by_role("button", name=said(page, "Paste text")).click()
    expect(page.locator(".qu-drop-paste textarea")).to_be_focused()
    yield "chooser pasted text"
    page.keyboard.press("Escape")


def _with_mends(page: Page) -> Iterator[str]:
    """Every mend that is offered, and everything that can be unfolded."""
    card = page.locator("section", has=page.locator(".qu-mends"))
    page.get_by_role("button", name=re.compile("^" + re.escape(said(page, "Remove duplicates")))).first.click()
    expect(card).to_be_visible()
    all_read(page)
    for fold in page.locator("details.qu-more:visible").all():
        fold.evaluate("element => element.open = true")
    yield "mended, everything open"


def _template(page: Page) -> Iterator[str]:
    page.get_by_role("button", name=said(page, "Edit", "a template"), exact=True).click()
    dialog = page.locator(".qu-dialog-wide")
    expect(dialog.locator(".cm-content")).to_be_visible()
    expect(dialog.locator(".qu-row-room .qu-pre")).to_be_visible(timeout=READ_MS)
    yield "dialog template"
    dialog.locator(".cm-content").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.type("{% if %}")
    expect(dialog.get_by_role("alert")).to_be_visible()
    yield "dialog template with a mistake"
    dialog.get_by_role("button", name=said(page, "Back to the model's own")).click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def _held_out(page: Page) -> Iterator[str]:
    """A number of them, and a file that is not named yet."""
    card = page.locator("section", has=page.get_by_role("radiogroup", name=said(page, "How rows are held out")))
    card.get_by_role("radio", name=said(page, "A number"), exact=True).click()
    expect(card.locator("input:visible").first).to_have_value(re.compile(r"^\d+$"))
    all_read(page)
    yield "held out by number"
    card.get_by_role("radio", name=said(page, "A file"), exact=True).click()
    expect(card.get_by_text(said(page, "This holds as soon as it is filled in."))).to_be_visible()
    yield "held out by a file"
