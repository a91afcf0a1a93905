"""What is told of runs at work, and that everything is done."""

from __future__ import annotations

import pytest

from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.records import ExitRecord, JobStatus, now
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.job import Job
from qlora_ui.notifications import webhook
from qlora_ui.notifications.rounds import is_still_to_do
from qlora_ui.services import Services
from tests.fakes.runs import FakeRun, write_run
from tests.unit.notifications.conftest import Start, look


def titles(services: Services) -> list[str]:
    """Oldest first."""
    return [told.title.format(**told.values) for told in reversed(services.notifications.history)]


async def job_of(services: Services, run: FakeRun) -> Job:
    paths = write_run(services.workspace, run)
    await look(services)
    return services.jobs.get(paths.id)


async def test_an_alert_is_told_once_with_its_code(start: Start) -> None:
    services = await start()
    job = await job_of(services, FakeRun("tone", JobStatus.PENDING))
    alert = Alert(seq=7, code=AlertCode.SPIKE, message="The loss jumped to 9.1 at step 40.", hint="Look at the data.")
    for _again in range(2):
        await services.notifications.remark(job, alert)
    [told] = services.notifications.history
    assert titles(services) == ["tone needs a look"]
    assert (told.event, told.code, told.topic, told.tone) == ("job_alert", "spike", "errors", "warning")
    assert (told.body, told.path) == ("The loss jumped to 9.1 at step 40.", f"/activity/{job.id}")
    message = webhook.message_of(told, job)
    assert (message["event"], message["code"], message["job"]["status"]) == ("job_alert", "spike", "running")


async def test_what_a_run_remarks_again_and_again_is_told_once(start: Start) -> None:
    services = await start()
    job = await job_of(services, FakeRun("tone", JobStatus.PAUSED))  # nobody starts it, which would be another attempt
    for seq in range(200):
        code = AlertCode.SPIKE if seq % 2 else AlertCode.DAMAGED_CHECKPOINT
        await services.notifications.remark(job, Alert(seq=seq, code=code, message=f"It happened at step {seq}."))
    bodies = [told.body for told in services.notifications.history]
    assert bodies == ["It happened at step 1.", "It happened at step 0."]
    for seq in (300, 301):
        await services.notifications.remark(job, Alert(seq=seq, message=f"Of no known kind, {seq}."))
    assert len(services.notifications.history) == 4, "nobody knows whether these are the same"


async def test_a_concern_names_what_it_is_about(start: Start) -> None:
    services = await start()
    job = await job_of(services, FakeRun("tone", JobStatus.PENDING))
    for code in (AlertCode.STUCK, AlertCode.TOO_HOT, AlertCode.DISK_NEARLY_FULL):
        await services.notifications.remark(job, Concern(code, "It is so.", "Do this.", now()))
    assert titles(services) == ["tone may be stuck", "A device is too hot", "The disk is nearly full"]


async def test_what_the_watchdog_remarks_is_told(start: Start) -> None:
    services = await start()
    job = await job_of(services, FakeRun("tone", JobStatus.PENDING))
    services.watchdog.remarked.emit(job, Concern(AlertCode.STUCK, "It is silent.", "Look at it.", now()))
    await look(services)
    assert titles(services) == ["tone may be stuck"]


async def test_what_ends_a_run_is_told_with_its_end_and_not_before(start: Start) -> None:
    services = await start()
    job = await job_of(services, FakeRun("tone", JobStatus.PENDING))
    await services.notifications.remark(
        job, Alert(seq=9, code=AlertCode.EARLY_STOP, message="The training ends early.")
    )
    await services.notifications.remark(job, Alert(seq=10, code=AlertCode.NOT_A_NUMBER, message="The loss is lost."))
    assert not services.notifications.history
    await job_of(services, FakeRun("accent", summary={"stopped_early": True}))
    [told] = services.notifications.history
    assert told.body == "It ended early, because it got no better any more."


async def test_when_the_last_of_several_runs_has_ended_that_is_told(start: Start) -> None:
    services = await start()
    waiting = write_run(services.workspace, FakeRun("third", JobStatus.PAUSED))
    await job_of(services, FakeRun("first", minutes_ago=20))
    assert titles(services) == ["first finished"]
    record = services.jobs.get(waiting.id).record
    write_atomically(waiting.job, record.model_copy(update={"state": "launched", "attempt": 1}).model_dump_json())
    write_atomically(waiting.exit, ExitRecord(status=JobStatus.FAILED, attempt=1, error="No.").model_dump_json())
    write_run(services.workspace, FakeRun("second", minutes_ago=15))
    await look(services)
    assert titles(services) == [
        "first finished",
        "second finished",
        "third failed",
        "All runs are done: 1 of 2 finished",
    ]
    [told, *_] = services.notifications.history
    assert (told.event, told.topic, told.tone, told.path) == ("all_done", "job_complete", "warning", "/activity")


async def test_of_a_run_that_still_waits_it_is_not_said_that_all_is_done(start: Start) -> None:
    services = await start()
    services.jobs._dispatcher.start_ready = lambda *_: False  # type: ignore[method-assign]
    write_run(services.workspace, FakeRun("third", JobStatus.PENDING))
    write_run(services.workspace, FakeRun("first", minutes_ago=20))
    write_run(services.workspace, FakeRun("second", minutes_ago=10))
    await look(services)
    assert titles(services) == ["first finished", "second finished"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (JobStatus.COMPLETED, True),
        (JobStatus.PENDING, True),
        (JobStatus.FAILED, False),
        (JobStatus.PAUSED, False),
        (JobStatus.STOPPED, False),
    ],
)
async def test_a_run_that_waits_for_one_that_does_not_go_on_is_not_to_do(
    start: Start, before: JobStatus, expected: bool
) -> None:
    services = await start()
    services.jobs._dispatcher.start_ready = lambda *_: False  # type: ignore[method-assign]
    first = await job_of(services, FakeRun("train", before))
    second = await job_of(services, FakeRun("score", JobStatus.PENDING, after=first.id))
    assert is_still_to_do(second, services.jobs.jobs) is expected
    assert not is_still_to_do(await job_of(services, FakeRun("x", JobStatus.PENDING, after="gone")), services.jobs.jobs)


def test_what_older_versions_told_can_be_read() -> None:
    told = {"id": "a", "event": "update", "topic": "updates", "tone": "info", "title": "t"}
    assert Notification.model_validate(told).code == ""
