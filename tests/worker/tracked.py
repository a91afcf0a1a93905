"""An attempt at a run that trains nothing, and tells its trackers figures that are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from qlora_ui.contract.events import Alert, Event, Facts
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control
from qlora_ui.worker.trackers import Trackers, open_trackers

SUMMARY = {"train_loss": 0.5, "steps": 3, "stopped_early": False, "adapter": "/somewhere"}


class Attempt:
    """One attempt at a run, with what it reported."""

    def __init__(self, home: Path, names: Sequence[str], *, offline: bool = True, **more: Any) -> None:
        self.told: list[Event] = []
        workspace = Workspace(home)
        paths = workspace.run("20261123-091500-tone-1a2b")
        paths.folder.mkdir(parents=True, exist_ok=True)
        parameters = TrainingParameters(
            model_name="starter", dataset_path="starter", trackers=cast(Any, list(names)), offline=offline, **more
        )
        record = JobRecord(id=paths.id, kind=JobKind.TRAINING, name="tone", created_at=now(), queued_at=now())
        control = Control(paths.command, 1)
        self.context = Context(paths, workspace, record, parameters, self.told.append, control, offline=True)
        self.trackers: Trackers = open_trackers(self.context, parameters, "tone")

    def measure(self, steps: Sequence[int], factor: float = 1.0) -> Attempt:
        for step in steps:
            self.trackers.metric(step, {"loss": factor / step, "eval_loss": 2.0, "temperature": 61.0})
        return self

    def close(self, status: JobStatus = JobStatus.COMPLETED) -> Attempt:
        self.trackers.close(status, SUMMARY)
        return self

    @property
    def alerts(self) -> list[Alert]:
        return [event for event in self.told if isinstance(event, Alert)]

    @property
    def place(self) -> Mapping[str, Any]:
        """The last fact about trackers."""
        return cast(
            Mapping[str, Any], [event.values["trackers"] for event in self.told if isinstance(event, Facts)][-1]
        )
