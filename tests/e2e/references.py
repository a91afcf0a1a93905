"""Pictures to compare with: a few pages in a fixed state, and which browser took them.

    python tests/e2e/references.py

It writes tests/e2e/references/. To be run after every change of the looks that is meant.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from scripts.screenshots import chromium
from tests.e2e.looking import HERE, settle
from tests.fakes.runs import GONE, busy_workspace
from tests.fakes.server import RunningServer

FOLDER = HERE / "references"
VERSION = FOLDER / "browser.json"
PAGES = {"dashboard": "/", "train": "/train", "settings": "/settings"}
WIDTHS = (1440, 360)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

CHANGING = (
    *("time", "canvas", ".qu-meter", ".qu-connection", ".qu-stats", "h1", ".qu-page-header p", ".qu-avatar"),
    *(".qu-menu", "code", "#storage", "#about", "#models", "table", ".qu-running"),
)
"""Times, sizes, and names of this machine: painted over."""


@dataclass(frozen=True)
class Scene:
    name: str
    width: int
    scheme: Literal["light", "dark"]

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}-{self.scheme}-{self.width}.png"


SCENES = [Scene(name, width, scheme) for name in PAGES for width in WIDTHS for scheme in SCHEMES]


@contextmanager
def photographed_app() -> Iterator[RunningServer]:
    """An app with the same past at every start, in which nothing is at work."""
    with tempfile.TemporaryDirectory() as home:
        busy_workspace(Path(home), GONE)
        with RunningServer(Path(home)) as server:
            yield server


def picture(browser: Browser, app: RunningServer, scene: Scene) -> bytes:
    """The window's content as PNG, with what changes from day to day painted over."""
    context = browser.new_context(
        viewport={"width": scene.width, "height": 900},
        color_scheme=scene.scheme,
        reduced_motion="reduce",
        locale="en-US",
        timezone_id="UTC",
    )
    try:
        page: Page = context.new_page()
        page.goto(app.url + PAGES[scene.name])
        page.wait_for_function("window.did_handshake === true")
        page.wait_for_load_state("networkidle")
        settle(page)
        masked = [page.locator(selector) for selector in CHANGING]
        return page.screenshot(mask=masked, mask_color="#808080", animations="disabled", caret="hide")
    finally:
        context.close()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser, photographed_app() as app:
        for scene in SCENES:
            scene.file.write_bytes(picture(browser, app, scene))
            print(scene.file)
        VERSION.write_text(json.dumps({"chromium": browser.version}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
