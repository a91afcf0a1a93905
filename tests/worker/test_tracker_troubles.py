"""Whatever goes wrong with a tracker, the training goes on and ends in time: with trackers that are made up."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Event
from qlora_ui.contract.records import JobStatus
from qlora_ui.contract.trackers import Tool
from qlora_ui.worker import trackers
from qlora_ui.worker.trackers import feed
from tests.worker.tracked import Attempt


class Fake:
    """A tracker that does as it is told."""

    url = "http://127.0.0.1/run"
    command = ""
    remark = None

    def __init__(self, log: Callable[[Sequence[feed.Point]], None] = lambda _: None) -> None:
        self._log = log
        self.closed: list[tuple[JobStatus, Mapping[str, float]]] = []

    def log(self, points: Sequence[feed.Point]) -> None:
        self._log(points)

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        self.closed.append((status, summary))


def attempt_with(monkeypatch: pytest.MonkeyPatch, home: Path, open_: Callable[[], feed.Opened]) -> Attempt:
    monkeypatch.setattr(Tool, "is_installed", True)
    monkeypatch.setattr(trackers, "_opener", lambda *_: open_)
    return Attempt(home, ["mlflow"])


def test_a_tracker_is_told_the_end_with_the_figures_of_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points: list[feed.Point] = []
    fake = Fake(points.extend)
    attempt = attempt_with(monkeypatch, tmp_path, lambda: fake)
    attempt.trackers.metric(1, {"loss": float("nan"), "grad_norm": 2.0})
    attempt.close(JobStatus.FAILED)
    assert points == [(1, {"train/grad_norm": 2.0})]
    assert fake.closed == [(JobStatus.FAILED, {"train_loss": 0.5, "steps": 3.0})]
    assert attempt.trackers.note == "MLflow: http://127.0.0.1/run"


def test_what_is_not_installed_is_said_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tool, "is_installed", False)
    attempt = Attempt(tmp_path, ["wandb"]).measure([1]).close()
    [alert] = attempt.alerts
    assert alert.message == "The curves do not go to Weights & Biases, which is not installed."
    assert "pip install 'qlora-ui[wandb]'" in alert.hint


@pytest.mark.parametrize("moment", ["open", "log"])
@pytest.mark.parametrize("error", [ValueError("https://ann:secret@host is down.\nmore"), SystemExit(3)])
def test_a_tracker_that_breaks_is_told_of_once_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, error: BaseException
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    attempt = attempt_with(monkeypatch, tmp_path, fail if moment == "open" else lambda: Fake(fail))
    attempt.measure(range(1, 50)).close()
    [alert] = attempt.alerts
    assert alert.message.startswith("MLflow does not get the curves any more: ")
    assert "secret" not in alert.message and "more" not in alert.message.partition(": ")[2]


@pytest.mark.parametrize(
    ("status", "limit"), [(JobStatus.COMPLETED, "CLOSE_SECONDS"), (JobStatus.PAUSED, "PAUSE_SECONDS")]
)
def test_a_tracker_that_hangs_is_let_go_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: JobStatus, limit: str
) -> None:
    monkeypatch.setattr(trackers, limit, 0.05)
    leave = threading.Event()
    attempt = attempt_with(monkeypatch, tmp_path, lambda: Fake(lambda _: assert_true(leave.wait(20))))
    attempt.measure([1, 2]).close(status)
    [alert] = attempt.alerts
    assert alert.message == "MLflow did not take the last points in time, so it lacks them."
    leave.set()


def test_the_library_of_a_tracker_that_hangs_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    code = (
        "import atexit, time\nfrom pathlib import Path\nfrom qlora_ui.contract.trackers import Tool\n"
        "from qlora_ui.worker import trackers\nfrom qlora_ui.worker.__main__ import leave\n"
        "from tests.worker.tracked import Attempt\n"
        "atexit.register(time.sleep, 1000)\n"  # as libraries do that send what is left
        "trackers.CLOSE_SECONDS, trackers._opener = 0.05, lambda *_: lambda: time.sleep(1000)\n"
        "Tool.is_installed = True\n"
        f"Attempt(Path({str(tmp_path)!r}), ['mlflow']).close()\nprint('at its end')\nleave(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "at its end\n"), done.stderr


def test_a_tracker_that_does_not_keep_up_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "WAITING_POINTS", 5)
    leave = threading.Event()
    attempt = attempt_with(monkeypatch, tmp_path, lambda: Fake(lambda _: assert_true(leave.wait(20))))
    attempt.measure(range(1, 50))
    [alert] = attempt.alerts
    assert "no points for a long time" in alert.message
    leave.set()
    attempt.close()
    assert len(attempt.alerts) == 1


def test_a_full_disk_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Event) -> None:
        raise WorkspaceError("The disk is full.")

    attempt = attempt_with(monkeypatch, tmp_path, Fake)
    object.__setattr__(attempt.context, "report", refuse)
    attempt.close()


def assert_true(value: bool) -> None:
    assert value
