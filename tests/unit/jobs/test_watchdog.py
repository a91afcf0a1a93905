"""When the server is worried about a run at work, when it is not, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs import watchdog
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.watchdog import Watchdog


@dataclass
class Gpu:
    id: str = "cuda:0"
    name: str = "GPU"
    temperature: float | None = 60.0
    slowdown_temperature: float | None = None


@dataclass
class World:
    """A server with some runs, whose clock, devices and disk are made up."""

    workspace: Workspace
    seconds: float = 0.0
    gpus: list[Gpu] = field(default_factory=lambda: [Gpu()])
    free: int = 10**12
    trouble: str = ""
    jobs: dict[str, Job] = field(default_factory=dict)
    heard: list[tuple[str, AlertCode | str]] = field(default_factory=list)
    dog: Watchdog = field(init=False)

    def __post_init__(self) -> None:
        async def devices() -> Sequence[Gpu]:
            return self.gpus

        async def disk_free() -> int:
            return self.free

        self.dog = Watchdog(cast(Any, self), devices, disk_free, clock=lambda: self.seconds)
        self.dog.remarked.subscribe(lambda job, remark: self.heard.append((job.id, remark.code)))

    def add(self, run_id: str = "run", device: str = "cuda:0", **parameters: Any) -> Job:
        record = JobRecord(
            id=run_id,
            kind=JobKind.TRAINING,
            name=run_id,
            created_at=now(),
            queued_at=now(),
            state="launched",
            attempt=1,
            device=device,
        )
        chosen = TrainingParameters(model_name="starter", dataset_path="starter", **parameters)
        job = Job(RunPaths(self.workspace.runs / run_id), record, chosen)
        job.status = JobStatus.RUNNING
        self.jobs[run_id] = job
        return job

    async def wait(self, seconds: float, *, every: float = 5.0) -> None:
        """Let time pass, with a look each few seconds."""
        until = self.seconds + seconds
        while self.seconds < until:
            self.seconds = min(self.seconds + every, until)
            await self.dog.look()


def say(job: Job, *said: events.Event) -> None:
    start = job.history.seq
    job.take_in([event.model_copy(update={"seq": start + place}) for place, event in enumerate(said, start=1)])


def train(job: Job, step: int = 1, *, step_seconds: float = 1.0, total: int = 1000) -> None:
    """It trains, and has made a step."""
    left = step_seconds * (total - step)
    say(
        job,
        events.Phase(name="training", message="It trains."),
        events.Progress(step=step, total_steps=total, seconds_left=left),
    )


def codes(job: Job) -> list[AlertCode]:
    return [concern.code for concern in job.concerns]


@pytest.fixture
async def world(workspace: Workspace) -> World:
    return World(workspace)


# ---- stuck ----


async def test_a_run_that_falls_silent_is_called_stuck_until_it_speaks_again(world: World) -> None:
    job = world.add()
    train(job)
    changes: list[int] = []
    job.changed.subscribe(lambda: changes.append(len(job.concerns)))
    await world.wait(295)
    assert codes(job) == [] and changes == []
    await world.wait(10)
    [concern] = job.concerns
    assert (concern.code, concern.level) == (AlertCode.STUCK, "warning")
    assert concern.message == "The run has said nothing for more than 5 minutes."
    await world.wait(120)
    assert job.concerns[0].message == "The run has said nothing for more than 7 minutes."
    assert job.concerns[0].since == concern.since
    say(job, events.Progress(step=2, total_steps=1000, seconds_left=998))
    await world.wait(5)
    assert codes(job) == [] and changes[-1] == 0
    assert world.heard == [("run", AlertCode.STUCK)]


async def test_a_run_with_slow_steps_may_be_silent_for_ten_of_them(world: World) -> None:
    job = world.add()
    train(job, step_seconds=60)
    await world.wait(590)
    assert codes(job) == []
    await world.wait(20)
    assert codes(job) == [AlertCode.STUCK]


async def test_a_long_evaluation_was_heard_of_before(world: World) -> None:
    job = world.add()
    train(job)
    await world.wait(200)
    say(job, events.Metric(step=1, values={"eval_loss": 2.0}))
    await world.wait(600)
    assert codes(job) == []
    await world.wait(20)
    assert codes(job) == [AlertCode.STUCK]


@pytest.mark.parametrize("phase", ["loading", "data", "evaluating", "saving", "training"])
async def test_what_is_known_to_take_long_has_half_an_hour(world: World, phase: str) -> None:
    """Also a training before its first step."""
    job = world.add()
    say(job, events.Phase(name=phase, message="It does."))
    await world.wait(1790)
    assert codes(job) == []
    await world.wait(20)
    assert codes(job) == [AlertCode.STUCK]


async def test_time_in_which_the_server_itself_stood_still_is_no_silence(world: World) -> None:
    job = world.add()
    train(job)
    await world.wait(3600, every=3600)
    assert codes(job) == []


async def test_what_cannot_be_read_is_not_silent(world: World) -> None:
    job = world.add()
    train(job)
    world.trouble = "The runs cannot be followed."
    await world.wait(600)
    assert codes(job) == []


async def test_a_resumed_run_is_watched_anew(world: World) -> None:
    job = world.add()
    train(job)
    await world.wait(310)
    job.record = job.record.model_copy(update={"attempt": 2})
    await world.wait(20)
    assert codes(job) == []


# ---- the device ----


async def test_a_device_is_too_hot_after_a_minute(world: World) -> None:
    job = world.add()
    other = world.add("other", device="cuda:1")
    world.gpus = [Gpu(temperature=88.0), Gpu("cuda:1", temperature=70.0)]
    await world.wait(55)
    assert codes(job) == []
    await world.wait(10)
    assert codes(job) == [AlertCode.TOO_HOT] and codes(other) == []
    assert job.concerns[0].message == "GPU has been at 87 °C or more for a minute, so it slows itself down."
    world.gpus[0].temperature = 80.0
    await world.wait(5)
    assert codes(job) == []


@pytest.mark.parametrize(
    ("limit", "degrees", "expected"), [(95.0, 90.0, False), (80.0, 82.0, True), (None, None, False)]
)
async def test_the_driver_knows_best_what_is_hot(
    world: World, limit: float | None, degrees: float | None, expected: bool
) -> None:
    job = world.add()
    world.gpus = [Gpu(temperature=degrees, slowdown_temperature=limit)]
    await world.wait(70)
    assert bool(codes(job)) is expected


async def test_a_moment_of_heat_is_no_minute(world: World) -> None:
    job = world.add()
    for degrees in (90.0, 70.0) * 10:
        world.gpus[0].temperature = degrees
        await world.wait(5)
    assert codes(job) == []


# ---- the disk ----


async def test_a_disk_is_nearly_full_below_three_checkpoints(world: World) -> None:
    job = world.add()
    say(job, events.CheckpointSaved(step=10, folder="checkpoint-10", bytes=3 * 10**9))
    world.free = 9_100_000_000
    await world.wait(5)
    assert codes(job) == []
    world.free = 8_000_000_000
    await world.wait(5)
    [concern] = job.concerns
    assert concern.code == AlertCode.DISK_NEARLY_FULL
    assert concern.message == "Only 8.0 GB are free on the disk with the runs: there is room for 2 more checkpoints."
    world.free = 5_000_000_000
    await world.wait(5)
    assert job.concerns[0].message.endswith("there is room for one more checkpoint.")
    world.free = 2_900_000_000
    await world.wait(5)
    [worse] = job.concerns
    assert worse.level == "error" and worse.message.endswith("there is no room for another checkpoint.")
    assert worse.since == concern.since
    world.free = 10**12
    await world.wait(5)
    assert codes(job) == []


async def test_a_disk_that_several_runs_share_is_told_of_once(world: World) -> None:
    jobs = [world.add("first"), world.add("second", device="cuda:1")]
    world.free = 10**9
    await world.wait(20)
    assert [codes(job) for job in jobs] == [[AlertCode.DISK_NEARLY_FULL]] * 2
    assert world.heard == [("first", AlertCode.DISK_NEARLY_FULL)]


async def test_a_disk_that_does_not_answer_says_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone() -> int:
        raise FileNotFoundError

    job = world.add()
    monkeypatch.setattr(world.dog, "_disk_free", gone)
    await world.wait(10)
    assert codes(job) == []


# ---- alerts of the worker ----


async def test_alerts_of_the_worker_are_announced_once_also_at_its_end(world: World) -> None:
    job = world.add()
    say(job, Alert(code=AlertCode.SPIKE, message="A spike."))
    await world.wait(15)
    say(job, Alert(code=AlertCode.EARLY_STOP, message="It ends early."))
    job.status = JobStatus.COMPLETED
    await world.wait(15)
    assert world.heard == [("run", "spike"), ("run", "early_stop")]


async def test_alerts_of_runs_of_the_past_are_no_news(world: World) -> None:
    job = world.add()
    job.status = JobStatus.COMPLETED
    say(job, Alert(code=AlertCode.SPIKE, message="A spike."))
    await world.wait(15)
    assert world.heard == []


# ---- life ----


async def test_it_looks_by_itself_and_goes_on_after_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import asyncio

    monkeypatch.setattr(watchdog, "LOOK_EVERY_S", 0.0)
    looks: list[int] = []
    seen = asyncio.Event()

    async def look() -> None:
        looks.append(1)
        if len(looks) == 3:
            seen.set()
        raise ValueError("broken")

    monkeypatch.setattr(world.dog, "look", look)
    await world.dog.start()
    async with asyncio.timeout(10):
        await seen.wait()
    await world.dog.close()
    assert [record.message for record in caplog.records].count("the runs at work could not be looked after") == 1


async def test_nothing_is_asked_while_nothing_is_at_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise AssertionError

    monkeypatch.setattr(world, "dog", Watchdog(cast(Any, SimpleNamespace(jobs={}, trouble="")), refuse, refuse))
    await world.dog.look()


def test_a_concern_is_not_changed_behind_anybodys_back() -> None:
    with pytest.raises(AttributeError):
        Concern(AlertCode.STUCK, "", "", now()).message = "x"  # type: ignore[misc]
