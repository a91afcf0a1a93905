"""The index of finished adapters, made from the run folders that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from qlora_ui.contract.parsing import rebased
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import Adapter, EvaluationReport, ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository


class Adapters:
    """Finished adapters by id (the id of the run that made them), oldest first."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "adapters", Adapter)

    def list(self) -> list[Adapter]:
        return self._records.list()

    def get(self, adapter_id: str) -> Adapter | None:
        return self._records.get(adapter_id)

    def put(self, adapter: Adapter) -> None:
        self._records.put(adapter.id, adapter)

    def delete(self, adapter_id: str) -> bool:
        """Forget the record; the adapter's folder stays. Whether there was one."""
        return self._records.delete(adapter_id)

    def rebuild(self, workspace: Workspace) -> None:
        """Make the index agree with the run folders: add finished adapters, take over scores, forget what is gone."""
        listed = self._records.list()
        found = {adapter.id: _where_it_is(adapter, workspace) for adapter in listed}
        known = {adapter.id: adapter for adapter in found.values() if Path(adapter.path).is_dir()}
        changed = {adapter.id: known[adapter.id] for adapter in listed if known.get(adapter.id, adapter) != adapter}
        for run in _runs(workspace):
            if adapter := _news_of(run, known):
                known[adapter.id] = changed[adapter.id] = adapter
        self._records.change(changed, forgotten={adapter.id for adapter in listed} - known.keys())

    def add_run(self, run: RunPaths) -> Adapter | None:
        """Take over what a finished run says: a training's adapter, or an evaluation's scores of a known adapter.

        Returns the adapter that is new or was changed; None when the run has nothing new to say or cannot be read.
        """
        adapter = _news_of(run, {adapter.id: adapter for adapter in self._records.list()})
        if adapter is not None:
            self.put(adapter)
        return adapter


def _where_it_is(adapter: Adapter, workspace: Workspace) -> Adapter:
    """The same adapter, in the folder of its run: the home folder may have been moved or copied since."""
    run = RunPaths(workspace.runs / (adapter.job_id or ""))
    if not adapter.job_id or adapter.path == str(run.adapter) or not run.adapter.is_dir():
        return adapter
    parameters = _read_parameters(run, _read_job(run))
    base_model = str(parameters.get("model_name", adapter.base_model))
    return adapter.model_copy(update={"path": str(run.adapter), "parameters": parameters, "base_model": base_model})


def _news_of(run: RunPaths, known: Mapping[str, Adapter]) -> Adapter | None:
    """The adapter that this run adds or changes, given the adapters known so far."""
    job, result = _read_job(run), _read_exit(run)
    if job is None or result is None or result.status is not JobStatus.COMPLETED:
        return None
    if job.kind is JobKind.TRAINING:
        return _trained(run, job, result, known.get(run.id))
    return _scored(run, job, known) if job.kind is JobKind.EVALUATION else None


def _trained(run: RunPaths, job: JobRecord, result: ExitRecord, known: Adapter | None) -> Adapter | None:
    if not run.adapter.is_dir() or (known is not None and known.training_date == result.time):
        return None
    parameters = _read_parameters(run, job)
    return Adapter(
        id=run.id,
        name=known.name if known else job.name,
        path=str(run.adapter),
        description=known.description if known else "",
        training_date=result.time,
        base_model=str(parameters.get("model_name", "")),
        job_id=run.id,
        dataset_fingerprint=_fingerprint(run),
        parameters=parameters,
    )


def _scored(run: RunPaths, job: JobRecord, known: Mapping[str, Adapter]) -> Adapter | None:
    path = _read_parameters(run, job).get("adapter_path")
    adapter = next((a for a in known.values() if path and Path(a.path) == Path(str(path))), None)
    if adapter is None:
        return None
    try:
        report = EvaluationReport.model_validate_json(run.evaluation.read_bytes())
    except (OSError, ValidationError):
        return None
    if report.adapter is None or report.adapter == adapter.metrics:
        return None
    return adapter.model_copy(update={"metrics": report.adapter})


def _runs(workspace: Workspace) -> list[RunPaths]:
    """All run folders by id; names with a dot are on their way in or out."""
    if not workspace.runs.is_dir():
        return []
    return [RunPaths(folder) for folder in sorted(workspace.runs.iterdir()) if not folder.name.startswith(".")]


def _read_job(run: RunPaths) -> JobRecord | None:
    try:
        return JobRecord.model_validate_json(run.job.read_bytes())
    except (OSError, ValidationError):
        return None


def _read_exit(run: RunPaths) -> ExitRecord | None:
    try:
        return ExitRecord.model_validate_json(run.exit.read_bytes())
    except (OSError, ValidationError):
        return None


def _read_parameters(run: RunPaths, job: JobRecord | None) -> dict[str, Any]:
    """What the file says, as JSON can hold it; empty when it cannot be read, whoever has changed it by hand."""
    try:
        content = yaml.safe_load(run.parameters.read_text(encoding="utf-8"))
        content = json.loads(json.dumps(content, default=str, skipkeys=True))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return {}
    if not isinstance(content, dict):
        return {}
    return rebased(content, job.home, run.folder.parents[1]) if job is not None else content


def _fingerprint(run: RunPaths) -> str:
    """The fingerprint of the data, as the worker noted it beside the adapter; empty when it did not."""
    try:
        notes = json.loads((run.adapter / "qlora-ui.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    value = notes.get("dataset_fingerprint", "") if isinstance(notes, dict) else ""
    return value if isinstance(value, str) else ""
