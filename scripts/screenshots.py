"""Pictures of every page, light and dark, wide and narrow, of an app in whose home something of every kind happened.

    python scripts/screenshots.py [FOLDER]

The figures in the runs are made up; the pages are the real ones, in the system's Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Literal
from urllib.error import URLError

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from qlora_ui.contract.records import ProcessIdentity  # noqa: E402
from tests.fakes.runs import busy_workspace  # noqa: E402

PAGES = {
    "dashboard": "/",
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


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No browser was found; install Chromium.")
    with tempfile.TemporaryDirectory() as home:
        at_work = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        workspace = busy_workspace(Path(home), ProcessIdentity.of(at_work.pid))
        running = next(path.name for path in workspace.runs.iterdir() if "support-tone" in path.name)
        server, url = start(home)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
                take_all(browser, url, PAGES | {"run": f"/activity/{running}"}, folder)
                browser.close()
        finally:
            server.terminate()
            server.wait(timeout=15)
            at_work.communicate(b"\n")


def take_all(browser: Browser, url: str, pages: dict[str, str], folder: Path) -> None:
    for suffix, width in WIDTHS.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
            )
            page = context.new_page()
            for name, path in pages.items():
                page.goto(url + path)
                page.wait_for_function("window.did_handshake === true")
                page.wait_for_load_state("networkidle")
                file = folder / f"{name}-{scheme}{suffix}.png"
                page.screenshot(path=file, full_page=bool(suffix))
                print(file)
            context.close()


def start(home: str) -> tuple[subprocess.Popen[bytes], str]:
    """The app on a free port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "qlora_ui", "--no-browser", "--port", str(port), "--home", home]
    server = subprocess.Popen(command, env=environment)
    url = f"http://127.0.0.1:{port}"
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
            return server, url
        except (URLError, TimeoutError):
            time.sleep(0.1)
    sys.exit("The app did not start.")


if __name__ == "__main__":
    main()
