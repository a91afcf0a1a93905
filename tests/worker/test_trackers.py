"""Trackers get every figure, go on where an attempt ended, and never end a training: against real local backends."""

from __future__ import annotations

import importlib
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from qlora_ui.contract.events import Alert, AlertCode, Metric
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.contract.trackers import TOOLS
from qlora_ui.worker import trackers
from tests.worker.conftest import TRAINING, events_of, finish, make_run
from tests.worker.tracked import Attempt

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of the trackers' own libraries, in their threads
    pytest.mark.usefixtures("environment"),
]
PATIENCE_S = 90.0
"""For real trackers on a machine that is busy with other tests."""


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not TOOLS[cast(Any, name)].is_installed, reason=f"{name} is not installed")


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "CLOSE_SECONDS", PATIENCE_S)
    monkeypatch.setattr(trackers, "PAUSE_SECONDS", PATIENCE_S)


@contextmanager
def server(answer: Callable[[str, Any], tuple[int, Any]]) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """A server on the loopback that notes what it is asked; its address and the notes."""
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                body = json.loads(raw or b"{}")
            except ValueError:
                body = None
            asked.append((self.path, body))
            status, said = answer(self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815 - so that one answers all

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


@needs("tensorboard")
def test_tensorboard_has_the_curves_the_settings_and_the_result(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path, ["tensorboard"]).measure([1, 2, 3]).close()
    seen = _event_files(attempt.context.paths)
    assert [(event.step, event.value) for event in seen.Scalars("train/loss")] == [
        (1, 1.0),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert {"eval/loss", "system/temperature", "final/train_loss"} <= set(seen.Tags()["scalars"])
    assert b"| learning_rate | 0.0002 |" in seen.Tensors("parameters/text_summary")[0].tensor_proto.string_val[0]
    assert (
        attempt.place["tensorboard"]["command"] == f"tensorboard --logdir {attempt.context.paths.trackers}/tensorboard"
    )
    assert not attempt.alerts


@needs("tensorboard")
def test_tensorboard_forgets_what_a_resumed_run_measures_anew(tmp_path: Path) -> None:
    Attempt(tmp_path, ["tensorboard"]).measure([1, 2, 3, 4]).close(JobStatus.STOPPED)
    again = Attempt(tmp_path, ["tensorboard"]).measure([3, 4, 5], factor=10.0).close()
    points = [(event.step, event.value) for event in _event_files(again.context.paths).Scalars("train/loss")]
    assert points == [(1, 1.0), (2, 0.5), (3, pytest.approx(10 / 3)), (4, 2.5), (5, 2.0)]


@needs("tensorboard")
def test_a_training_sends_what_it_reports(tmp_path: Path) -> None:
    values = {"max_steps": 3, "evaluations": 1, "trackers": ["tensorboard"]}
    paths = make_run(tmp_path, JobKind.TRAINING, TRAINING | values)
    finish(paths)
    seen = _event_files(paths)
    reported = [event for event in events_of(paths) if isinstance(event, Metric)]
    for tag, name in {"train/loss": "loss", "eval/loss": "eval_loss", "train/learning_rate": "learning_rate"}.items():
        expected = {event.step: event.values[name] for event in reported if name in event.values}
        assert {event.step: event.value for event in seen.Scalars(tag)} == pytest.approx(expected), tag
    assert "final/train_loss" in seen.Tags()["scalars"]
    assert not [event for event in events_of(paths) if isinstance(event, Alert)]


def _event_files(paths: RunPaths) -> Any:
    module = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    seen = module.EventAccumulator(str(paths.trackers / "tensorboard"))
    seen.Reload()
    return seen


@needs("wandb")
def test_weights_and_biases_keeps_an_offline_run_in_files_and_goes_on_in_the_same(tmp_path: Path) -> None:
    first = Attempt(tmp_path, ["wandb"]).measure([1, 2]).close(JobStatus.PAUSED)
    second = Attempt(tmp_path, ["wandb"]).measure([2, 3]).close()
    files = sorted(first.context.paths.trackers.glob("wandb/offline-run-*/*.wandb"))
    assert {file.name for file in files} == {f"run-{first.context.paths.id}.wandb"}
    points = [point for file in files for point in _wandb_points(file)]
    assert [(point["step"], point["train/loss"]) for point in points] == [
        (1, 1.0),
        (2, 0.5),
        (2, 0.5),
        (3, pytest.approx(1 / 3)),
    ]
    assert second.place["wandb"]["command"].startswith("wandb sync ")
    assert not first.alerts and not second.alerts


def _wandb_points(file: Path) -> list[dict[str, Any]]:
    """The points in a file of W&B's: after 7 bytes, records in the form of LevelDB's logs with a protobuf in each."""
    record = importlib.import_module("wandb.proto.wandb_internal_pb2").Record
    data, place, whole, points = file.read_bytes(), 7, b"", []
    while place + 7 <= len(data):
        if (left := 32_768 - place % 32_768) < 7:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        whole += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in {1, 4}:  # whole, or the last part
            history = record.FromString(whole).history
            items = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in history.item}
            points += [{name: value for name, value in items.items() if not name.startswith("_")}] if items else []
            whole = b""
    return points


@needs("wandb")
def test_a_server_of_weights_and_biases_that_refuses_leaves_the_curves_in_files(tmp_path: Path) -> None:
    with server(lambda *_: (401, {"errors": ["no such user"]})) as (address, asked):
        key = "0123456789" * 4
        code = f"Attempt(Path({str(tmp_path)!r}), ['wandb'], offline=False).measure([1, 2]).close()"
        told = in_a_process(code, WANDB_API_KEY=key, WANDB_BASE_URL=address)
    assert asked
    [alert] = told
    assert alert.code == AlertCode.TRACKER and "in files" in alert.message and "wandb login" in alert.hint
    assert key not in alert.message
    [file] = tmp_path.rglob("offline-run-*/*.wandb")
    assert [point["step"] for point in _wandb_points(file)] == [1, 2]


def in_a_process(attempt: str, **variables: str) -> list[Alert]:
    """The alerts of an attempt in a process of its own: some trackers read their settings once, at their import."""
    code = (
        "from pathlib import Path\nfrom qlora_ui.worker import trackers\n"
        f"from tests.worker.tracked import Attempt\ntrackers.CLOSE_SECONDS = {PATIENCE_S}\n"
        f"print('\\n' + '\\n'.join(alert.model_dump_json() for alert in {attempt}.alerts))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return [Alert.model_validate_json(line) for line in done.stdout.splitlines() if line.startswith("{")]


@needs("mlflow")
def test_mlflow_has_the_run_in_a_database_of_the_home_folder_and_goes_on_in_it(tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    first = Attempt(tmp_path, ["mlflow"], tracker_project="tones").measure([1, 2]).close(JobStatus.STOPPED)
    client = MlflowClient(f"sqlite:///{tmp_path}/trackers/mlflow.db")
    [run] = client.search_runs([client.get_experiment_by_name("tones").experiment_id])
    assert (run.info.run_name, run.info.status) == ("tone", "KILLED")
    second = Attempt(tmp_path, ["mlflow"], tracker_project="tones").measure([3]).close()
    [run] = client.search_runs([client.get_experiment_by_name("tones").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params["learning_rate"] == "0.0002" and "sample_prompts" not in run.data.params
    assert run.data.metrics["final/train_loss"] == 0.5
    assert [point.step for point in client.get_metric_history(run.info.run_id, "train/loss")] == [1, 2, 3]
    assert not first.alerts and not second.alerts


@needs("mlflow")
@pytest.mark.parametrize("offline", [False, True])
def test_a_server_of_mlflow_is_asked_only_when_the_run_is_not_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    info = {"run_id": "a1", "experiment_id": "7", "run_name": "tone", "status": "RUNNING", "artifact_uri": "x"}

    def answer(path: str, _: Any) -> tuple[int, Any]:
        if "experiments/get-by-name" in path:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
        if "experiments/create" in path:
            return 200, {"experiment_id": "7"}
        return 200, {"run": {"info": info, "data": {}}}

    with server(answer) as (address, asked):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address.replace("//", "//ann:secret@"))
        attempt = Attempt(tmp_path, ["mlflow"], offline=offline).measure([1, 2]).close()
    sent = [body["metrics"] for path, body in asked if path.endswith("log-batch") and body.get("metrics")]
    steps = [metric["step"] for metrics in sent for metric in metrics if metric["key"] == "train/loss"]
    assert steps == ([] if offline else [1, 2]) and bool(asked) is not offline
    assert attempt.place["mlflow"]["url"] == ("" if offline else f"{address}/#/experiments/7/runs/a1")
    assert not attempt.alerts


@needs("trackio")
def test_trackio_has_the_run_in_its_database_and_goes_on_in_it(tmp_path: Path) -> None:
    place = tmp_path / "trackio"
    for steps in ([1, 2], [3]):
        attempt = f"Attempt(Path({str(tmp_path)!r}), ['trackio']).measure({steps}).close()"
        assert in_a_process(attempt, TRACKIO_DIR=str(place)) == []
    code = (
        "import json, trackio\nfrom trackio.sqlite_storage import SQLiteStorage\n"
        "[run] = trackio.Api().runs('qlora-ui')\n"
        "print('\\n' + json.dumps([run.name, SQLiteStorage.get_logs('qlora-ui', run.name, run_id=run.id)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"TRACKIO_DIR": str(place)}, capture_output=True, text=True
    )
    name, points = json.loads(done.stdout.splitlines()[-1])
    assert name == "20261123-091500-tone-1a2b"
    assert [(p["step"], p["train/loss"]) for p in points if "train/loss" in p] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
