"""A worker that has waited does what one does that was started for the run."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from huggingface_hub import constants

from qlora_ui.contract.events import Metric
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.data.encoding import tokenizer
from qlora_ui.jobs.workers.standby_process import StandbyProcess
from qlora_ui.worker import __main__ as worker
from qlora_ui.worker import environment
from qlora_ui.worker.context import Context
from tests.worker.conftest import TRAINING, events_of, finish, make_run

SHORT = TRAINING | {"max_steps": 4, "evaluations": 1, "lora_dropout": 0.1}
MEASURED = {"loss", "grad_norm", "learning_rate", "eval_loss"}


def figures(paths: RunPaths) -> list[dict[str, float]]:
    """What the training computed, without what depends on the time."""
    metrics = (event.values for event in events_of(paths) if isinstance(event, Metric))
    computed = ({name: values[name] for name in sorted(MEASURED & values.keys())} for values in metrics)
    return [values for values in computed if values]


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], StandbyProcess]:
    """Starts a standby worker on one thread and waits until it is ready."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def start() -> StandbyProcess:
        ready = threading.Event()
        process = StandbyProcess("cpu", tmp_path, ready.set)
        assert ready.wait(120) and process.is_ready, process.last_words
        return process

    return start


def test_losses_are_the_same_to_the_last_digit(home: Path, waiting: Callable[[], StandbyProcess]) -> None:
    cold = make_run(home, JobKind.TRAINING, SHORT, run_id="cold")
    warm = make_run(home, JobKind.TRAINING, SHORT, run_id="warm")
    finish(cold)
    standby = waiting()
    assert standby.take(warm, os.environ)
    assert standby.child.wait(240) == 0, warm.console.read_text()[-3000:]
    assert figures(warm) == figures(cold)
    assert any("loss" in values for values in figures(warm))


def test_a_stop_by_signal_reaches_it(home: Path, waiting: Callable[[], StandbyProcess]) -> None:
    paths = make_run(home, JobKind.TRAINING, TRAINING | {"max_steps": 1000}, run_id="stopped-standby")
    standby = waiting()
    assert standby.take(paths, os.environ)
    while not paths.events.exists() or not events_of(paths):  # its first event tells that it listens
        time.sleep(0.01)
    standby.child.terminate()
    assert standby.child.wait(240) == 0
    assert f'"{JobStatus.STOPPED}"' in paths.exit.read_text()


def test_loading_touches_no_device_and_asks_nobody() -> None:
    """What `qlora_ui.worker.standby` imports, in a process without any way out."""
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('it went to the network')\n"
        "socket.socket.connect = refuse\n"
        "from qlora_ui.worker import standby\n"
        "standby.load_libraries('cpu')\n"
        "import torch\n"
        "assert not torch.cuda.is_initialized()\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True, timeout=120)


def test_a_hub_that_does_not_answer_is_left_by_libraries_that_are_loaded_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    datasets: Any = ModuleType("datasets.config")
    datasets.HF_HUB_OFFLINE = False
    monkeypatch.setitem(sys.modules, datasets.__name__, datasets)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(tokenizer, "hub_answers", lambda _: False)
    said: list[str] = []
    asked = SimpleNamespace(parameters=SimpleNamespace(model_name="somebody/model"), warn=said.append)
    worker._leave_silent_hub(cast(Context, asked))
    assert constants.HF_HUB_OFFLINE is datasets.HF_HUB_OFFLINE is True
    assert len(said) == 1


@pytest.mark.parametrize(
    ("given", "is_offline"),
    [
        ({}, False),
        ({"HF_HUB_OFFLINE": "1"}, True),
        ({"TRANSFORMERS_OFFLINE": "yes"}, True),
        ({"HF_HUB_OFFLINE": "0"}, False),
    ],
)
def test_a_job_that_may_ask_the_hub_can_though_the_libraries_were_loaded_without(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], is_offline: bool
) -> None:
    hub: Any = ModuleType("huggingface_hub.constants")
    datasets: Any = ModuleType("datasets.config")
    hub.HF_HUB_OFFLINE = datasets.HF_HUB_OFFLINE = not is_offline
    monkeypatch.setitem(sys.modules, hub.__name__, hub)
    monkeypatch.setitem(sys.modules, datasets.__name__, datasets)
    monkeypatch.setattr(os, "environ", dict(given))
    assert environment.set_environment("somebody/model", offline=False) is False
    assert hub.HF_HUB_OFFLINE is is_offline
    assert datasets.HF_HUB_OFFLINE is is_offline
    assert environment.set_environment("somebody/model", offline=True) is True
    assert hub.HF_HUB_OFFLINE is datasets.HF_HUB_OFFLINE is True
