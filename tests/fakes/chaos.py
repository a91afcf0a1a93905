"""What can befall a home, its servers and its workers: the blows of the chaos test, each at a random moment."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import JobStatus
from qlora_ui.settings import prepare_home
from tests.fakes.diary import Diary
from tests.fakes.follower import Follower, Refused

EVERY_WISH = ("train", "pause", "stop", "resume", "delete", "move", "hold_queue", "continue_queue")
JUMPS = (3_600.0, -3_600.0, 31_536_000.0, -31_536_000.0)
"""An hour and a year, forward and back [s]."""
DEVICES = ("cpu", "cuda:0")
"""Scripted workers need nothing of a device but its lease."""


class Chaos:
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
        if workers := self.workers(said=self.rng.choice((0, 6))):
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
        self.workers(said=6)
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
            said = self._events_of(run)
            last = said.splitlines()[-1] if said else b""
            if last:
                os.truncate(self.workspace.run(run).events, len(said) - self.rng.randint(1, len(last)))
                self.tally["torn last lines"] += 1

    def freeze_worker(self) -> None:
        if not (workers := self.workers(said=self.rng.choice((0, 6)))):
            return
        worker, run = self.rng.choice(workers)
        _signal(worker, signal.SIGSTOP)
        time.sleep(0.01)
        if self.servers and _is_stopped(worker) and not self.workspace.run(run).exit.exists():
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

    def workers(self, *, said: int | None = None) -> list[tuple[psutil.Process, str]]:
        """The living workers of this home, each with the name of its run.

        With `said`, waits up to a second for one that has told so many events.
        """
        end = time.monotonic() + (0.0 if said is None else 1.0)
        while True:
            found = list(self._find_workers())
            talking = [worker for worker in found if self._events_of(worker[1]).count(b"\n") >= (said or 0)]
            if talking or time.monotonic() >= end:
                return talking or found
            time.sleep(0.01)

    def _events_of(self, run: str) -> bytes:
        try:
            return self.workspace.run(run).events.read_bytes()
        except FileNotFoundError:
            return b""

    def _find_workers(self) -> Iterator[tuple[psutil.Process, str]]:
        for process in psutil.process_iter(["cmdline", "status"]):
            command = process.info["cmdline"] or []
            if command and str(self.workspace.runs) in command[-1] and process.info["status"] != psutil.STATUS_ZOMBIE:
                yield process, Path(command[-1]).name

    def _kill(self, server: Follower) -> None:
        self.servers.remove(server)
        self.diary.note("server killed", pid=server.pid)
        server.kill()

    def end_everything(self) -> None:
        """After a round that went wrong too."""
        for server in self.servers:
            server.kill()
        for worker, _ in self.workers():
            _signal(worker, signal.SIGKILL)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended by itself just now
        process.send_signal(number)


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False
