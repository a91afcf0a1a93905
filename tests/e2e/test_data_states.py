"""The step of the data in each of its states: accessible in every look, whole in every window, reached by keyboard."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import OpenPage
from tests.e2e.data_states import states
from tests.e2e.looking import OPENED, faults, settle, violations, violations_in_every_look
from tests.e2e.test_keyboard import walk
from tests.fakes.server import RunningServer

WIDTHS = (360, 720, 3840, 1440)
IN_EVERY_LOOK = ("chooser hub", "columns to assign", "mended, everything open", "dialog template with a mistake")
"""The states that show every kind of element between them; the others are looked at in one look."""
WALKED = ("chooser file, folder or text", "columns to assign", "held out by number")


def test_every_state_is_accessible_fits_every_window_and_is_reached_by_keyboard(
    fresh_app: RunningServer, open_page: OpenPage, tmp_path: Path
) -> None:
    """In German, which has the longest words."""
    visit = open_page(f"{fresh_app.url}/train", language="de")
    page = visit.page
    found: dict[str, object] = {}
    for state in states(page, tmp_path):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            found[f"{state}, {width} px"] = faults(page)
        if state in IN_EVERY_LOOK:
            found[state] = violations_in_every_look(page, within=OPENED if state.startswith("dialog") else "")
        else:
            found[state] = violations(page)
        if state in WALKED:
            found[f"{state}, by keyboard"] = walk(page)
    assert {state: what for state, what in found.items() if what} == {}
    assert visit.complaints == []
    assert visit.strangers == []
