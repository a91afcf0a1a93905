"""Home folders as years of use would leave them: thousands of runs, a log of a million lines, a run of many steps.

    python benchmarks/big_homes.py HOME [--runs 2000] [--log-lines 1000000] [--points 100000]

The run folders are those of past workers: records, events, logs and ends, without weights.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from qlora_ui.contract import events
from qlora_ui.contract.log_lines import LogEntry, dump_entry, entry_of
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobStatus, now
from qlora_ui.settings import prepare_home
from tests.fakes.runs import EVALUATED, FakeRun, write_run

STATUSES = (JobStatus.COMPLETED,) * 7 + (JobStatus.FAILED, JobStatus.STOPPED, JobStatus.INTERRUPTED)
KINDS = (JobKind.TRAINING, JobKind.TRAINING, JobKind.EVALUATION, JobKind.MERGE)
BLOCK = 10_000
"""Lines written at once."""


def many_runs(home: Path, count: int) -> Workspace:
    """A home with `count` past runs of all kinds, each with the events of 100 steps."""
    workspace = Workspace(home)
    prepare_home(workspace)
    for number in range(count):
        kind, status = KINDS[number % len(KINDS)], STATUSES[number % len(STATUSES)]
        error = "The device ran out of memory." if status is JobStatus.FAILED else ""
        summary = EVALUATED if kind is JobKind.EVALUATION else {"train_loss": 1.31, "steps": 100}
        steps = 100 if kind is JobKind.TRAINING else 0
        name = f"support tone {number}"
        run = FakeRun(name, status, kind, steps=steps, minutes_ago=10.0 * (number + 1), summary=summary, error=error)
        write_run(workspace, run)
    return workspace


def long_log(workspace: Workspace, lines: int) -> RunPaths:
    """A past run whose log has `lines` lines, 1 in 1,000 of them a warning, 1 in 50 not ASCII."""
    paths = write_run(workspace, FakeRun("a long log", steps=1000, minutes_ago=5))
    start, chance = now() - timedelta(days=20), random.Random(1)
    with paths.log.open("wb") as file:
        for first in range(0, lines, BLOCK):
            file.writelines(_log_line(chance, n, start) for n in range(first, min(first + BLOCK, lines)))
    return paths


def long_run(workspace: Workspace, points: int) -> RunPaths:
    """A past training whose every step of `points` has a progress event and a metric of five figures."""
    paths = write_run(workspace, FakeRun("a long run", minutes_ago=3, summary={"train_loss": 1.1, "steps": points}))
    with paths.events.open("ab") as file, paths.log.open("wb") as log:
        for event in _said(points):
            file.write(events.dump_event(event))
            if (entry := entry_of(event)) is not None:
                log.write(dump_entry(entry))
    return paths


def _log_line(chance: random.Random, number: int, start: datetime) -> bytes:
    words = f"step {number}  loss {chance.uniform(0.5, 3):.4f}  lr 1.99e-04  gradient 0.4123  9,240 tok/s"
    if number % 50 == 49:
        words = f"The evaluation took {chance.uniform(1, 9):.1f} s at 61 °C – schön."
    level = "warning" if number % 1000 == 999 else "info"
    return dump_entry(LogEntry(start + timedelta(seconds=number), level, words))


def _said(points: int) -> Iterator[events.Event]:
    chance, seq = random.Random(2), 100
    start = now() - timedelta(days=9)
    for step in range(1, points + 1):
        seq += 2
        time = start + timedelta(seconds=7 * step)
        left = 7.0 * (points - step)
        yield events.Progress(
            seq=seq, time=time, step=step, total_steps=points, epoch=3 * step / points, seconds_left=left
        )
        values = {
            "loss": 1 + 2 * math.exp(-step / 9000) + chance.gauss(0, 0.1),
            "learning_rate": 2e-4 * (1 - step / points),
            "grad_norm": abs(chance.gauss(0.4, 0.1)),
            "tokens_per_second": chance.gauss(9240, 200),
            "padding": chance.uniform(0.1, 0.2),
        }
        yield events.Metric(seq=seq + 1, time=time, step=step, values=values)
        if step % 1000 == 0:
            yield events.Metric(seq=seq + 1, time=time, step=step, values={"eval_loss": values["loss"] + 0.05})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--log-lines", type=int, default=1_000_000)
    parser.add_argument("--points", type=int, default=100_000)
    chosen = parser.parse_args()
    workspace = many_runs(chosen.home.resolve(), chosen.runs)
    print(long_log(workspace, chosen.log_lines).id)
    print(long_run(workspace, chosen.points).id)


if __name__ == "__main__":
    main()
