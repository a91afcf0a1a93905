"""Trainings inside the test's own process: no start of Python to wait for, and every event at hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from qlora_ui.contract.checkpoints import name_of
from qlora_ui.contract.events import Event, Metric, Resumed
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace, dataset_location
from qlora_ui.contract.records import JobKind, JobRecord, StartPoint, now
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control, StopRequested
from qlora_ui.worker.report import EventWriter

SMALL: dict[str, Any] = {
    "model_name": "starter", "validation_share": 0.2, "evaluations": 3, "num_train_epochs": 3, "batch_size": 4,
    "gradient_accumulation": 1, "learning_rate": 2e-3, "lora_dropout": 0.1, "save_steps": 100,
    "compute_type": "float32", "device": "cpu", "offline": True,
}  # fmt: skip
"""12 steps in 3 epochs of 16 of the starter's rows, evaluated at 4, 8 and 12."""

_Kind = TypeVar("_Kind")


class Run:
    """One run, and what its attempts said."""

    def __init__(self, home: Path, run_id: str = "run", rows: int = 20, **values: Any) -> None:
        self.paths: RunPaths = Workspace(home).run(run_id)
        self.paths.folder.mkdir(parents=True, exist_ok=True)
        data = str(first_rows(home, rows))
        self.parameters = TrainingParameters(**{**SMALL, "dataset_path": data, **values})
        self.events: list[Event] = []
        self.summary: dict[str, Any] = {}
        self._home = home

    def attempt(
        self,
        number: int = 1,
        *,
        stop_at: Callable[[Event], bool] = lambda event: False,
        starts_from: StartPoint | None = None,
    ) -> list[Event]:
        """Train; asked to stop at the first event that `stop_at` likes. Returns this attempt's events."""
        from qlora_ui.worker.devices import choose
        from qlora_ui.worker.training.train import train

        moment = now()
        record = JobRecord(
            id=self.paths.id, kind=JobKind.TRAINING, name="run", created_at=moment, queued_at=moment, attempt=number,
            starts_from=starts_from,
        )  # fmt: skip
        control, said = Control(self.paths.command, number), list[Event]()
        with EventWriter(self.paths.events) as write:

            def report(event: Event) -> None:
                said.append(event)
                write(event)
                if stop_at(event):
                    control._requested = "stop"

            context = Context(self.paths, Workspace(self._home), record, self.parameters, report, control, True)
            try:
                self.summary = train(context, choose("cpu", "float32"))
            except StopRequested:
                assert control.requested
        self.events += said
        return said


def branch(first: Run, home: Path, step: int, **changes: Any) -> Run:
    """A new run with its own copy of a checkpoint, as the queue makes it."""
    values = first.parameters.model_dump() | changes
    second = Run(home, "second", **values)
    folder = second.paths.checkpoints / name_of(step)
    shutil.copytree(first.paths.checkpoints / folder.name, folder)
    shutil.copy(first.paths.origin, second.paths.origin)
    return second


def first_rows(folder: Path, count: int) -> Path:
    """A file with the first of the starter's rows."""
    file = folder / f"rows-{count}.jsonl"
    lines = dataset_location("starter").read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:count]), encoding="utf-8")
    return file


def of(kind: type[_Kind], events: Sequence[Event]) -> list[_Kind]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def curve(events: Sequence[Event], name: str = "loss") -> dict[int, float]:
    """Step → value of one metric, cut back at each resume as the app does."""
    points: dict[int, float] = {}
    for event in events:
        if isinstance(event, Resumed):
            points = {step: value for step, value in points.items() if step <= event.step}
        if isinstance(event, Metric) and name in event.values:
            points[event.step] = event.values[name]
    return points
