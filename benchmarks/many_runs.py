"""What thousands of past runs cost: the start, /activity, and the server at rest.

    python benchmarks/many_runs.py [--runs 2000] [--visits 10] [--home FOLDER]

Makes a home folder of past runs (or takes the one that is given) and starts `qlora-ui --no-browser` on it. The start
ends when the HTTP interface knows all runs. /activity is opened in Chromium from another page, from the click on its
link until its heading has the focus and a run can be seen, and by a visit of its own, with the browser's cache warm,
until its first paint.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from benchmarks.big_homes import many_runs  # noqa: E402
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

REST_S = 10.0
OPEN = """
(path) => new Promise((resolve) => {
  const before = document.querySelector("main h1");
  const begin = performance.now();
  const look = () => {
    const heading = document.querySelector("main h1");
    const isThere = heading && heading !== before && heading === document.activeElement;
    const run = document.querySelector('main a[href^="/activity/"]');
    if (isThere && run?.checkVisibility()) resolve(performance.now() - begin);
    else requestAnimationFrame(look);
  };
  document.querySelector(`nav a[href="${path}"]`).click();
  requestAnimationFrame(look);
})
"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--visits", type=int, default=10)
    parser.add_argument("--home", type=Path, help="a home folder that is there already")
    options = parser.parse_args()
    with _home(options.home, options.runs) as home:
        count = sum(1 for _ in (home / "runs").iterdir())
        print(f"{count} runs; load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        begin = time.perf_counter()
        with RunningServer(home) as server:
            first_page = time.perf_counter() - begin
            _wait_for_runs(server.url, count)
            all_known = time.perf_counter() - begin
            print(f"the server answers after {first_page:.2f} s and knows all runs after {all_known:.2f} s")
            _measure_pages(server.url, options.visits)
            _measure_rest(psutil.Process(server.process.pid))


@contextmanager
def _home(given: Path | None, runs: int) -> Iterator[Path]:
    if given is not None:
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield many_runs(Path(folder), runs).home


def _wait_for_runs(url: str, count: int) -> None:
    while True:
        with urllib.request.urlopen(f"{url}/api/v1/jobs?limit=1", timeout=60) as answer:
            if int(answer.headers["X-Total-Count"]) >= count:
                return
        time.sleep(0.02)


def _measure_pages(url: str, visits: int) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.wait_for_function("window.did_handshake === true")
        _open(page, "/activity")  # once, so that the browser knows its scripts
        changes = []
        for _ in range(visits):
            page.click('nav a[href="/settings"]')
            page.wait_for_load_state("networkidle")
            changes.append(_open(page, "/activity"))
        answers, paints = [], []
        for _ in range(visits):
            answers.append(_answer_ms(f"{url}/activity"))
            page.goto(f"{url}/activity")
            paints.append(float(page.wait_for_function(FIRST_PAINT).json_value()))
    for name, times in (("from another page", changes), ("first answer", answers), ("first paint of a visit", paints)):
        print(
            f"/activity, {name}: median of {len(times)} {statistics.median(times):.0f} ms, longest {max(times):.0f} ms"
        )


def _open(page: Page, path: str) -> float:
    milliseconds: float = page.evaluate(OPEN, path)
    page.wait_for_load_state("networkidle")
    return milliseconds


def _answer_ms(url: str) -> float:
    begin = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        answer.read()
    return (time.perf_counter() - begin) * 1000


def _measure_rest(server: psutil.Process) -> None:
    """With no page open, after the pages have gone."""
    time.sleep(REST_S)
    before = sum(server.cpu_times()[:2])
    time.sleep(REST_S)
    share = (sum(server.cpu_times()[:2]) - before) / REST_S
    print(f"at rest: {share:.1%} of a core, {server.memory_info().rss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
