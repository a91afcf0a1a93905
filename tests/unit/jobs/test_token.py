"""The hub token reaches the processes that may ask the hub, and leaves no trace on the way."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.recipe import DataQuery, Recipe, Source
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.inspector import Inspector
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.settings import prepare_home
from qlora_ui.store import credentials as module
from qlora_ui.store.credentials import Credentials
from qlora_ui.store.store import Store

TOKEN = "hf_TraceMeIfYouCan1234567890"
FAKE_WORKER = (sys.executable, str(Path(__file__).parents[2] / "fakes" / "worker.py"))

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads /proc")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    for name in (module.VARIABLE, module.OLD_VARIABLE, module.OFFLINE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    workspace = Workspace(tmp_path / "home")
    prepare_home(workspace)
    Credentials(workspace, find_keyring=lambda: None).set(TOKEN)
    return workspace


def manager(workspace: Workspace) -> JobManager:
    credentials = Credentials(workspace, find_keyring=lambda: None)
    return JobManager(workspace, LocalLauncher(FAKE_WORKER, credentials=credentials.environment), poll_seconds=0.02)


def parameters(**others: object) -> TrainingParameters:
    return TrainingParameters.model_validate(
        {"name": "slow one", "model_name": "starter", "dataset_path": "starter", "max_steps": 500, **others}
    )


async def test_a_worker_has_it_in_its_environment_and_nowhere_else(workspace: Workspace) -> None:
    Store(workspace)
    jobs = manager(workspace)
    await jobs.start()
    job = await jobs.submit(JobKind.TRAINING, parameters())
    while job.step == 0:
        await job.changed.emitted(timeout=20)
    process = jobs._processes[job.id].pid
    assert f"HF_TOKEN={TOKEN}".encode() in Path(f"/proc/{process}/environ").read_bytes()
    assert TOKEN.encode() not in Path(f"/proc/{process}/cmdline").read_bytes()
    await jobs.stop(job.id)
    assert await jobs.ended(job) is JobStatus.STOPPED
    await jobs.close()
    assert TOKEN not in os.environ.values()
    assert files_with(TOKEN, workspace.home) == [workspace.hub_token]


async def test_an_offline_run_does_not_get_it(workspace: Workspace) -> None:
    jobs = manager(workspace)
    await jobs.start()
    job = await jobs.submit(JobKind.TRAINING, parameters(offline=True))
    while job.step == 0:
        await job.changed.emitted(timeout=20)
    process = jobs._processes[job.id].pid
    assert TOKEN.encode() not in Path(f"/proc/{process}/environ").read_bytes()
    await jobs.stop(job.id)
    await jobs.ended(job)
    await jobs.close()


def test_every_manager_gives_it_to_its_workers(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the command line too, which name no launcher."""
    monkeypatch.setattr(module, "system_keyring", lambda: None)
    launcher = JobManager(workspace)._launcher
    assert isinstance(launcher, LocalLauncher)
    assert launcher._credentials() == {"HF_TOKEN": TOKEN}


@pytest.mark.parametrize(("offline", "is_given"), [(False, True), (True, False)])
async def test_the_inspector_gets_it_unless_offline(workspace: Workspace, offline: bool, is_given: bool) -> None:
    seen = workspace.home.parent / "seen"
    script = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(os.environ.get('HF_TOKEN', ''))"
    credentials = Credentials(workspace, find_keyring=lambda: None)
    inspector = Inspector((sys.executable, "-c", script), credentials=credentials.environment)
    with pytest.raises(Exception, match="could not be looked at"):
        await inspector.look(DataQuery(recipe=Recipe(sources=(Source(path="rows.jsonl"),)), offline=offline))
    assert seen.read_text() == (TOKEN if is_given else "")


def files_with(text: str, folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]
