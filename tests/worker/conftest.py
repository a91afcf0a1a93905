"""Runs of the real worker on the starter model: small, on one thread, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.events import Event, parse_event
from qlora_ui.contract.parsing import dump_parameters, parse_parameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, now

STEPS = 60
TRAINING: dict[str, Any] = {
    "model_name": "starter",
    "dataset_path": "starter",
    "max_steps": STEPS,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "learning_rate": 2e-3,
    "lora_dropout": 0.05,
    "max_length": 256,
    "evaluations": 2,
    "save_steps": 10,
    "checkpoints_kept": 3,
    "device": "cpu",
    "compute_type": "float32",
    "offline": True,
}
"""Dropout is on so that a resume has to restore the random state as well."""


def make_run(home: Path, kind: JobKind, values: dict[str, Any], *, run_id: str = "run", attempt: int = 1) -> RunPaths:
    """A run folder as the launcher leaves it to the worker. Its first attempt needs a name that no test used before.

    The home folder is shared: a second run of the same name would find the events of the first.
    """
    paths = Workspace(home).run(run_id)
    paths.folder.mkdir(parents=True, exist_ok=attempt > 1)
    paths.parameters.write_text(dump_parameters(parse_parameters(kind, values)), encoding="utf-8")
    record = JobRecord(id=run_id, kind=kind, name=run_id, created_at=now(), queued_at=now(), attempt=attempt)
    paths.job.write_text(record.model_dump_json(), encoding="utf-8")
    return paths


def start(paths: RunPaths) -> subprocess.Popen[bytes]:
    """Start the worker as the launcher does."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with paths.console.open("ab") as console:
        return subprocess.Popen(
            [sys.executable, "-m", "qlora_ui.worker", str(paths.folder)],
            stdout=console,
            stderr=console,
            env=environment,
            start_new_session=True,
        )


def finish(paths: RunPaths, code: int = 0) -> ExitRecord:
    """Run the worker to its end."""
    worker = start(paths)
    assert worker.wait(timeout=240) == code, paths.console.read_text(encoding="utf-8")[-3000:]
    return ExitRecord.model_validate_json(paths.exit.read_bytes())


def events_of(paths: RunPaths) -> list[Event]:
    """All whole lines, parsed."""
    return [parse_event(line) for line in paths.events.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def trained(home: Path) -> RunPaths:
    """A training of 60 steps that nothing disturbed."""
    paths = make_run(home, JobKind.TRAINING, TRAINING, run_id="trained")
    finish(paths)
    return paths


@pytest.fixture
def environment() -> Iterator[None]:
    """Undo what a worker inside the test's own process sets for its libraries."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
