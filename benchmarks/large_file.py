"""What a file of a million rows does to the app: first rows, statistics, memory, and other pages meanwhile.

    python benchmarks/large_file.py [--rows 1000000] [--file FILE]

Makes a JSONL file of about 1 KB a row, starts `qlora-ui --no-browser` with an empty home folder, opens /train in
Chromium, names the file, and prints: the time from the key press until the first row's tokens are on the screen (the
start of the inspector's process included); the time until all statistics are there; the largest resident memory of the
web process meanwhile; and how long other pages (`/`, `/activity`, `/settings`) take over HTTP meanwhile.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from scripts.screenshots import chromium  # noqa: E402
from tests.fakes.server import RunningServer  # noqa: E402

WORDS = [f"{a}{b}{c}" for a in ("ka", "re", "mo", "ti", "su") for b in ("lan", "der", "mis", "ton") for c in "aeiou"]
OTHERS = ("/", "/activity", "/settings")
VISIT_EVERY_S = 2.0
"""More often, the pages that nobody has open would pile up in the server: each is kept for a minute."""
UNTIL = 1_800_000
"""Milliseconds; longer than the statistics of a large file take."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, help="take this file in place of one that is made")
    parser.add_argument("--model", default="starter")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file or make_file(Path(folder) / "large.jsonl", arguments.rows)
        print(f"{file.name}: {file.stat().st_size / 1e9:.2f} GB")
        with RunningServer(Path(folder) / "home") as server:
            measure(server, file)


def make_file(path: Path, rows: int) -> Path:
    """Questions and answers of about 1 KB a row, all different."""
    dice = random.Random(0)
    with path.open("w") as file:
        for number in range(rows):
            question = " ".join(dice.choices(WORDS, k=30))
            answer = " ".join(dice.choices(WORDS, k=110))
            file.write(json.dumps({"instruction": f"{number} {question}", "output": answer}) + "\n")
    return path


def measure(server: RunningServer, file: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{server.url}/train")
        page.locator("main input[type=radio]").first.check()  # the starter model
        page.get_by_role("button", name="Continue to data").click()
        page.get_by_role("radio", name="Path on this machine").click()
        field = page.get_by_label("Path", exact=True)
        field.fill(str(file))
        with watching(server) as seen:
            began = time.perf_counter()
            field.press("Enter")
            page.locator(".qu-token:visible").first.wait_for()
            print(f"first row on the screen: {time.perf_counter() - began:.2f} s")
            page.get_by_text(re.compile("Examples to train: ")).wait_for(timeout=UNTIL)
            print(f"all statistics: {time.perf_counter() - began:.0f} s")
        print(f"largest memory of the web process: {max(seen.memory) / 1e6:.0f} MB")
        median, worst = statistics.median(seen.pages), max(seen.pages)
        print(f"other pages meanwhile: median {median:.0f} ms, longest {worst:.0f} ms, {len(seen.pages)} visits")


class Seen:
    """What was measured while the file was read."""

    def __init__(self) -> None:
        self.memory: list[int] = []
        """Bytes, resident."""
        self.pages: list[float] = []
        """Milliseconds."""


@contextmanager
def watching(server: RunningServer) -> Iterator[Seen]:
    seen, over = Seen(), threading.Event()
    process = psutil.Process(server.process.pid)

    def watch() -> None:
        while not over.wait(VISIT_EVERY_S):
            seen.memory.append(process.memory_info().rss)
            path = OTHERS[len(seen.pages) % len(OTHERS)]
            began = time.perf_counter()
            with urllib.request.urlopen(f"{server.url}{path}") as answer:
                answer.read()
            seen.pages.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
