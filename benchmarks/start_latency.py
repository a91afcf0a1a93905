"""How long a person waits from the click on Start until the starter model has made its first step of training.

    python benchmarks/start_latency.py [--runs 5]

Fills in /train in Chromium with the starter model and its data and clicks "Start now", first with a worker that waits,
which is the app's own setting, then without one (`--no-standby`). The clock starts at the browser's click event; the
step has been made when the worker writes so into `events.jsonl`. Before that step it answers the sample prompts and
evaluates the untrained model. Medians are printed, with the time at which each stretch of the work began.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from qlora_ui.contract.events import Event, Phase, Progress, Started, parse_event  # noqa: E402
from qlora_ui.contract.paths import RunPaths, Workspace  # noqa: E402
from scripts.screenshots import chromium  # noqa: E402
from tests.e2e.data_states import all_read, to_data  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

READY_MS = 120_000
STEPS = "3"
NOTE_CLICKS = "addEventListener('click', () => { window.clicked = performance.timeOrigin + performance.now(); }, true)"
FIRST_STEP = "first step"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    expect.set_options(timeout=READY_MS)
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for standby in (True, False):
            with RunningServer(Path(folder) / f"home-{standby}", standby=standby) as server:
                report(standby, [start_run(browser, server, standby) for _ in range(options.runs + 1)][1:])


def start_run(browser: Browser, server: RunningServer, standby: bool) -> dict[str, float]:
    """Stretch of the work → seconds from the click until it began; the first run of a home prepares the data too."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(READY_MS)
    if standby:
        wait_until_ready(page, server)
    page.add_init_script(NOTE_CLICKS)
    fill_in(page, server)
    page.get_by_role("button", name="Start now").click()
    page.wait_for_url("**/activity/*")
    clicked = page.evaluate("window.clicked") / 1000
    expect(page.locator(".qu-badge").first).to_have_text("Finished", timeout=READY_MS)
    paths = Workspace(server.home).run(page.url.rpartition("/")[2])
    context.close()
    return {name: moment - clicked for name, moment in moments(paths).items()}


def wait_until_ready(page: Page, server: RunningServer) -> None:
    page.goto(f"{server.url}/settings")
    page.get_by_text("It waits: the next run starts at once.").wait_for(timeout=READY_MS)


def fill_in(page: Page, server: RunningServer) -> None:
    page.goto(f"{server.url}/train")
    page.wait_for_function("window.did_handshake === true")
    to_data(page)
    page.get_by_label("Starter data").first.check()
    all_read(page)
    page.get_by_role("button", name="Continue to settings").click()
    page.get_by_label("Step limit", exact=True).fill(STEPS)
    page.get_by_label("Step limit", exact=True).blur()
    expect(page.get_by_text("Steps", exact=True).locator("+ dd")).to_have_text(re.compile(STEPS))


def moments(paths: RunPaths) -> dict[str, float]:
    """When each stretch of the work began, up to the first step, in seconds since 1970."""
    found: dict[str, float] = {}
    for event in map(parse_event, paths.events.read_bytes().splitlines()):
        if isinstance(event, Progress):
            return found | {FIRST_STEP: event.time.timestamp()}
        if name := stretch(event):
            found.setdefault(name, event.time.timestamp())
    raise ValueError(f"{paths.events} tells of no step")


def stretch(event: Event) -> str:
    if isinstance(event, Started):
        return "worker"
    return event.name if isinstance(event, Phase) else ""


def report(standby: bool, runs: list[dict[str, float]]) -> None:
    print(f"\n{'standby worker' if standby else 'new worker'}, {len(runs)} runs, seconds after the click")
    for name in runs[0]:
        times = [run[name] for run in runs if name in run]
        print(f"{name:<12}{statistics.median(times):>7.2f}   ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
