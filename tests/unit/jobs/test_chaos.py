"""Whatever befalls workers, servers, the disk and the clock at random moments: no run is lost, nothing told is wrong.

Each round has a seed of its own, which decides what happens and when; the moments themselves are the machine's.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.event_file import EventTail
from qlora_ui.jobs.history import History
from qlora_ui.jobs.leases import is_held
from qlora_ui.jobs.run_folder import read_exit, read_record
from qlora_ui.settings import prepare_home
from qlora_ui.store.store import Store
from tests.fakes.diary import Diary
from tests.fakes.follower import Follower, Refused, Seen
from tests.fakes.worker import STEPS

ROUNDS = 50
BLOWS = (
    "kill_worker",
    "kill_server",
    "power_cut",
    "freeze_worker",
    "freeze_server",
    "fill_disk",
    "jump_clock",
    "second_server",
    "change_queue",
    "kill_server_in_the_middle",
)
EVERY_WISH = ("train", "pause", "stop", "resume", "delete", "move", "hold_queue", "continue_queue")
JUMPS = (3_600.0, -3_600.0, 31_536_000.0, -31_536_000.0)
"""An hour and a year, forward and back [s]."""
DEVICES = ("cpu", "cuda:0")
"""Scripted workers need nothing of a device but its lease."""
DISK_MB = 8
LEAST = 5
"""So often each blow must have struck in all rounds together."""
ENDED_EARLY = {JobStatus.INTERRUPTED, JobStatus.PAUSED, JobStatus.STOPPED, JobStatus.FAILED}


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """What happened in all rounds together; printed at the end."""
    counts: Counter[str] = Counter()
    yield counts
    print("\n" + "\n".join(f"{count:6} {what.replace('_', ' ')}" for what, count in sorted(counts.items())))
    if counts["rounds"] == ROUNDS:
        needed = {*BLOWS, "torn last lines", "interruptions", "resumes", "runs completed"}
        if counts["no small disk"]:
            needed.remove("fill_disk")
        assert {what: counts[what] for what in needed if counts[what] < LEAST} == {}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_is_lost_and_nothing_told_is_wrong(seed: int, tmp_path: Path, tally: Counter[str]) -> None:
    rng = random.Random(seed)
    blows = [BLOWS[seed % len(BLOWS)], *rng.choices(BLOWS, k=rng.randint(1, 3))]
    rng.shuffle(blows)
    with contextlib.ExitStack() as stack:
        home = tmp_path / "home"
        home.mkdir()
        if "fill_disk" in blows and not stack.enter_context(small_disk(home)):
            tally["no small disk"] += 1
            blows = [blow for blow in blows if blow != "fill_disk"]
        chaos = Round(rng, home, Diary(tmp_path / "diary"), tally)
        stack.callback(chaos.end_everything)
        chaos.begin()
        for blow in blows:
            time.sleep(rng.uniform(0, 0.4))  # the moment is what is random here
            getattr(chaos, blow)()
        chaos.heal()
        chaos.check_at_rest()
        chaos.bring_to_an_end()
    tally["rounds"] += 1


class Round:
    """One home, its servers and workers, and what is done to them."""

    def __init__(self, rng: random.Random, home: Path, diary: Diary, tally: Counter[str]) -> None:
        self.rng, self.diary, self.tally = rng, diary, tally
        self.workspace = Workspace(home)
        self.servers: list[Follower] = []
        self.there: set[str] = set()
        """The runs that must be there, because a server said that it had taken them in."""
        self.unsure: set[str] = set()
        """Those of them that may be gone: their deletion was begun."""
        self.clock = 0.0

    def begin(self) -> None:
        prepare_home(self.workspace)
        self.second_server()
        first = self.wish("train")
        self.wish("train", after=first)
        self.wish("train")

    # ---- blows ----

    def kill_worker(self) -> None:
        if workers := self.workers(wait=True):
            worker, run = self.rng.choice(workers)
            self.diary.note("killed", run=run, pid=worker.pid)
            _signal(worker, signal.SIGKILL)
            self.tally["kill_worker"] += 1

    def kill_server(self) -> None:
        if self.servers:
            self._kill(self.rng.choice(self.servers))
            self.tally["kill_server"] += 1

    def power_cut(self) -> None:
        """All processes end at once, and the last line of each run's events was only half written."""
        self.workers(wait=True)
        time.sleep(self.rng.uniform(0, 0.6))
        for server in self.servers:
            os.kill(server.pid, signal.SIGSTOP)
        workers = self.workers()
        for worker, run in workers:
            self.diary.note("killed", run=run, pid=worker.pid)
            _signal(worker, signal.SIGKILL)
        while self.servers:
            self._kill(self.servers[0])
        self.tally["power_cut"] += 1
        psutil.wait_procs([worker for worker, _ in workers], timeout=10)
        for _, run in workers:
            events = self.workspace.run(run).events
            lines = events.read_bytes().splitlines(keepends=True) if events.exists() else []
            if len(lines) > 1:
                os.truncate(events, events.stat().st_size - self.rng.randint(1, len(lines[-1]) - 1))
                self.tally["torn last lines"] += 1

    def freeze_worker(self) -> None:
        if not (workers := self.workers(wait=True)):
            return
        worker, run = self.rng.choice(workers)
        _signal(worker, signal.SIGSTOP)
        ended = self.workspace.run(run).exit.exists()
        if self.servers and not ended and worker.is_running():
            seen = {job.id: job for job in self.servers[0].ask("seen")}
            assert run not in seen or seen[run].status is JobStatus.RUNNING, "it sleeps, and lives"
            self.tally["freeze_worker"] += 1
        _signal(worker, signal.SIGCONT)

    def freeze_server(self) -> None:
        if self.servers:
            pid = self.rng.choice(self.servers).pid
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.rng.uniform(0.05, 0.5))
            os.kill(pid, signal.SIGCONT)
            self.tally["freeze_server"] += 1

    def fill_disk(self) -> None:
        self.tally["fill_disk"] += 1
        with contextlib.suppress(OSError), (self.workspace.home / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def jump_clock(self) -> None:
        self.tally["jump_clock"] += 1
        self.clock += self.rng.choice(JUMPS)
        for server in self.servers:
            server.ask("clock", self.clock)

    def second_server(self) -> None:
        with contextlib.suppress(Refused):  # where the disk is full, it says so
            self.servers.append(self.new_server())
            self.tally["second_server"] += len(self.servers) > 1

    def change_queue(self) -> None:
        self.tally["change_queue"] += 1
        for _ in range(3):
            self.wish(self.rng.choice(EVERY_WISH))

    def kill_server_in_the_middle(self) -> None:
        """Of carrying out a wish, or just before, or just after."""
        if not self.servers:
            return
        server = self.servers[-1]
        wish, arguments = self._some_wish(self.rng.choice(EVERY_WISH))
        if wish == "delete":
            self.unsure.add(arguments[0])
        server.post(wish, *arguments)
        time.sleep(self.rng.uniform(0, 0.03))
        self._kill(server)
        self.tally["kill_server_in_the_middle"] += 1

    # ---- help ----

    def new_server(self) -> Follower:
        return Follower(self.workspace.home, self.diary.file, clock_seconds=self.clock)

    def wish(self, wish: str, after: str | None = None) -> str | None:
        """Ask some server for something; refusals are its right. Gives the id of a new run."""
        if not self.servers:
            return None
        wish, arguments = self._some_wish(wish, after)
        try:
            answer = self.rng.choice(self.servers).ask(wish, *arguments)
        except Refused:
            self.tally["wishes refused"] += 1
            return None
        if wish == "train":
            self.there.add(answer)
            return str(answer)
        if wish == "delete":
            self.there.discard(arguments[0])
            assert not self.workspace.run(arguments[0]).folder.exists()
        return None

    def _some_wish(self, wish: str, after: str | None = None) -> tuple[str, tuple[Any, ...]]:
        if wish in {"hold_queue", "continue_queue"} or (wish != "train" and not self.there):
            return "continue_queue" if wish != "hold_queue" else wish, ()
        if wish == "train":
            return wish, (f"run {len(self.there) + 1}", self.rng.choice(DEVICES), after)
        job = self.rng.choice(sorted(self.there))
        return wish, (job, self.rng.randint(1, 3)) if wish == "move" else (job,)

    def workers(self, *, wait: bool = False) -> list[tuple[psutil.Process, str]]:
        """The living workers of this home, each with the name of its run; `wait` a moment for there to be one."""
        end = time.monotonic() + (0.5 if wait else 0.0)
        while not (found := list(self._find_workers())) and time.monotonic() < end:
            time.sleep(0.01)
        return found

    def _find_workers(self) -> Iterator[tuple[psutil.Process, str]]:
        for process in psutil.process_iter(["cmdline", "status"]):
            command = process.info["cmdline"] or []
            if command and str(self.workspace.runs) in command[-1] and process.info["status"] != psutil.STATUS_ZOMBIE:
                yield process, Path(command[-1]).name

    def _kill(self, server: Follower) -> None:
        self.servers.remove(server)
        self.diary.note("server killed", pid=server.pid)
        server.kill()

    # ---- afterwards ----

    def heal(self) -> None:
        """Room on the disk, and a server."""
        (self.workspace.home / "ballast").unlink(missing_ok=True)
        if not self.servers:
            self.servers.append(self.new_server())

    def check_at_rest(self) -> None:
        """With nothing at work, every server tells of every run what its worker really did."""
        self.servers[0].ask("hold_queue")
        self.servers[0].ask("until_at_rest")
        self.check_no_worker_is_left()
        self.check_leases()
        for server in self.servers:
            seen: list[Seen] = server.ask("seen")
            for job in seen:
                assert job.status is self.truth(job.id), (job, self.diary.entries())
                assert job.message
            ids = {job.id for job in seen}
            assert self.there - self.unsure <= ids == {folder.name for folder in self.workspace.runs.glob("[!.]*")}
        self.tally["interruptions"] += sum(job.status is JobStatus.INTERRUPTED for job in seen)
        assert list(self.diary.errors()) == []

    def truth(self, run: str) -> JobStatus:
        paths = self.workspace.run(run)
        record = read_record(paths)
        waiting = {"queued": JobStatus.PENDING, "held": JobStatus.PAUSED, "cancelled": JobStatus.STOPPED}
        if record.state in waiting:
            return waiting[record.state]
        ended = read_exit(paths)
        return self.diary.end_of(run, record.attempt, exit_is_there=bool(ended and ended.attempt == record.attempt))

    def bring_to_an_end(self) -> None:
        """Everything that was interrupted, paused, stopped or has failed can be resumed, and then completes."""
        server = self.servers[0]
        server.ask("continue_queue")
        for job in server.ask("seen"):
            if job.status in ENDED_EARLY:
                server.ask("resume", job.id)
                self.tally["resumes"] += 1
        server.ask("until_done")
        finished: list[Seen] = server.ask("seen")
        assert {job.status for job in finished} <= {JobStatus.COMPLETED}, finished
        for job in finished:
            assert curve_of(self.workspace.run(job.id)) == list(range(1, STEPS + 1)), job
        self.tally["runs completed"] += len(finished)
        while self.servers:
            self.servers.pop().close()
        self.check_no_worker_is_left()
        self.check_leases()
        self.check_database({job.id for job in finished})

    def check_no_worker_is_left(self) -> None:
        """One that has written its end may still need a moment to go."""
        psutil.wait_procs([worker for worker, _ in self.workers()], timeout=10)
        assert self.workers() == [], "a worker is alive of which no server knows"

    def check_leases(self) -> None:
        """No lock is held by the dead."""
        locks = [*self.workspace.devices.glob("*.lock"), *self.workspace.runs.glob("*/run.lock")]
        held = [lock for lock in locks if lock != self.workspace.queue_lock and is_held(lock)]
        assert held == []

    def check_database(self, finished: set[str]) -> None:
        if self.workspace.database.exists():
            json.loads(self.workspace.database.read_bytes())
        store = Store(self.workspace)
        assert store.recovery == ""
        store.adapters.rebuild(self.workspace)
        assert {adapter.id for adapter in store.adapters.list()} == finished

    def end_everything(self) -> None:
        """After a round that went wrong too."""
        for server in self.servers:
            server.kill()
        for worker, _ in self.workers():
            _signal(worker, signal.SIGKILL)


def curve_of(paths: RunPaths) -> list[int]:
    """The steps that the loss curve has, as the app draws it."""
    history, tail = History(), EventTail(paths.events)
    while found := tail.read():
        for event in found:
            history.apply(event)
    return [step for step, _ in history.curves.points("loss")]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Make the folder a disk of a few megabytes for a while; False where this system lets us make none."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True).returncode == 0
    yield made
    if made:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself just now
        process.send_signal(number)
