"""How heavy the first page is, how soon it can be used, and how long going to another page takes, in Chromium.

    python benchmarks/page_load.py [--runs 5] [--rival-url http://127.0.0.1:7860] [--json FILE]

Starts `qlora-ui --no-browser` with an empty home folder. A first page is opened in a browser profile of its own with
the cache off; it is usable once its heading and a control of the page can be seen and its socket has connected.
A route change lasts from the click on a link of the side bar until the other page's heading has the focus.

`--rival-url` measures a running LLaMA Board in turn with it: usable once the controls of its first tab can be seen and
its fields, all called "Dropdown" or "Textbox" at first, have their names. To start one, `pip install llamafactory` into
an environment of its own and run `llamafactory-cli webui`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

PAGES = ("/", "/settings")
ROUTES = ("/train", "/activity", "/settings", "/")
ROUTE_CHANGES = 20

IS_VISIBLE = "const isVisible = (element) => Boolean(element?.checkVisibility({ visibilityProperty: true }));"
OURS = f"""() => {{
  {IS_VISIBLE}
  const controls = [...document.querySelectorAll("main a[href], main button:not([aria-disabled=true]), main input")];
  return window.did_handshake === true && isVisible(document.querySelector("main h1")) && controls.some(isVisible);
}}"""
RIVAL = f"""() => {{
  {IS_VISIBLE}
  const controls = [...document.querySelectorAll("[role=tabpanel] input")];
  const label = document.querySelector("[data-testid=block-info]")?.innerText;
  return controls.some(isVisible) && Boolean(label) && label !== "Dropdown";
}}"""
WATCH = """
(() => {
  const isUsable = %s;
  const look = () => {
    if (isUsable()) window.usable_after = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()
"""
GO = """
(path) => new Promise((resolve) => {
  const before = document.querySelector("h1");
  const link = document.querySelector(`nav a[href="${path}"]`);
  const begin = performance.now();
  const look = () => {
    const heading = document.querySelector("h1");
    const isThere = heading && heading !== before && heading === document.activeElement && heading.checkVisibility();
    if (isThere) resolve(performance.now() - begin);
    else requestAnimationFrame(look);
  };
  link.click();
  requestAnimationFrame(look);
})
"""


@dataclass(frozen=True)
class FirstPage:
    """What one cold visit took."""

    kibibytes: float
    """Received over the wire, compressed as they came, with headers and socket messages."""
    requests: int
    usable_ms: float
    """After the start of the navigation."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="cold visits to each page; medians are printed")
    parser.add_argument("--rival-url", help="address of a running LLaMA Board")
    parser.add_argument("--json", type=Path, help="where to write the figures too")
    options = parser.parse_args()
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as home, RunningServer(Path(home)) as server, chromium() as browser:
        targets = {f"qlora-ui {path}": (server.url + path, OURS) for path in PAGES}
        if options.rival_url:
            targets["LLaMA Board"] = (options.rival_url, RIVAL)
        visits: dict[str, list[FirstPage]] = {name: [] for name in targets}
        for _ in range(options.runs):
            for name, (url, is_usable) in targets.items():
                visits[name].append(open_cold(browser, url, is_usable))
        changes = change_routes(browser, server.url)
    first_pages = {name: median_of(pages) for name, pages in visits.items()}
    report(first_pages, changes)
    if options.json:
        figures = {name: asdict(page) for name, page in first_pages.items()}
        options.json.write_text(json.dumps({"first_page": figures, "route_change_ms": changes}, indent=2) + "\n")


def open_cold(browser: Browser, url: str, is_usable: str) -> FirstPage:
    """Visit an address as for the first time."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    received = count_bytes(context.new_cdp_session(page))
    page.add_init_script(WATCH % is_usable)
    page.goto(url)
    page.wait_for_function("window.usable_after", timeout=120_000)
    wait_for_silence(page, received)
    visit = FirstPage(sum(received) / 1024, len(received), page.evaluate("window.usable_after"))
    context.close()
    return visit


def count_bytes(session: CDPSession) -> list[float]:
    """The length of every answer from now on, in bytes; grows while the page loads."""
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.on("Network.webSocketFrameReceived", lambda event: received.append(len(event["response"]["payloadData"])))
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    return received


def wait_for_silence(page: Page, received: list[float]) -> None:
    """Until nothing was received for a second; a page that keeps a request open is never idle to the browser."""
    before = -1
    while len(received) > before:
        before = len(received)
        page.wait_for_timeout(1000)


def change_routes(browser: Browser, url: str) -> list[float]:
    """Milliseconds of each route change, after every page was opened once."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.did_handshake === true")
    for path in ROUTES:
        go(page, path)
    times = [go(page, ROUTES[number % len(ROUTES)]) for number in range(ROUTE_CHANGES)]
    context.close()
    return times


def go(page: Page, path: str) -> float:
    milliseconds: float = page.evaluate(GO, path)
    page.wait_for_load_state("networkidle")
    return milliseconds


def median_of(pages: list[FirstPage]) -> FirstPage:
    return FirstPage(
        statistics.median(page.kibibytes for page in pages),
        round(statistics.median(page.requests for page in pages)),
        statistics.median(page.usable_ms for page in pages),
    )


def report(first_pages: dict[str, FirstPage], changes: list[float]) -> None:
    print(f"\n{'first page, cold':<20}{'received':>12}{'answers':>10}{'usable after':>15}")
    for name, page in first_pages.items():
        print(f"{name:<20}{page.kibibytes:>8.0f} KiB{page.requests:>10}{page.usable_ms / 1000:>13.2f} s")
    print(
        f"\nroute change: median of {len(changes)} {statistics.median(changes):.0f} ms, longest {max(changes):.0f} ms"
    )


if __name__ == "__main__":
    main()
