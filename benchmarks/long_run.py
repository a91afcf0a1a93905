"""How soon a run with 100,000 steps opens: its events are read, kept, and read again; its page is opened in Chromium.

    python benchmarks/long_run.py [--points 100000] [--visits 5]

The page is opened from /activity, from the click on the run until its log can be seen, and until its chart can be, in
whose place it says until then that it reads: without anything kept of its history, then with it.
"""

from __future__ import annotations

import argparse
import os
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
from benchmarks.big_homes import long_run, many_runs  # noqa: E402
from qlora_ui.contract.paths import RunPaths, Workspace  # noqa: E402
from qlora_ui.jobs.history.history_cache import forget_history, read_history  # noqa: E402
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

POINTS_SHOWN = 2_000
OPEN = """
(path) => new Promise((resolve) => {
  const begin = performance.now();
  let opened = null;
  const look = () => {
    const chart = document.querySelector("main .qu-chart-picture > *");
    const log = document.querySelector('main [role="log"] > *');
    if (log?.checkVisibility()) opened ??= performance.now() - begin;
    if (chart?.checkVisibility() && opened !== null) resolve([opened, performance.now() - begin]);
    else requestAnimationFrame(look);
  };
  document.querySelector(`main a[href="${path}"]`).click();
  requestAnimationFrame(look);
})
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--visits", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = many_runs(Path(folder), 3)
        paths = long_run(workspace, options.points)
        size = paths.events.stat().st_size / 1e6
        print(f"{options.points:,} steps, {size:.0f} MB of events; load average {os.getloadavg()[0]:.1f}")
        _measure_reading(paths, options.visits)
        _measure_page(workspace, paths, options.visits)


def _measure_reading(paths: RunPaths, times: int) -> None:
    def read_anew() -> None:
        forget_history(paths)
        read_history(paths)

    _time("read from its events, and kept", read_anew, times)
    _time("read from what was kept", lambda: read_history(paths), times)
    curves = read_history(paths).history.curves

    def thin_anew() -> None:
        curves.add("loss", 1, 3.0)  # any change makes it forget what it thinned
        curves.thinned("loss", POINTS_SHOWN)

    _time(f"a curve thinned to {POINTS_SHOWN:,} points", thin_anew, times)


def _time(what: str, work: Callable[[], object], times: int) -> None:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begin) * 1000)
    _say(what, taken)


def _measure_page(workspace: Workspace, paths: RunPaths, visits: int) -> None:
    with RunningServer(workspace.home) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 2400})
        page.goto(f"{server.url}/activity")
        page.wait_for_function("window.did_handshake === true")
        _open(page, next(run.name for run in workspace.runs.iterdir() if run != paths.folder))  # brings the scripts
        page.goto(f"{server.url}/activity")
        page.wait_for_function("window.did_handshake === true")
        forget_history(paths)
        _say_visits("its page, nothing kept", [_open(page, paths.id)])
        _say_visits("its page", [_open(page, paths.id) for _ in range(visits)])


def _say_visits(what: str, taken: list[tuple[float, float]]) -> None:
    opened, drawn = zip(*taken, strict=True)
    _say(what, list(opened))
    _say(f"{what}, its chart", list(drawn))


def _open(page: Page, run_id: str) -> tuple[float, float]:
    """After how many milliseconds the page was there, and its chart."""
    page.click('nav a[href="/activity"]')
    page.wait_for_selector(f'main a[href="/activity/{run_id}"]')
    page.wait_for_load_state("networkidle")
    opened, drawn = page.evaluate(OPEN, f"/activity/{run_id}")
    page.wait_for_load_state("networkidle")
    return opened, drawn


def _say(what: str, taken: list[float]) -> None:
    print(f"{what:<38}{statistics.median(taken):>8.0f} ms, longest of {len(taken)} {max(taken):.0f} ms")


if __name__ == "__main__":
    main()
