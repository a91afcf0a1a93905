"""Lighthouse's desktop scores of every page, each as the median of several visits.

    python scripts/lighthouse.py [--runs 3] [--command "npx --yes lighthouse@12"] [--failures] [PAGE …]

Opens a home with a run of every kind. Needs Node and Chromium; npx fetches Lighthouse from npm. Scores of performance
depend on how busy the machine is, so its load is printed with them.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from qlora_ui.contract.process import ProcessIdentity  # noqa: E402
from tests.e2e.routes import MISSING, ROUTES, address  # noqa: E402
from tests.fakes.runs import busy_workspace  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

MEASURED = [name for name in ROUTES if name not in MISSING]
CATEGORIES = ("accessibility", "best-practices", "performance")
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
ATTEMPTS = 3
"""On a busy machine the browser's trace is sometimes empty, which Lighthouse takes for an error."""
TIMEOUT_S = 180


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="visits to each page")
    parser.add_argument("--command", default="npx --yes lighthouse@12", help="how Lighthouse is called")
    parser.add_argument("--failures", action="store_true", help="name each audit that is not passed")
    parser.add_argument("pages", nargs="*", help=f"only these; one of {', '.join(MEASURED)}")
    options = parser.parse_args()
    print(f"{'page':<18}{''.join(f'{name:>16}' for name in CATEGORIES)}{'load':>8}")
    with busy_server() as server:
        for name in options.pages or MEASURED:
            reports = [visit(options.command, address(server, name)) for _ in range(options.runs)]
            scores = "".join(f"{median_score(reports, category):>16.0f}" for category in CATEGORIES)
            print(f"{name:<18}{scores}{os.getloadavg()[0]:>8.1f}", flush=True)
            if options.failures:
                print("".join(f"    {line}\n" for line in failures(reports[-1])), end="")


@contextmanager
def busy_server() -> Iterator[RunningServer]:
    """The app with a run of every kind; one of them seems to be at work."""
    with tempfile.TemporaryDirectory() as folder:
        at_work = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            busy_workspace(Path(folder), ProcessIdentity.of(at_work.pid))
            with RunningServer(Path(folder)) as server:
                yield server
        finally:
            at_work.communicate(b"\n", timeout=10)


def visit(command: str, url: str) -> dict[str, Any]:
    """Lighthouse's report on one page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("No browser was found; install Chromium.")
    arguments = [url, "--preset=desktop", "--output=json", "--quiet", f"--chrome-flags={CHROME_FLAGS}"]
    for _ in range(ATTEMPTS):
        answer = subprocess.run(
            [*shlex.split(command), *arguments, f"--only-categories={','.join(CATEGORIES)}"],
            env={**os.environ, "CHROME_PATH": browser},
            stdout=subprocess.PIPE,
            timeout=TIMEOUT_S,
        )
        if answer.returncode == 0:
            report: dict[str, Any] = json.loads(answer.stdout)
            return report
    sys.exit(f"Lighthouse could not measure {url}.")


def median_score(reports: list[dict[str, Any]], category: str) -> float:
    return statistics.median(100 * (report["categories"][category]["score"] or 0) for report in reports)


def failures(report: dict[str, Any]) -> list[str]:
    """What kept a report from full scores, the weightiest first."""
    weights = {
        reference["id"]: reference["weight"]
        for category in report["categories"].values()
        for reference in category["auditRefs"]
    }
    audits = [audit for name, audit in report["audits"].items() if weights.get(name) and (audit["score"] or 0) < 0.9]
    audits = [audit for audit in audits if audit["scoreDisplayMode"] not in {"notApplicable", "manual", "informative"}]
    audits.sort(key=lambda audit: -weights[audit["id"]])
    return [f"{audit['id']}: {audit.get('displayValue') or audit['title']}" for audit in audits]


if __name__ == "__main__":
    main()
