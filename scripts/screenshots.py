"""Pictures of every page, light and dark, wide and narrow, of the real app with a real starter run at work.

    python scripts/screenshots.py [FOLDER]

It takes about three minutes: the pages that show a run are taken while it trains, the others when it is finished.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.fakes.server import RunningServer  # noqa: E402

PAGES = {
    "train": "/train",
    "playground": "/playground",
    "evaluate": "/evaluate",
    "compare": "/evaluate/dashboard",
    "publish": "/publish",
    "activity": "/activity",
    "settings": "/settings",
}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = {"": 1440, "-narrow": 360}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PATIENCE_S = 600


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, RunningServer(Path(home), "--demo") as server, chromium() as browser:
        training = wait_for(server, lambda jobs: next((j for j in jobs if j["progress"] > 0.4), None))
        live = {"dashboard": "/", "run": f"/activity/{training['id']}"}
        take_all(browser, server.url, live, folder)
        wait_for(server, lambda jobs: all(job["status"] == "completed" for job in jobs) or None)
        by_kind = {job["kind"]: f"/activity/{job['id']}" for job in jobs_of(server)}
        results = {"score": by_kind["evaluation"], "receipt": by_kind["merge"]}
        take_all(browser, server.url, PAGES | results, folder)


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


def take_all(browser: Browser, url: str, pages: dict[str, str], folder: Path) -> None:
    for suffix, width in WIDTHS.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
            )
            page = context.new_page()
            for name, path in pages.items():
                take(page, url + path, folder / f"{name}-{scheme}{suffix}.png")
            context.close()


def take(page: Page, url: str, file: Path) -> None:
    page.goto(url)
    page.wait_for_function("window.did_handshake === true")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file, full_page=True)
    print(file)


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
