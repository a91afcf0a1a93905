"""The worker that waits: it takes the next run, is replaced where it cannot, and ends with its server."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers import standby as module
from qlora_ui.jobs.workers import standby_process
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.jobs.workers.standby import Standby
from qlora_ui.jobs.workers.standby_process import StandbyProcess, memory_of, waiting_in
from qlora_ui.store.store import Store
from tests.unit.jobs.conftest import FAKE_WORKER

ROOT = Path(__file__).parents[3]
FAKE_STANDBY = (sys.executable, "-m", "tests.fakes.standby")
PLENTY = 64 * 10**9

Make = Callable[..., Standby]
Training = Callable[..., TrainingParameters]


def start_fake(device: str, _home: Path, told: Callable[[], object]) -> StandbyProcess:
    return StandbyProcess(device, ROOT, told, FAKE_STANDBY)


@pytest.fixture
async def make_standby(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes the standby of a server on the home folder; it is closed at the end."""
    made: list[Standby] = []
    monkeypatch.setattr(module, "local_devices", lambda: ("cpu",))

    def make(*, allowed: bool = True, free: int = PLENTY) -> Standby:
        instance = Store(workspace).instance
        standby = Standby(
            workspace.home,
            instance,
            allowed=allowed,
            free_memory=lambda: free,
            calm_s=0.02,
            start_process=start_fake,
        )
        made.append(standby)
        return standby

    yield make
    for standby in made:
        await standby.close()


@pytest.fixture
async def manager(workspace: Workspace, make_standby: Make) -> AsyncIterator[JobManager]:
    """A manager whose workers are scripted, with a standby that is not started yet."""
    launcher = LocalLauncher(FAKE_WORKER, reserve=make_standby())
    manager = JobManager(workspace, launcher, poll_seconds=0.02)
    await manager.start()
    yield manager
    await manager.close()
    for process in manager._processes.values():
        launcher.kill(process)


def standby_of(manager: JobManager) -> Standby:
    launcher = manager._launcher
    assert isinstance(launcher, LocalLauncher)
    assert isinstance(launcher._reserve, Standby)
    return launcher._reserve


async def reach(standby: Standby, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await standby.changed.emitted()


def waiting_process(standby: Standby) -> StandbyProcess:
    assert standby._process is not None
    return standby._process


async def test_a_run_goes_to_the_worker_that_waits(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    assert standby.memory is not None and standby.memory > 10**6
    assert standby.load_seconds is not None and 0 < standby.load_seconds < 30
    pid = waiting_process(standby).child.pid
    monkeypatch.setenv("QLORA_UI_TEST_NAME", "the standby \udcff")
    job = await manager.submit(JobKind.TRAINING, training("slow", max_steps=5))
    states: list[str] = []
    standby.changed.subscribe(lambda: states.append(standby.state))
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert job.history.started is not None and job.history.started.process.pid == pid
    printed = job.paths.console.read_text(errors="surrogateescape")
    assert "a library said this while it was loaded" in printed
    assert f"printed by the standby \udcff in {job.paths.folder}" in printed
    await reach(standby, lambda: standby.state == "ready")
    assert states[0] == "starting" and "busy" in states, "none is kept while a run is at work"
    assert waiting_process(standby).child.pid != pid


async def test_the_end_of_such_a_run_is_known_by_its_exit_code(manager: JobManager, training: Training) -> None:
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    job = await manager.submit(JobKind.TRAINING, training("slow", max_steps=100))
    while job.history.started is None:
        await job.changed.emitted()
    process = job.history.started.process
    manager._launcher.kill(process)
    assert await manager.ended(job) is JobStatus.INTERRUPTED
    assert manager._launcher.exit_code(process) == -signal.SIGKILL


@pytest.mark.parametrize("fate", ["mute", "loading"])
async def test_a_worker_that_does_not_take_the_run_is_replaced(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    monkeypatch.setenv("FAKE_STANDBY", fate)
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == ("ready" if fate == "mute" else "starting"))
    while standby._process is None:
        await asyncio.sleep(0)
    waited = ProcessIdentity.of(waiting_process(standby).child.pid)
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert job.history.started is not None and job.history.started.process.pid != waited.pid
    assert not waited.is_alive


async def test_a_worker_that_died_while_it_waited_is_replaced(manager: JobManager, training: Training) -> None:
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    process = waiting_process(standby)
    os.kill(process.child.pid, signal.SIGKILL)
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert job.history.started is not None and job.history.started.process.pid != process.child.pid


async def test_a_worker_that_was_stopped_while_it_waited_is_replaced(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QLORA_UI_TEST_BULK", "x" * 100_000)  # more than a pipe holds
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    stopped = ProcessIdentity.of(waiting_process(standby).child.pid)
    os.kill(stopped.pid, signal.SIGSTOP)
    job = await manager.submit(JobKind.TRAINING, training())
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert job.history.started is not None and job.history.started.process.pid != stopped.pid
    assert not stopped.is_alive


async def test_it_is_found_by_the_home_folder_that_it_waits_in(
    manager: JobManager, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standby_process, "COMMAND", FAKE_STANDBY)
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    process = waiting_process(standby)
    assert process.child.pid in waiting_in(ROOT)
    assert process.child.pid not in waiting_in(workspace.home)
    assert memory_of(process.child.pid) == pytest.approx(standby.memory, rel=0.5)
    await standby.set_enabled(False)
    assert process.child.pid not in waiting_in(ROOT)
    assert memory_of(process.child.pid) is None


async def test_a_worker_for_another_device_goes_on_waiting(
    manager: JobManager, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "local_devices", lambda: ("cuda:0",))
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    process = waiting_process(standby)
    job = await manager.submit(JobKind.TRAINING, training(device="cpu"))
    assert await manager.ended(job) is JobStatus.COMPLETED
    assert waiting_process(standby) is process and process.is_ready


async def test_what_keeps_it_from_loading_is_said(manager: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_STANDBY", "broken")
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: bool(standby.problem))
    assert (standby.state, standby.problem) == ("off", "ImportError: libnothing.so is missing")
    monkeypatch.delenv("FAKE_STANDBY")
    manager.jobs_changed.emit()
    await reach(standby, lambda: standby.state == "ready")
    assert standby.problem == ""


async def test_it_can_be_switched_off_and_stays_so(manager: JobManager, make_standby: Make) -> None:
    standby = standby_of(manager)
    await standby.start(manager)
    await reach(standby, lambda: standby.state == "ready")
    waited = ProcessIdentity.of(waiting_process(standby).child.pid)
    await standby.set_enabled(False)
    assert not waited.is_alive
    await reach(standby, lambda: standby.state == "off")
    assert standby.memory is None
    later = make_standby()
    await later.start(manager)
    assert (later.is_enabled, later.lacks_memory, later.state) == (False, False, "off")
    await later.set_enabled(True)
    await reach(later, lambda: later.state == "ready")


async def test_with_little_memory_it_is_off_until_a_person_wants_it(manager: JobManager, make_standby: Make) -> None:
    standby = make_standby(free=2 * 10**9)
    await standby.start(manager)
    assert (standby.is_enabled, standby.lacks_memory) == (False, True)
    await standby.set_enabled(True)
    assert (standby.is_enabled, standby.lacks_memory) == (True, False)
    await reach(standby, lambda: standby.state == "ready")


async def test_without_it_at_the_start_it_stays_off(manager: JobManager, make_standby: Make) -> None:
    standby = make_standby(allowed=False)
    await standby.start(manager)
    with pytest.raises(JobError, match="--no-standby"):
        await standby.set_enabled(True)
    assert standby.state == "off"


@pytest.mark.parametrize("fate", ["", "loading"])
def test_it_ends_with_its_server_however_that_ends(fate: str) -> None:
    server = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from qlora_ui.jobs.workers.standby_process import StandbyProcess, memory_of, waiting_in
        process = StandbyProcess("cpu", Path({str(ROOT)!r}), lambda: None, {FAKE_STANDBY!r})
        while {fate == ""} and not process.is_ready:
            pass
        print(process.child.pid, flush=True)
        sys.stdin.read()
    """)
    environment = os.environ | {"FAKE_STANDBY": fate}
    with subprocess.Popen(
        [sys.executable, "-c", server], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        standby = ProcessIdentity.of(int(process.stdout.readline()))
        descriptor = os.pidfd_open(standby.pid)
        process.kill()
    poll = select.poll()
    poll.register(descriptor)
    assert poll.poll(20_000), "it is still there"
    os.close(descriptor)
    assert not standby.is_alive
