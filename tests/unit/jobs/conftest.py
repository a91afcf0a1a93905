"""A home folder, and a manager whose workers are scripted."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.settings import prepare_home

FAKE_WORKER = (sys.executable, str(Path(__file__).parents[2] / "fakes" / "worker.py"))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "home")
    prepare_home(workspace)
    return workspace


@pytest.fixture
def at_work() -> Iterator[ProcessIdentity]:
    """A process that lives for as long as the test."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        yield ProcessIdentity.of(child.pid)
        child.kill()


@pytest.fixture
async def make_manager(workspace: Workspace) -> AsyncIterator[Callable[[], JobManager]]:
    """Makes managers on one home folder; at the end they are closed and their workers ended."""
    made: list[JobManager] = []
    launcher = LocalLauncher(FAKE_WORKER)

    def make() -> JobManager:
        made.append(JobManager(workspace, launcher, poll_seconds=0.02))
        return made[-1]

    yield make
    for manager in made:
        await manager.close()
        for process in manager._processes.values():
            launcher.kill(process)


@pytest.fixture
def training() -> Callable[..., TrainingParameters]:
    def make(name: str = "a run", **values: object) -> TrainingParameters:
        return TrainingParameters.model_validate(
            {"name": name, "model_name": "starter", "dataset_path": "starter", "device": "cpu", **values}
        )

    return make
