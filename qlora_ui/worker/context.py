"""What every job of the worker is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qlora_ui.contract.events import Facts, Log, Phase
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobRecord
from qlora_ui.worker.control import Control
from qlora_ui.worker.report import Report


@dataclass(frozen=True)
class Context:
    """One attempt at one run."""

    paths: RunPaths
    workspace: Workspace
    record: JobRecord
    parameters: JobParameters
    report: Report
    control: Control
    offline: bool
    """No library may ask the hub."""

    def phase(self, name: str, message: str) -> None:
        """Announce a stretch of work; the place where a request to stop is honoured between stretches."""
        self.control.check()
        self.report(Phase(name=name, message=message))

    def facts(self, **values: Any) -> None:
        self.report(Facts(values=values))

    def warn(self, message: str) -> None:
        self.report(Log(level="warning", message=message))
