"""A night's run: the real server and the real worker, each killed without warning, and nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.history.event_file import EventTail
from tests.fakes.server import RunningServer

STEPS = 150
TRAINING: dict[str, Any] = {
    "name": "a night's run",
    "model_name": "starter",
    "dataset_path": "starter",
    "offline": True,
    "device": "cpu",
    "compute_type": "float32",
    "max_steps": STEPS,
    "save_steps": 20,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "learning_rate": 1e-3,
    "max_length": 256,
    "evaluations": 1,
}
PATIENCE_S = 240


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def ask(server: RunningServer, job_id: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/api/v1/jobs/{job_id}", timeout=30)
    answer.raise_for_status()
    job: dict[str, Any] = answer.json()
    return job


def wait(server: RunningServer, job_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask the server again and again, as a program would, until something is true of the job."""
    end = time.monotonic() + PATIENCE_S
    while not condition(job := ask(server, job_id)):
        assert time.monotonic() < end, f"it did not come to that: {job['status']}, {job['message']} {job['error']}"
        time.sleep(0.1)
    return job


def losses(job: dict[str, Any]) -> dict[int, float]:
    return {int(step): float(value) for step, value in job["curves"]["loss"]}


def worker_of(paths: RunPaths) -> ProcessIdentity:
    started = [event for event in EventTail(paths.events).read() if event.type == "started"]
    return started[-1].process


def test_server_and_worker_are_killed_and_the_run_is_finished_all_the_same(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with RunningServer(home) as first:
        submitted = httpx.post(
            f"{first.url}/api/v1/jobs", json={"kind": "training", "parameters": TRAINING}, timeout=30
        )
        assert submitted.status_code < 300, submitted.text
        job_id = submitted.json()["id"]
        paths = RunPaths(home / "runs" / job_id)
        wait(first, job_id, lambda job: job["step"] >= 3)
        worker = worker_of(paths)
        os.killpg(first.process.pid, signal.SIGKILL)
        first.process.wait()
    assert worker.is_alive, "the training outlives its server"

    with RunningServer(home) as second:
        found = ask(second, job_id)
        assert found["status"] == "running"
        assert sorted(losses(found))[:3] == [1, 2, 3], "the curve is whole, from its first step"
        before = wait(second, job_id, lambda job: job["step"] >= 50)
        assert before["checkpoints"], "a checkpoint lies on the disk before the worker dies"
        os.killpg(worker.pid, signal.SIGKILL)
        broken = wait(second, job_id, lambda job: job["status"] != "running")
        assert broken["status"] == "interrupted" and broken["can_resume"]
        known = losses(broken)

        checkpoint = max(c["step"] for c in broken["checkpoints"])
        assert httpx.post(f"{second.url}/api/v1/jobs/{job_id}/resume", json={}, timeout=30).status_code < 300
        wait(second, job_id, lambda job: job["status"] == "running")
        done = wait(second, job_id, lambda job: job["status"] not in {"pending", "running"})
        assert done["status"] == "completed", done["error"]
        resumed = [event.step for event in EventTail(paths.events).read() if event.type == "resumed"]
        assert resumed == [checkpoint]
        curve = losses(done)
        assert sorted(curve) == list(range(1, STEPS + 1)), "no step is missing or doubled"
        for step in (step for step in known if step > checkpoint):
            assert curve[step] == pytest.approx(known[step], abs=1e-4), f"step {step}, which was measured twice"
    assert not worker.is_alive
