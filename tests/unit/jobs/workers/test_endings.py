"""Why a worker is gone that wrote no end: told apart by what is known, and remembered."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qlora_ui.contract.events import Event, Failed, Finished, Log, Started, dump_event
from qlora_ui.contract.evidence import memory_kills
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import EndCause, JobKind, JobStatus
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.workers import endings
from qlora_ui.jobs.workers.endings import Evidence, ending_of, gather, judge, way_on
from qlora_ui.jobs.workers.launcher import LocalLauncher
from tests.unit.jobs.conftest import FAKE_WORKER

GONE = ProcessIdentity(pid=1, started="never")
CRASH = (
    'Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n  File "x.py", line 3\n'
)


@pytest.mark.parametrize(
    ("evidence", "cause", "words"),
    [
        (Evidence(code=-9, memory_ran_out=True), EndCause.MEMORY, "ran out of memory, and the system ended"),
        (Evidence(code=-9, memory_ran_out=False), EndCause.SIGNAL, "the system counted no lack of memory"),
        (Evidence(code=-9), EndCause.SIGNAL, "which the system does when memory runs out"),
        (Evidence(code=-9, overdue=True), EndCause.SIGNAL, "asked to stop"),
        (Evidence(code=-15), EndCause.SIGNAL, "SIGTERM"),
        (Evidence(code=-40), EndCause.SIGNAL, "signal 40"),
        (Evidence(code=-11), EndCause.CRASH, "SIGSEGV"),
        (Evidence(code=-6), EndCause.CRASH, "SIGABRT"),
        (Evidence(code=-7), EndCause.CRASH, "SIGBUS"),
        (Evidence(code=-4), EndCause.CRASH, "SIGILL"),
        (Evidence(code=None, console=CRASH), EndCause.CRASH, "SIGSEGV"),
        (Evidence(code=None, memory_ran_out=True), EndCause.MEMORY, "most likely"),
        (Evidence(code=None, memory_ran_out=False), EndCause.UNKNOWN, "nobody was there to see"),
        (Evidence(code=None), EndCause.UNKNOWN, "nobody was there to see"),
        (Evidence(code=None, rebooted=True), EndCause.REBOOT, "started anew"),
        (Evidence(code=1, console="OSError: [Errno 28] No space left on device"), EndCause.DISK, "disk was full"),
        (Evidence(code=3), EndCause.UNKNOWN, "the code 3"),
        (Evidence(code=1, console="Traceback (most recent call last):\n"), EndCause.PROGRAM, "the code 1"),
        (Evidence(code=-9, last=Finished()), EndCause.UNKNOWN, "work was done"),
        (Evidence(code=1, last=Failed(error="The disk that holds /x is full.")), EndCause.DISK, "/x is full"),
    ],
)
def test_the_evidence_is_judged(evidence: Evidence, cause: EndCause, words: str) -> None:
    found = judge(1, evidence)
    assert found.cause is cause
    assert words in found.message
    assert "esume" in found.hint, "it offers a way on"


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(),
        Evidence(code=-9, memory_ran_out=True),
        Evidence(code=-11),
        Evidence(console="No space left on device"),
    ],
)
def test_the_way_on_names_the_checkpoint_or_says_that_there_is_none(evidence: Evidence) -> None:
    hint = judge(1, evidence).hint
    assert "Resume goes on from its last checkpoint, at step 1,200." in way_on(hint, 1200)
    assert "It has no checkpoint, so resume begins anew." in way_on(hint, None)
    assert "if it has one" not in way_on(hint, 1200) + way_on(hint, None)


def test_a_crash_shows_its_stack_and_nothing_before() -> None:
    found = judge(1, Evidence(code=-signal.SIGSEGV, console=f"Loading …\n{CRASH}"))
    assert found.traceback.startswith("Fatal Python error") and "x.py" in found.traceback


def run_of(folder: Path, *said: Event, console: str = "") -> RunPaths:
    paths = RunPaths(folder)
    paths.events.write_bytes(b"".join(dump_event(event) for event in said))
    paths.console.write_text(console)
    return paths


def test_only_what_this_attempt_printed_counts(tmp_path: Path) -> None:
    start = Started(process=GONE, attempt=2, console_bytes=len(CRASH))
    paths = run_of(tmp_path, Started(process=GONE, attempt=1), start, console=f"{CRASH}Loading …\n")
    assert gather(paths, 2, GONE, None).console == "Loading …\n"
    assert ending_of(paths, 2, GONE, None).cause is EndCause.UNKNOWN


def test_what_an_attempt_before_said_is_no_evidence(tmp_path: Path) -> None:
    paths = run_of(tmp_path, Started(process=GONE, attempt=1), Failed(error="The first one failed."), console=CRASH)
    assert ending_of(paths, 2, GONE, None).cause is EndCause.UNKNOWN
    assert ending_of(paths, 1, GONE, 1).message == "The first one failed."


def test_the_start_is_found_behind_any_number_of_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "_BLOCK", 100)
    start = Started(process=GONE, attempt=3, console_bytes=5)
    paths = run_of(tmp_path, Log(message="x" * 500), start, *(Log(message=f"line {n}") for n in range(50)))
    with paths.events.open("ab") as file:
        file.write(b'{"seq": 99, "ti')
    last, found = endings.last_events(paths)
    assert found == start
    assert isinstance(last, Log) and last.message == "line 49"


def test_a_count_that_rose_meanwhile_is_a_lack_of_memory(tmp_path: Path) -> None:
    if not (counts := memory_kills()):
        pytest.skip("this system does not count them")
    before = {name: count - 1 for name, count in counts.items()}
    here = ProcessIdentity.of()  # a process of this boot
    rose = run_of(tmp_path, Started(process=here, attempt=1, memory_kills=before))
    assert ending_of(rose, 1, here, -signal.SIGKILL).cause is EndCause.MEMORY
    same = run_of(tmp_path, Started(process=here, attempt=2, memory_kills=counts))
    assert ending_of(same, 2, here, -signal.SIGKILL).cause is EndCause.SIGNAL


def test_the_first_finding_is_remembered_for_its_attempt(tmp_path: Path) -> None:
    paths = run_of(tmp_path)
    first = ending_of(paths, 1, GONE, -signal.SIGSEGV)
    assert ending_of(paths, 1, GONE, None) == first
    assert ending_of(paths, 2, GONE, None).cause is EndCause.UNKNOWN


def test_nothing_is_remembered_of_a_worker_that_may_yet_turn_up(tmp_path: Path) -> None:
    paths = run_of(tmp_path)
    ending_of(paths, 1, None, None)
    assert not paths.ending.exists()


def test_a_folder_that_takes_no_finding_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = run_of(tmp_path)
    paths.ending.mkdir()
    assert ending_of(paths, 1, GONE, -signal.SIGSEGV).cause is EndCause.CRASH
    assert "could not be written down" in caplog.text


async def test_a_crash_in_native_code_is_told_with_its_stack(
    make_manager: Callable[[], JobManager], training: Callable[..., TrainingParameters]
) -> None:
    manager = make_manager()
    await manager.start()
    job = await manager.submit(JobKind.TRAINING, training("it breaks"))
    assert await manager.ended(job) is JobStatus.INTERRUPTED
    assert job.cause is EndCause.CRASH and "SIGSEGV" in job.message
    assert job.traceback.startswith("Fatal Python error: Segmentation fault") and "in fate" in job.traceback
    job.paths.ending.unlink()
    later = make_manager()  # which was not there to see it
    await later.start()
    assert later.get(job.id).cause is EndCause.CRASH


@pytest.fixture
def scarce_memory() -> Iterator[Path]:
    """A control group with 100 MB for all processes in it."""
    version_1 = Path("/sys/fs/cgroup/memory")
    group = (version_1 if version_1.is_dir() else Path("/sys/fs/cgroup")) / f"scarce-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if version_1.is_dir() else "memory.max")
    try:
        group.mkdir()
        limit.write_text(str(100 << 20))
    except OSError as error:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip(f"no control group can be made here: {error.strerror}")
    yield group
    group.rmdir()


async def test_a_lack_of_memory_is_told_from_a_kill(
    scarce_memory: Path, workspace: Workspace, training: Callable[..., TrainingParameters]
) -> None:
    """With a real lack of memory, and the system's real answer to it."""
    join = f'echo $$ > {scarce_memory}/cgroup.procs; exec "$@"'
    manager = JobManager(workspace, LocalLauncher(("sh", "-c", join, "sh", *FAKE_WORKER)), poll_seconds=0.02)
    await manager.start()
    hungry = await manager.submit(JobKind.TRAINING, training("hungry"))
    assert await manager.ended(hungry) is JobStatus.INTERRUPTED
    assert hungry.cause is EndCause.MEMORY, hungry.message
    killed = await manager.submit(JobKind.TRAINING, training("a slow run"))
    while killed.step < 1:
        await killed.changed.emitted()
    os.kill(manager._processes[killed.id].pid, signal.SIGKILL)
    assert await manager.ended(killed) is JobStatus.INTERRUPTED
    assert killed.cause is EndCause.SIGNAL, killed.message
    await manager.close()
