"""Nothing overlaps, is cut off or sticks out: in long words too, and what looks for it finds it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.looking import faults, settle
from tests.e2e.routes import DOCUMENTS, ROUTES, address
from tests.fakes.server import RunningServer

WIDTHS = (360, 720, 1440, 3840)
TRANSLATED = [name for name in ROUTES if name not in DOCUMENTS]

SHORT = "width:60px; overflow:hidden; white-space:nowrap; text-overflow:ellipsis"
FAULTS = {
    "overlap by": '<p style="margin:0">One text</p><p style="margin:-18px 0 0">Another text</p>',
    "cut off": '<div style="width:60px; overflow:hidden; white-space:nowrap">A text without an end</div>',
    "shortened without a title": f'<div style="{SHORT}">A text without an end</div>',
    "sticks out of": '<button style="width:40px; white-space:nowrap; overflow:visible; padding:0">A long word</button>',
    "sticks out: <button": '<div class="qu-note" style="width:60px"><button style="width:90px">Long</button></div>',
    "too wide": '<div style="width:2000px; background:red">Wide</div>',
    "beyond the window's edge": '<p style="position:absolute; left:-30px">Outside</p>',
}
FINE = (
    '<p>One text</p><p>Another <b>text</b> <a href="/">with a link</a></p>'
    f'<div title="A text without an end" style="{SHORT}">A text without an end</div>'
    '<div style="width:60px; overflow:auto; white-space:nowrap" tabindex="0">Can be scrolled to its end</div>'
    '<span style="position:absolute; width:1px; height:1px; overflow:hidden">For screen readers</span>'
    "<button>A button</button><label>Name <input></label>"
)


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_is_found(busy_app: RunningServer, open_page: OpenPage, kind: str) -> None:
    page = open_page(busy_app.url).page
    page.set_content(FAULTS[kind])
    assert any(kind in fault for fault in faults(page)), faults(page)


def test_what_is_fine_is_not_a_fault(busy_app: RunningServer, open_page: OpenPage) -> None:
    page = open_page(busy_app.url).page
    page.set_content(FINE)
    assert faults(page) == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_long_words_fit_every_window(busy_app: RunningServer, open_page: OpenPage, name: str) -> None:
    """German has the longest ones; English is looked at together with what else each page promises."""
    page = open_page(address(busy_app, name), language="de").page
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.wait_for_load_state("networkidle")
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        found[width] = faults(page)
    assert {width: what for width, what in found.items() if what} == {}
