"""What the first page says, on the first day and on a busy one."""

from __future__ import annotations

from nicegui.testing import User

from qlora_ui.contract.events import Metric, Progress
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.services import Services
from tests.ui.acting import buttons, press


async def test_first_day_leads_to_a_first_run(user: User) -> None:
    await user.open("/")
    await user.should_see("Nothing has run yet.")
    await user.should_see("Use your own data")
    await user.should_see("a finished training adds one")
    await user.should_see("no runs yet")
    await user.should_not_see("Recent runs")


async def test_busy_day_shows_what_is_true(user: User, busy_services: Services) -> None:
    await user.open("/")
    await user.should_see("One run is at work, one is waiting, one was interrupted and can go on.")
    await user.should_see("support-tone")
    await user.should_see("step 74 of 120")
    await user.should_see("evaluation loss 1.204")
    await user.should_see("1 failed, 1 interrupted")
    await user.should_see("Halve the batch size")
    await user.should_see("was interrupted")


async def test_running_card_follows_its_job(user: User, busy_services: Services) -> None:
    job = named(busy_services, "support-tone")
    await user.open("/")
    await user.should_see("61 %")  # 74 of 120 steps
    job.take_in(
        [
            Metric(seq=9001, step=75, values={"loss": 0.987, "tokens_per_second": 12345.0}),
            Progress(seq=9002, step=90, total_steps=120, seconds_left=60.0),
        ]
    )
    await user.should_see("75 %", retries=20)
    await user.should_see("step 90 of 120")
    last_points = [value for _, value in job.curves.points("loss")[-4:]]
    await user.should_see(f"{sum(last_points) / 4:.3f}", retries=20)
    await user.should_see("12,345 tokens/s")


async def test_resume_puts_an_interrupted_run_back_into_the_queue(user: User, busy_services: Services) -> None:
    job = named(busy_services, "sql-from-text")
    await user.open("/")
    assert len(buttons(user, "Resume")) == 2
    await press(user, "Resume")  # the newest trouble stands first
    await user.should_see("two are waiting", retries=20)
    assert job.status is JobStatus.PENDING
    await user.should_not_see("was interrupted and can go on")


async def test_starter_run_is_queued_and_opened(user: User, services: Services) -> None:
    await user.open("/")
    await press(user, "Try the starter run")
    await user.should_not_see("Use your own data", retries=20)
    kinds = sorted(job.kind for job in services.jobs.jobs.values())
    assert kinds == ["evaluation", "merge", "training"]
    assert all(job.status is JobStatus.PENDING for job in services.jobs.jobs.values())


def named(services: Services, name: str) -> Job:
    [job] = [job for job in services.jobs.jobs.values() if job.name == name]
    return job
