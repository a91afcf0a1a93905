"""How long it takes from a line in a worker's `events.jsonl` until the browser shows it.

    python benchmarks/event_latency.py [--events 50]

Opens the page of a running job in Chromium, writes events as a worker does, one after the other with a random pause in
between, and notes when the page first shows each: a line of the log, and the sentence that says what the run does.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from benchmarks.at_work import run_at_work  # noqa: E402
from qlora_ui.contract.events import Event, Log, Phase  # noqa: E402
from qlora_ui.worker.report import Report  # noqa: E402
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

SHOWN_WITHIN_MS = 20_000
WATCH = """
([mark, isInLog]) => {
  const log = document.querySelector("[role=log]");
  const shows = () => {
    const inLog = log.textContent;
    return (isInLog ? inLog : document.body.textContent.replace(inLog, "")).includes(mark);
  };
  window.shown = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!shows()) return;
      observer.disconnect();
      resolve(performance.timeOrigin + performance.now());
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
}
"""
IN_LOG = "a line of the log"
KINDS: dict[str, Callable[[str], Event]] = {
    IN_LOG: lambda mark: Log(message=mark),
    "what it does now": lambda mark: Phase(name="training", message=mark),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50, help="of each kind")
    options = parser.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as folder,
        run_at_work(Path(folder)) as run,
        RunningServer(Path(folder)) as server,
        chromium() as browser,
    ):
        page = browser.new_context(viewport={"width": 1440, "height": 1200}).new_page()
        page.goto(f"{server.url}/activity/{run.paths.id}")
        page.get_by_role("log").wait_for()
        for name in KINDS:
            delays = [show(page, run.report, name, number) for number in range(options.events + 1)][1:]
            slowest = max(delays)
            print(f"{name:<20} median {statistics.median(delays):.2f} s, longest of {len(delays)}: {slowest:.2f} s")


def show(page: Page, report: Report, name: str, number: int) -> float:
    """Seconds from the moment before the event is written until the page shows it."""
    mark = f"{name}, number {number}."
    page.evaluate(WATCH, [mark, name == IN_LOG])
    page.wait_for_timeout(random.uniform(100, 600))
    written = time.time()
    report(KINDS[name](mark))
    page.wait_for_function("window.shown.then(() => true)", timeout=SHOWN_WITHIN_MS)
    shown: float = page.evaluate("window.shown")
    return shown / 1000 - written


if __name__ == "__main__":
    main()
