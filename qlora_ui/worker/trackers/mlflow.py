"""MLflow: its tracking server where MLFLOW_TRACKING_URI names one, else a database in the home folder."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when it is imported

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.records import JobStatus
from qlora_ui.worker.trackers.feed import Point, Run

PARAMETER_CHARACTERS = 500
METRICS_AT_ONCE = 1_000
"""Its server takes no more in one request."""
_STATUS = {JobStatus.COMPLETED: "FINISHED", JobStatus.FAILED: "FAILED"}


def open_run(run: Run) -> _MlflowRun:
    address = "" if run.is_local else os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address:
        run.shared.mkdir(parents=True, exist_ok=True)
        address = f"sqlite:///{run.shared / 'mlflow.db'}"
    client = MlflowClient(address)
    known = run.folder / "mlflow.run"
    run_id = _go_on(client, known.read_text(encoding="ascii").strip()) if known.exists() else ""
    if not run_id:
        run_id = _begin(client, run)
        known.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(known, f"{run_id}\n")
    return _MlflowRun(client, run_id, address)


def _go_on(client: MlflowClient, run_id: str) -> str:
    """The run of an earlier attempt, at work again; empty where it was deleted or is on another server."""
    try:
        client.update_run(run_id, status="RUNNING")
    except MlflowException as error:
        if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE"}:
            return ""
        raise
    return run_id


def _begin(client: MlflowClient, run: Run) -> str:
    experiment = client.get_experiment_by_name(run.project)
    if experiment is not None:
        experiment_id = experiment.experiment_id
    elif client.tracking_uri.startswith("sqlite:"):
        experiment_id = client.create_experiment(run.project, artifact_location=(run.shared / "mlflow").as_uri())
    else:
        experiment_id = client.create_experiment(run.project)
    run_id: str = client.create_run(experiment_id, run_name=run.name).info.run_id
    parameters = [Param(name, str(value)[:PARAMETER_CHARACTERS]) for name, value in run.parameters.items()]
    client.log_batch(run_id, params=parameters, tags=[RunTag("qlora-ui.run", run.id)])
    return run_id


class _MlflowRun:
    remark = None

    def __init__(self, client: MlflowClient, run_id: str, address: str) -> None:
        self._client = client
        self._run_id = run_id
        is_server = address.startswith(("http://", "https://"))
        experiment = client.get_run(run_id).info.experiment_id
        self.url = f"{_without_user(address)}/#/experiments/{experiment}/runs/{run_id}" if is_server else ""
        self.command = "" if is_server else f"mlflow ui --backend-store-uri {shlex.quote(address)}"

    def log(self, points: Sequence[Point]) -> None:
        moment = int(time.time() * 1000)
        metrics = [Metric(name, value, moment, step) for step, values in points for name, value in values.items()]
        for first in range(0, len(metrics), METRICS_AT_ONCE):
            self._client.log_batch(self._run_id, metrics=metrics[first : first + METRICS_AT_ONCE])

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        moment = int(time.time() * 1000)
        final = [Metric(f"final/{name}", value, moment, 0) for name, value in summary.items()]
        if final:
            self._client.log_batch(self._run_id, metrics=final)
        self._client.set_terminated(self._run_id, _STATUS.get(status, "KILLED"))


def _without_user(address: str) -> str:
    scheme, _, rest = address.rstrip("/").partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
