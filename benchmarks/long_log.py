"""How soon a log of a million lines opens, how fast it is searched, and what the event loop feels of that.

python benchmarks/long_log.py [--lines 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from benchmarks.big_homes import long_log, many_runs  # noqa: E402
from qlora_ui.jobs.logs.log_file import LogFile, LogPage  # noqa: E402

TIMES = 5
TEXTS = ("nothing has this", "loss 1.5", "STEP 77", "info", "schön", "9,240 tok/s")
"""Without a match, with some, with many, only in the head of each line, not ASCII, in nearly every line."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    lines = parser.parse_args().lines
    with tempfile.TemporaryDirectory() as folder:
        paths = long_log(many_runs(Path(folder), 0), lines)
        print(f"{lines:,} lines, {paths.log.stat().st_size / 1e6:.0f} MB; load average {os.getloadavg()[0]:.1f}")
        asyncio.run(_measure(LogFile(paths)))


async def _measure(log: LogFile) -> None:
    await _time("the last 200 lines", lambda: log.tail(200))
    middle = await asyncio.to_thread(log.tail, 100_000)
    await _time("200 lines in the middle", lambda: log.tail(200, before=middle.entries[0][0]))
    await _time("the last 200 warnings", lambda: log.tail(200, levels=("warning",)))
    for text in TEXTS:
        # mypy infers no type for a lambda with a default
        await _time(f"search for {text!r}", lambda text=text: log.search(text))  # type: ignore[misc]
    await _time("search for 'took' in warnings", lambda: log.search("took", levels=("warning",)))


async def _time(what: str, work: Callable[[], LogPage]) -> None:
    """Do it in a thread, as pages do, and note for how long the event loop waited at most."""
    times, stalls = [], []
    for _ in range(TIMES):
        watching = asyncio.create_task(_longest_stall())
        await asyncio.sleep(0.02)
        begin = time.perf_counter()
        page = await asyncio.to_thread(work)
        times.append((time.perf_counter() - begin) * 1000)
        watching.cancel()
        stalls.append(await watching)
    found = f"{page.count:,} matches" if page.count else f"{len(page.entries)} lines"
    median = statistics.median(times)
    print(f"{what:<34}{median:>8.0f} ms, longest {max(times):>6.0f}; loop held {max(stalls):>4.0f} ms   {found}")


async def _longest_stall() -> float:
    """Milliseconds by which a task that sleeps for 1 ms was late at most, until it is cancelled."""
    longest = 0.0
    try:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, (time.perf_counter() - begin) * 1000 - 1)
    except asyncio.CancelledError:
        return longest


if __name__ == "__main__":
    main()
