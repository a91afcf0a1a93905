"""The real worker, on the starter model: whatever befalls it at random moments, its run ends as if nothing had been.

Each round has a seed of its own. So that a round takes seconds, workers are forked from a process that has imported the
libraries; how `python -m qlora_ui.worker` starts is the business of other tests.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from qlora_ui.contract import checkpoints
from qlora_ui.contract.events import AlertCode, Resumed
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import EndCause, JobKind, JobStatus
from qlora_ui.jobs.history.event_file import EventTail
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.jobs.workers.leases import is_held
from qlora_ui.settings import prepare_home
from tests.worker.conftest import TRAINING, events_of

ROUNDS = 10
STEPS = 18
LEARNED = ("loss", "learning_rate", "grad_norm")
"""The figures in which a run must equal an undisturbed one, at every step."""
BLOWS = ("kill", "kill_with_server", "torn_line", "damaged_checkpoint", "freeze", "pause", "stop")

_processes = multiprocessing.get_context("forkserver")


def work(folder: str) -> None:
    """What `python -m qlora_ui.worker` does with a run folder, in a process that has the libraries already."""
    from qlora_ui.worker.__main__ import main

    os.setsid()
    with (Path(folder) / "console.log").open("ab") as console:
        os.dup2(console.fileno(), 1)
        os.dup2(console.fileno(), 2)
    sys.exit(main([folder]))


class ForkingLauncher(LocalLauncher):
    """Starts workers that need not import anything any more."""

    def __init__(self) -> None:
        super().__init__()
        self.workers: dict[int, multiprocessing.context.ForkServerProcess] = {}

    def launch(self, paths: RunPaths, *, offline: bool = False) -> ProcessIdentity:
        worker = _processes.Process(target=work, args=(str(paths.folder),))
        worker.start()
        assert worker.pid is not None
        self.workers[worker.pid] = worker
        return ProcessIdentity.of(worker.pid)

    def exit_code(self, process: ProcessIdentity) -> int | None:
        if (worker := self.workers.get(process.pid)) is None:
            return None
        worker.join(10)  # the process that it was forked from passes on how it ended
        return worker.exitcode


@pytest.fixture(scope="module", autouse=True)
def prepared_processes() -> Iterator[None]:
    """The process that workers are forked from, with one thread for arithmetic."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}.items():
            patch.setenv(name, value)
        libraries = ["torch", "transformers", "peft", "bitsandbytes", "datasets", "qlora_ui.worker.training.train"]
        _processes.set_forkserver_preload(libraries)
        yield


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    counts: Counter[str] = Counter()
    yield counts
    print("\n" + "\n".join(f"{count:6} {what.replace('_', ' ')}" for what, count in sorted(counts.items())))
    if counts["rounds"] == ROUNDS:
        assert all(counts[blow] for blow in BLOWS)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("chaos") / "home")
    prepare_home(workspace)
    return workspace


@pytest.fixture
async def servers(workspace: Workspace) -> AsyncIterator[list[JobManager]]:
    """The one server at work, the last in the list."""
    launcher = ForkingLauncher()
    made = [JobManager(workspace, launcher, poll_seconds=0.02)]
    await made[0].start()
    yield made
    await made[-1].close()
    for worker in launcher.workers.values():
        worker.kill()


_undisturbed: list[RunPaths] = []


async def undisturbed(servers: list[JobManager]) -> RunPaths:
    """A run that nothing befell, made once."""
    if not _undisturbed:
        job = await servers[-1].submit(JobKind.TRAINING, parameters("undisturbed"))
        assert await servers[-1].ended(job) is JobStatus.COMPLETED, job.paths.console.read_text()[-2000:]
        _undisturbed.append(job.paths)
    return _undisturbed[0]


def parameters(name: str) -> TrainingParameters:
    values = {**TRAINING, "name": name, "max_steps": STEPS, "save_steps": 3, "evaluations": 0}
    return TrainingParameters.model_validate(values)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_run_ends_as_if_nothing_had_happened(seed: int, servers: list[JobManager], tally: Counter[str]) -> None:
    rng = random.Random(seed)
    expected = await undisturbed(servers)
    job = await servers[-1].submit(JobKind.TRAINING, parameters(f"round {seed}"))
    for blow in (BLOWS[seed % len(BLOWS)], rng.choice(BLOWS)):
        await until(servers[-1], job, step=job.step + rng.randint(1, 6))
        if job.status is not JobStatus.RUNNING:
            break  # it was quicker
        await asyncio.sleep(rng.uniform(0, 0.1))
        job = await strike(blow, servers, job, rng)
        tally[blow] += 1
        if job.status.can_resume:
            await servers[-1].resume(job.id)
            tally["resumes"] += 1
    assert await servers[-1].ended(job) is JobStatus.COMPLETED, job.paths.console.read_text()[-3000:]
    got, wanted = history_of(job.paths).curves, history_of(expected).curves
    for name in LEARNED:
        assert dict(got.points(name)) == pytest.approx(dict(wanted.points(name)), abs=1e-4), name
    same = [(run.adapter / "adapter_model.safetensors").read_bytes() for run in (job.paths, expected)]
    assert same[0] == same[1]
    assert not is_held(servers[-1].workspace.device_lock("cpu"))
    tally["rounds"] += 1


async def strike(blow: str, servers: list[JobManager], job: Job, rng: random.Random) -> Job:
    """Do it, wait until the run is at rest (but for a freeze), and check what is told of it."""
    process = servers[-1]._processes[job.id]
    if blow == "freeze":
        os.kill(process.pid, signal.SIGSTOP)
        await servers[-1].refresh()
        assert job.status is JobStatus.RUNNING
        os.kill(process.pid, signal.SIGCONT)
        return job
    if blow in {"pause", "stop"}:
        await getattr(servers[-1], blow)(job.id)
        status = await servers[-1].ended(job)
        assert status in {JobStatus.PAUSED if blow == "pause" else JobStatus.STOPPED, JobStatus.COMPLETED}
        return job
    os.kill(process.pid, signal.SIGKILL)
    if blow == "kill_with_server":
        await servers[-1].close()
        servers.append(JobManager(servers[-1].workspace, ForkingLauncher(), poll_seconds=0.02))
        await servers[-1].start()
        job = servers[-1].get(job.id)
    status = await servers[-1].ended(job)
    if status is JobStatus.INTERRUPTED:
        assert job.cause is (EndCause.UNKNOWN if blow == "kill_with_server" else EndCause.SIGNAL), job.message
    if blow == "torn_line":
        os.truncate(job.paths.events, job.paths.events.stat().st_size - rng.randint(1, 40))
    if blow == "damaged_checkpoint":
        damage(job.paths, rng)
    return job


def damage(paths: RunPaths, rng: random.Random) -> None:
    """Change one byte of the newest checkpoint."""
    if (newest := checkpoints.newest(paths.checkpoints)) is None:
        return
    file = newest / rng.choice(["adapter_model.safetensors", "optimizer.pt"])
    content = bytearray(file.read_bytes())
    content[rng.randrange(len(content))] ^= 0xFF
    file.write_bytes(content)


def history_of(paths: RunPaths) -> History:
    """All that a run said, as the app shows it."""
    history, tail = History(), EventTail(paths.events)
    while found := tail.read():
        for event in found:
            history.apply(event)
    return history


async def until(server: JobManager, job: Job, *, step: int) -> None:
    """Wait until the run has come so far, or is not at work any more."""
    while job.status in {JobStatus.PENDING, JobStatus.RUNNING} and job.step < min(step, STEPS - 2):
        await job.changed.emitted()


async def test_a_damaged_checkpoint_is_passed_over_and_named(servers: list[JobManager]) -> None:
    job = await servers[-1].submit(JobKind.TRAINING, parameters("damaged"))
    await until(servers[-1], job, step=10)
    os.kill(servers[-1]._processes[job.id].pid, signal.SIGKILL)
    assert await servers[-1].ended(job) is JobStatus.INTERRUPTED
    newest = checkpoints.newest(job.paths.checkpoints)
    assert newest is not None
    step = checkpoints.step_of(newest)
    (newest / "optimizer.pt").write_bytes(b"no optimiser")
    await servers[-1].resume(job.id)
    assert await servers[-1].ended(job) is JobStatus.COMPLETED
    alert = next(alert for alert in job.alerts if alert.code == AlertCode.DAMAGED_CHECKPOINT)
    assert "optimizer.pt" in alert.message
    assert [event.step for event in events_of(job.paths) if isinstance(event, Resumed)] == [step - 3]
    assert [step for step, _ in job.curves.points("loss")] == list(range(1, STEPS + 1))
