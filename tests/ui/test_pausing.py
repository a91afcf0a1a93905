"""Pausing where another run waits for the device: wherever it is done, whether that run may have it is asked first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from nicegui.testing import User

from qlora_ui.components.data_table import DataTable
from qlora_ui.components.palette import Palette
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.services import Services
from tests.ui.acting import begin, buttons, choose, fire, press, training

ONE_WAITS = "1 run waits: tone next slow, which would start on the device at once."
Way = Callable[[User, Job], Awaitable[None]]


async def from_its_page(user: User, job: Job) -> None:
    await user.open(f"/activity/{job.id}")
    begin(user, "Pause, free the device")


async def from_the_menu_of_the_list(user: User, job: Job) -> None:
    await user.open("/activity")
    await user.should_see(job.name, retries=50)
    await choose(user, f"What can be done with {job.name}", "Pause")


async def from_the_bar_over_the_list(user: User, job: Job) -> None:
    await user.open("/activity")
    await choose_in_list(user, job)
    begin(user, "Pause")


async def from_the_dashboard(user: User, job: Job) -> None:
    await user.open("/")
    await user.should_see(job.name, retries=50)
    begin(user, "Pause")


async def from_the_palette(user: User, job: Job) -> None:
    await user.open("/settings")
    await press(user, "Search or run a command")
    [palette] = user.find(Palette).elements
    fire(palette, "search", f"pause {job.name}")
    [found] = [
        choice
        for group in palette._props["found"]["groups"]
        for choice in group["choices"]
        if choice["text"] == f"Pause {job.name}"
    ]
    fire(palette, "choose", found["id"])


WAYS = [
    from_its_page,
    from_the_menu_of_the_list,
    from_the_bar_over_the_list,
    from_the_dashboard,
    from_the_palette,
]


async def choose_in_list(user: User, *jobs: Job) -> None:
    """Check the boxes of these runs."""
    await user.should_see(jobs[0].name, retries=50)
    [table] = user.find(kind=DataTable).elements
    fire(table, "click", [[job.id for job in jobs], True])
    await user.should_see(f"{len(jobs)} run", retries=50)


async def two(jobs: JobManager) -> tuple[Job, Job]:
    """One at work, and one that waits for its device."""
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=400))
    while job.step < 2:
        await job.metric_added.emitted(timeout=20)
    waiting = await jobs.submit(JobKind.TRAINING, training("tone next slow", max_steps=400))
    assert jobs.successors(job) == [waiting]
    return job, waiting


async def asked(user: User, jobs: JobManager, way: Way) -> tuple[Job, Job]:
    """The same two, and the question whether the second may have the device of the first."""
    job, waiting = await two(jobs)
    await way(user, job)
    await user.should_see(ONE_WAITS, retries=50)
    return job, waiting


async def until(job: Job, status: JobStatus) -> None:
    while job.status is not status:
        await job.changed.emitted(timeout=20)


@pytest.mark.parametrize("way", WAYS)
async def test_the_queue_is_held_first_where_a_person_wants_that(user: User, jobs: JobManager, way: Way) -> None:
    job, waiting = await asked(user, jobs, way)
    begin(user, "Pause and hold the queue")
    await until(job, JobStatus.PAUSED)
    assert jobs.queue_held
    assert waiting.status is JobStatus.PENDING
    await jobs.stop(waiting.id)


@pytest.mark.parametrize("way", WAYS)
async def test_the_next_run_starts_after_a_pause_only(user: User, jobs: JobManager, way: Way) -> None:
    job, waiting = await asked(user, jobs, way)
    begin(user, "Pause only")
    await until(job, JobStatus.PAUSED)
    await until(waiting, JobStatus.RUNNING)
    assert not jobs.queue_held


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_paused_where_a_person_changes_their_mind(user: User, jobs: JobManager, way: Way) -> None:
    job, waiting = await asked(user, jobs, way)
    begin(user, "Cancel")
    step = job.step
    while job.step < step + 3:  # it goes on
        await job.metric_added.emitted(timeout=20)
    assert (job.status, job.asked_to, jobs.queue_held) == (JobStatus.RUNNING, "", False)
    assert waiting.status is JobStatus.PENDING


async def test_what_is_chosen_itself_is_none_of_those_that_would_start(user: User, jobs: JobManager) -> None:
    job, waiting = await two(jobs)
    await user.open("/activity")
    await choose_in_list(user, job, waiting)
    await press(user, "Pause")
    await user.should_see("2 runs were told to pause.", retries=50)
    await until(job, JobStatus.PAUSED)
    assert waiting.status is JobStatus.PAUSED
    assert waiting.record.attempt == 0, "it was held before the device was given back"
    assert not jobs.queue_held


async def test_several_are_paused_after_one_question(user: User, jobs: JobManager) -> None:
    job, waiting = await two(jobs)
    third = await jobs.submit(JobKind.TRAINING, training("tone third"))
    await user.open("/activity")
    await choose_in_list(user, job, waiting)
    begin(user, "Pause")
    await user.should_see("Pause 2 runs?", retries=50)
    await user.should_see("1 other run waits: tone third, which would start on the device at once.")
    begin(user, "Pause and hold the queue")
    await until(job, JobStatus.PAUSED)
    assert (waiting.status, third.status) == (JobStatus.PAUSED, JobStatus.PENDING)


async def test_the_queue_is_not_held_for_a_run_that_ended_meanwhile(user: User, jobs: JobManager) -> None:
    job, waiting = await asked(user, jobs, from_its_page)
    await jobs.hold_queue()  # so that the other one does not begin meanwhile
    await jobs.stop(job.id)
    await jobs.ended(job)
    await jobs.continue_queue()
    begin(user, "Pause and hold the queue")
    await user.should_see("tone slow cannot be paused any more.", retries=50)
    assert not jobs.queue_held
    await until(waiting, JobStatus.RUNNING)


async def test_nobody_is_asked_where_nobody_waits(user: User, services: Services) -> None:
    job = await services.jobs.submit(JobKind.TRAINING, training("tone"))
    await user.open("/activity")
    await choose_in_list(user, job)
    await press(user, "Pause")
    assert job.status is JobStatus.PAUSED
    assert not buttons(user, "Pause only")
