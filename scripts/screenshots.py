"""Pictures of every page, light and dark, wide and narrow, of the real app with a real starter run at work.

    python scripts/screenshots.py [FOLDER] [--language de] [--contrast]

It takes about five minutes: the pages that show a run are taken while it trains, the others when it is finished. What
lies in docs/screenshots is English without high contrast; other sets need a folder of their own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from tests.e2e.data_states import said, states  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

PAGES = {
    "train": "/train",
    "playground": "/playground",
    "evaluate": "/evaluate",
    "compare": "/evaluate/dashboard",
    "publish": "/publish",
    "activity": "/activity",
    "settings": "/settings",
    "help": "/help",
    "glossary": "/help/glossary",
    "shortcuts": "/help/shortcuts",
    "jobs": "/help/jobs",
    "recovery": "/help/recovery",
    "monitoring": "/help/monitoring",
    "not-found": "/nowhere",
    "palette": "/",
    "bell": "/",
    "user-menu": "/",
    "navigation": "/",
    "row-menu": "/activity",
    "chosen-runs": "/activity",
}
DATA_STATES = {
    "chooser hub": "data-hub",
    "columns to assign": "data-columns",
    "understood": "data-findings",
    "dialog template": "data-template",
    "held out by number": "data-mended",
    "mixed": "data-mixed",
}
"""State of the second step of /train → what its picture is called."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = {"": 1440, "-narrow": 360}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_S = 600


@dataclass(frozen=True)
class Look:
    """How all pictures of one set are taken."""

    folder: Path
    language: str = "en"
    contrast: bool = False


def main() -> None:
    look = _look()
    look.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, RunningServer(Path(home), "--demo") as server, chromium() as browser:
        training = wait_for(server, lambda jobs: next((j for j in jobs if j["progress"] > 0.4), None))
        live = {"dashboard": "/", "run": f"/activity/{training['id']}"}
        take_all(browser, server.url, live, look)
        wait_for(server, lambda jobs: all(job["status"] == "completed" for job in jobs) or None)
        by_kind = {job["kind"]: f"/activity/{job['id']}" for job in jobs_of(server)}
        results = {"score": by_kind["evaluation"], "receipt": by_kind["merge"], "train-longer": by_kind["training"]}
        take_all(browser, server.url, PAGES | results, look)
        take_data(browser, server.url, look)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        with RunningServer(Path(home)) as server:
            take_all(browser, server.url, {"first-day": "/"}, look)
        with RunningServer(Path(home), "--lan") as server:
            take_all(browser, server.url, {"sign-in": "/sign-in"}, look)


def _look() -> Look:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = ROOT / "docs" / "screenshots"
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument("--language", default="en", help="what the browser asks for, such as de or zh_CN")
    parser.add_argument("--contrast", action="store_true", help="in high contrast")
    given = parser.parse_args()
    if given.folder.resolve() == default and (given.contrast or given.language != "en"):
        parser.error(f"Name a folder: {default} holds English without high contrast.")
    return Look(given.folder, given.language, given.contrast)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        sys.exit("No browser was found; install Chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def take_all(browser: Browser, url: str, pages: dict[str, str], look: Look) -> None:
    for suffix, width in WIDTHS.items():
        for scheme in SCHEMES:
            context = _context(browser, look, scheme, width)
            page = context.new_page()
            for name, path in pages.items():
                if name != "navigation" or suffix:  # a wide page has it beside
                    take(page, name, url + path, look, f"{scheme}{suffix}")
            context.close()


def take_data(browser: Browser, url: str, look: Look) -> None:
    """The step of the data, gone through once in each scheme: every state is taken in both widths."""
    for scheme in SCHEMES:
        context = _context(browser, look, scheme, WIDTHS[""])
        page = context.new_page()
        _open(page, f"{url}/train", look)
        with tempfile.TemporaryDirectory() as folder:
            for state in states(page, Path(folder)):
                for suffix, width in WIDTHS.items() if state in DATA_STATES else ():
                    page.set_viewport_size({"width": width, "height": 900})
                    page.wait_for_timeout(500)
                    file = look.folder / f"{DATA_STATES[state]}-{scheme}{suffix}.png"
                    _picture(page, file, full=not state.startswith("dialog"))
                page.set_viewport_size({"width": WIDTHS[""], "height": 900})
        context.close()


def take(page: Page, name: str, url: str, look: Look, ending: str) -> None:
    _open(page, url, look, has_socket=name != "sign-in")
    if opener := _OPENERS.get(name):
        opener(page)
        page.wait_for_timeout(500)
    _picture(page, look.folder / f"{name}-{ending}.png", full=opener is None)


def _context(browser: Browser, look: Look, scheme: Literal["light", "dark"], width: int) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        reduced_motion="reduce",
        locale=look.language.replace("_", "-"),
    )


def _open(page: Page, url: str, look: Look, *, has_socket: bool = True) -> None:
    page.goto(url)
    if has_socket:
        page.wait_for_function("window.did_handshake === true")
    page.wait_for_load_state("networkidle")
    if look.contrast:
        page.evaluate("document.body.classList.add('qu-contrast')")


def _picture(page: Page, file: Path, *, full: bool) -> None:
    page.screenshot(path=file, full_page=full)
    print(file)


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("dialog.qu-palette input").fill("st")


_OPENERS: dict[str, Callable[[Page], None]] = {
    "palette": _open_palette,
    "bell": lambda page: page.locator(".qu-bell > button").click(),
    "user-menu": lambda page: page.locator(".qu-menu > button").click(),
    "navigation": lambda page: page.locator(".qu-menu-button").click(),
    "row-menu": lambda page: page.locator(".qu-runs tbody .qu-menu > button").first.click(),
    "chosen-runs": lambda page: page.locator(".qu-runs tbody input[type=checkbox]").first.check(),
    "train-longer": lambda page: page.get_by_role("button", name=said(page, "Train longer")).click(),
}
"""What is opened on a page before its picture is taken, of the window alone."""


def jobs_of(server: RunningServer) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = httpx.get(f"{server.url}/api/v1/jobs", timeout=30).json()
    return jobs


def wait_for(server: RunningServer, found: Callable[[list[dict[str, Any]]], Any]) -> Any:
    """Ask for the jobs until `found` gives something."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        jobs = jobs_of(server)
        if failed := [job for job in jobs if job["status"] in {"failed", "interrupted"}]:
            sys.exit(f"{failed[0]['name']}: {failed[0]['message']}")
        if (answer := found(jobs)) is not None:
            return answer
        time.sleep(0.2)
    sys.exit("The starter run did not come so far.")


if __name__ == "__main__":
    main()
