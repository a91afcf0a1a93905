"""What the tests of the worker's small parts share."""

from __future__ import annotations

from pathlib import Path

from qlora_ui.contract.events import Event
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import Command, JobKind, JobRecord, now
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control


def ask(file: Path, action: str, attempt: int) -> None:
    file.write_text(Command.model_validate({"action": action, "attempt": attempt}).model_dump_json(), encoding="utf-8")


def context_in(home: Path, events: list[Event]) -> Context:
    paths = Workspace(home).run("run")
    paths.folder.mkdir(parents=True)
    record = JobRecord(id="run", kind=JobKind.TRAINING, name="run", created_at=now(), queued_at=now(), attempt=1)
    parameters = TrainingParameters(model_name="starter", dataset_path="starter")
    control = Control(paths.command, 1)
    return Context(paths, Workspace(home), record, parameters, events.append, control, offline=True)
