"""What many tabs on one running job cost the web process.

    python benchmarks/many_tabs.py [--tabs 20] [--seconds 30] [--rate 5]

A run says what a training says, `--rate` steps a second, each with its progress and its five figures. Printed is the
processor time of the web process per second, in per cent of one core: with nobody looking, and with that many tabs of
Chromium on the run's page. Processor time hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from benchmarks.at_work import RunAtWork, run_at_work  # noqa: E402
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

SETTLED_MS = 5_000
OPEN_MS = 120_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tabs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=5, help="logged steps a second")
    options = parser.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as folder,
        run_at_work(Path(folder)) as run,
        RunningServer(Path(folder)) as server,
        chromium() as browser,
        steps_going_on(run, options.rate),
    ):
        process = psutil.Process(server.process.pid)
        print(f"nobody looking: {share(process, browser.new_page(), options.seconds):.1f} % of a core")
        pages = open_tabs(browser, f"{server.url}/activity/{run.paths.id}", options.tabs)
        pages[0].wait_for_timeout(SETTLED_MS)
        first = run.step
        cost = share(process, pages[0], options.seconds)
        rate = (run.step - first) / options.seconds
        print(f"{len(pages)} tabs: {cost:.1f} % of a core at {rate:.1f} steps a second")


def open_tabs(browser: Browser, url: str, tabs: int) -> list[Page]:
    """All in one window, as a person would have them."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    pages = []
    for _ in range(tabs):
        page = context.new_page()
        page.goto(url, timeout=OPEN_MS)
        page.wait_for_function("window.did_handshake === true", timeout=OPEN_MS)
        pages.append(page)
    return pages


def share(process: psutil.Process, page: Page, seconds: float) -> float:
    """Per cent of one core that the process takes over the next seconds."""
    before = process.cpu_times()
    page.wait_for_timeout(1000 * seconds)
    after = process.cpu_times()
    return 100 * (after.user + after.system - before.user - before.system) / seconds


@contextmanager
def steps_going_on(run: RunAtWork, rate: float) -> Iterator[None]:
    """For as long as the block lasts, from a thread."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(1 / rate):
            run.make_step()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
