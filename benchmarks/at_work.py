"""A run that is at work as far as the app can see, and says what a benchmark has it say."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# the root of the repository has to be on the path before these
from qlora_ui.contract.events import Event, Log, Metric, Progress  # noqa: E402
from qlora_ui.contract.paths import RunPaths, Workspace  # noqa: E402
from qlora_ui.contract.process import ProcessIdentity  # noqa: E402
from qlora_ui.contract.records import JobStatus  # noqa: E402
from qlora_ui.worker.report import EventWriter, Report  # noqa: E402
from tests.fakes.runs import FakeRun, write_run  # noqa: E402

STEPS = 200
TOTAL_STEPS = 100_000


@dataclass
class RunAtWork:
    """What the run has said so far ends at step `step`."""

    paths: RunPaths
    report: Report
    step: int = STEPS

    def make_step(self) -> None:
        """What a training says of each step that it logs."""
        self.step += 1
        loss = 1.1 + 2.1 * math.exp(-self.step / 90) + 0.1 * math.sin(self.step * 1.7)
        values = {"loss": loss, "learning_rate": 2e-4, "grad_norm": 0.41, "tokens_per_second": 9240.0, "padding": 0.12}
        said: list[Event] = [
            Progress(step=self.step, total_steps=TOTAL_STEPS, epoch=self.step / 1000, seconds_left=3600.0),
            Metric(step=self.step, values=values),
        ]
        if self.step % 25 == 0:
            said.append(Log(message=f"Step {self.step}: a line of the log."))
        for event in said:
            self.report(event)


@contextmanager
def run_at_work(home: Path) -> Iterator[RunAtWork]:
    """In a process that does nothing, for as long as the block lasts."""
    workspace = Workspace(home)
    workspace.runs.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = ProcessIdentity.of(child.pid)
        run = FakeRun("a long run", JobStatus.RUNNING, steps=STEPS, total_steps=TOTAL_STEPS, process=process)
        paths = write_run(workspace, run)
        try:
            with EventWriter(paths.events) as report:
                yield RunAtWork(paths, report)
        finally:
            child.kill()
