"""Whatever befalls workers, servers, the disk and the clock at random moments: no run is lost, nothing told is wrong.

Each round has a seed of its own, which decides what happens and when; the moments themselves are the machine's.
"""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from qlora_ui.contract.events import Started
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.history.event_file import EventTail
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.run_folder import read_exit, read_record
from qlora_ui.jobs.workers.leases import is_held
from qlora_ui.store.store import Store
from tests.fakes.chaos import Chaos
from tests.fakes.diary import Diary
from tests.fakes.disks import small_disk
from tests.fakes.follower import Seen
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
LEAST = 3
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
        home = stack.enter_context(small_disk()) if "fill_disk" in blows else None
        if "fill_disk" in blows and home is None:
            tally["no small disk"] += 1
            blows = [blow for blow in blows if blow != "fill_disk"]
        home = home or tmp_path / "home"
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


class Round(Chaos):
    """A home that is struck, and then looked over."""

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
            steps, attempts = told_by(self.workspace.run(job.id))
            assert steps == list(range(1, STEPS + 1)), job
            assert self.diary.ended_attempts(job.id) <= attempts, job
        assert list(self.diary.errors()) == []
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


def told_by(paths: RunPaths) -> tuple[list[int], set[int]]:
    """The steps that the loss curve has, as the app draws it, and the attempts that are known to have begun."""
    history, tail, attempts = History(), EventTail(paths.events), set[int]()
    while found := tail.read():
        for event in found:
            history.apply(event)
            if isinstance(event, Started):
                attempts.add(event.attempt)
    return [step for step, _ in history.curves.points("loss")], attempts
