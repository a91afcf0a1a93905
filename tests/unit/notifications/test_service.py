"""What is told, to whom it is sent, and that nothing is told twice."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.records import ExitRecord, JobRecord, JobStatus, now
from qlora_ui.jobs.reactive import Event
from qlora_ui.notifications import Notifications
from qlora_ui.notifications.updates import UpdateCheck
from qlora_ui.services import Services
from qlora_ui.store.secret_file import SecretFile
from tests.fakes.runs import FakeRun, write_run
from tests.unit.notifications.conftest import Answer, Open, Receiver, Start, look

FAILED = FakeRun("mail-sorting", JobStatus.FAILED, error="The device has too little memory for this batch size.")


def titles(services: Services) -> list[str]:
    return [told.title.format(**told.values) for told in services.notifications.history]


def listen(services: Services) -> list[Notification]:
    heard: list[Notification] = []
    services.notifications.added.subscribe(heard.append)
    return heard


async def test_the_end_of_a_run_is_told_once_however_often_it_is_looked_at(start: Start) -> None:
    services = await start()
    heard = listen(services)
    run = write_run(services.workspace, FakeRun("support-tone"))
    for _again in range(3):
        await look(services)
    [told] = heard
    assert list(services.notifications.history) == [told]
    assert (told.event, told.topic, told.tone) == ("job_completed", "job_complete", "success")
    assert (told.job_id, told.path) == (run.id, f"/activity/{run.id}")
    assert titles(services) == ["support-tone finished"]


async def test_trouble_is_told_with_its_reason(start: Start) -> None:
    services = await start()
    write_run(services.workspace, FAILED)
    write_run(services.workspace, FakeRun("sql-from-text", JobStatus.INTERRUPTED, steps=5))
    await look(services)
    told = {entry.event: entry for entry in services.notifications.history}
    assert told["job_failed"].body == "The device has too little memory for this batch size."
    assert told["job_failed"].tone == "error"
    assert told["job_interrupted"].body.startswith("Its process is gone and wrote no end")
    assert {told["job_failed"].topic, told["job_interrupted"].topic} == {"errors"}


@pytest.mark.parametrize("status", [JobStatus.PENDING, JobStatus.PAUSED, JobStatus.STOPPED])
async def test_what_a_person_did_is_no_news(start: Start, status: JobStatus) -> None:
    services = await start()
    write_run(services.workspace, FakeRun("a run", status))
    await look(services)
    assert services.notifications.history == []


async def test_a_run_that_is_resumed_is_told_of_again_when_it_ends(start: Start) -> None:
    services = await start()
    run = write_run(services.workspace, FAILED)
    await look(services)
    record = JobRecord.model_validate_json(run.job.read_bytes())
    write_atomically(run.job, record.model_copy(update={"attempt": 2}).model_dump_json())
    write_atomically(run.exit, ExitRecord(status=JobStatus.COMPLETED, attempt=2).model_dump_json())
    await look(services)
    assert titles(services) == ["mail-sorting finished", "mail-sorting failed"]


async def test_what_ended_while_no_server_ran_is_told_at_the_next_start_and_only_then(
    open_services: Open, start: Start
) -> None:
    write_run(open_services().workspace, FakeRun("before there were notifications"))
    first = await start()
    assert titles(first) == []
    await first.close()
    write_run(first.workspace, FakeRun("overnight", minutes_ago=300))
    second = await start()
    assert titles(second) == ["overnight finished"]
    [told] = second.notifications.history
    assert told.told_at - told.time > timedelta(hours=4)
    await second.close()
    third = await start()
    heard = listen(third)
    await look(third)
    assert titles(third) == ["overnight finished"]
    assert heard == []


async def test_two_servers_on_one_home_write_it_down_once_and_both_show_it(start: Start, receiver: Receiver) -> None:
    servers = [await start(), await start()]
    await servers[0].notifications.set_webhook(receiver.url)
    heard = [listen(services) for services in servers]
    write_run(servers[0].workspace, FakeRun("support-tone"))
    await asyncio.gather(*(look(services) for services in servers))
    assert [len(entries) for entries in heard] == [1, 1]
    assert heard[0] == heard[1]
    assert len(servers[0].store.notifications.history()) == 1
    await asyncio.gather(*(services.notifications._outbox.join() for services in servers))
    assert len(receiver.requests) == 1


async def test_a_run_that_is_deleted_stays_in_the_history(start: Start) -> None:
    services = await start()
    run = write_run(services.workspace, FAILED)
    await look(services)
    await services.jobs.delete(run.id)
    await look(services)
    assert titles(services) == ["mail-sorting failed"]


async def test_what_a_full_disk_refuses_is_told_all_the_same_and_written_down_later(
    start: Start, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services = await start()
    await services.notifications.set_webhook(receiver.url)
    heard = listen(services)

    def full(_candidates: Sequence[Notification]) -> list[Notification]:
        raise WorkspaceError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(services.store.notifications, "add", full)
        write_run(services.workspace, FAILED)
        await look(services)
    assert titles(services) == ["mail-sorting failed"]
    assert services.store.notifications.history() == []
    assert "full" in caplog.text
    write_run(services.workspace, FakeRun("support-tone"))
    await look(services)
    assert titles(services) == ["support-tone finished", "mail-sorting failed"]
    assert len(services.store.notifications.history()) == 2
    assert [entry.event for entry in heard] == ["job_failed", "job_completed"]
    await services.notifications._outbox.join()
    assert [message["event"] for _, _, message in receiver.requests] == ["job_failed", "job_completed"]


async def test_old_runs_stay_old_where_the_disk_was_full_at_the_first_start(
    open_services: Open, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = open_services()
    write_run(services.workspace, FakeRun("old"))

    def full(*_arguments: object) -> None:
        raise WorkspaceError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(services.store.notifications._records, "update", full)
        await services.start()
        await look(services)
    write_run(services.workspace, FakeRun("new"))
    await look(services)
    assert titles(services) == ["new finished"]
    assert titles(await start()) == ["new finished"]


# ---- webhook ----


async def test_the_webhook_is_told_what_happened(start: Start, receiver: Receiver) -> None:
    services = await start()
    await services.notifications.set_webhook(f"  {receiver.url}\n")
    run = write_run(services.workspace, FAILED)
    await look(services)
    await services.notifications._outbox.join()
    [(method, path, message)] = receiver.requests
    assert (method, path) == ("POST", "/hooks/s3cret")
    assert message["event"] == "job_failed"
    assert message["text"] == "mail-sorting failed. The device has too little memory for this batch size."
    assert message["content"] == message["text"]
    assert message["job"] == {"id": run.id, "name": "mail-sorting", "kind": "training", "status": "failed"}
    assert {"title", "time", "version"} <= message.keys()


async def test_a_webhook_that_fails_is_told_of_once_until_it_has_worked_again(start: Start, receiver: Receiver) -> None:
    services = await start()
    await services.notifications.set_webhook(receiver.url)

    async def end_a_run(*answers: Answer) -> list[str]:
        receiver.answers = list(answers)
        write_run(services.workspace, FakeRun("a run"))
        await look(services)
        await services.notifications._outbox.join()
        return [entry.event for entry in services.notifications.history]

    gone = Answer(410, b"no such hook")
    assert await end_a_run(gone) == ["webhook_failed", "job_completed"]
    assert await end_a_run(gone) == ["job_completed", "webhook_failed", "job_completed"]
    assert "s3cret" not in services.workspace.database.read_text()
    assert "no such hook" in services.notifications.history[1].body
    assert await end_a_run(Answer()) == ["job_completed", "job_completed", "webhook_failed", "job_completed"]
    assert (await end_a_run(gone))[:2] == ["webhook_failed", "job_completed"]


async def test_the_address_is_a_secret(start: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    services = await start()
    await services.notifications.set_webhook(receiver.url)
    await services.notifications.send_test()
    file = services.workspace.webhook
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert services.notifications.webhook_url() == f"{receiver.url.removesuffix('/hooks/s3cret')}/…"
    assert "s3cret" not in caplog.text
    assert "s3cret" not in services.workspace.database.read_text()
    assert (await start()).notifications.webhook_url().endswith("/…"), "a later server knows it too"
    await services.notifications.set_webhook("")
    assert (services.notifications.webhook_url(), file.exists()) == ("", False)
    with pytest.raises(WorkspaceError, match="no webhook"):
        await services.notifications.send_test()


@pytest.mark.parametrize("content", ["http://[s3cret", "http://example.org:s3cret/", "s3cret"])
async def test_a_damaged_address_is_none(open_services: Open, content: str, caplog: pytest.LogCaptureFixture) -> None:
    services = open_services()
    services.workspace.webhook.write_text(content)
    assert open_services().notifications.webhook_url() == ""
    assert "webhook's address" in caplog.text
    assert "s3cret" not in caplog.text


# ---- newer versions ----


class Index(UpdateCheck):
    """A package index that has one answer, and counts how often it is asked."""

    def __init__(self, version: str | None) -> None:
        super().__init__()
        self.version, self.asked = version, 0

    async def newest(self) -> str | None:
        self.asked += 1
        return self.version


def notifications(services: Services, index: Index, **options: Any) -> Notifications:
    address = SecretFile(services.workspace.webhook)
    return Notifications(services.store, services.jobs, services.people, address, updates=index, **options)


async def test_a_newer_version_is_told_once_to_whoever_wants_to_know(open_services: Open) -> None:
    services, index = open_services(), Index("9.1")
    moment = now()
    center = notifications(services, index, clock=lambda: moment)
    await center.check_for_update()
    assert index.asked == 0, "nobody asked for it"
    await services.people.change("ada", notifications={"updates": True})
    await center.check_for_update()
    [told] = center.history
    assert (told.event, told.topic, told.values) == ("update", "updates", {"version": "9.1"})
    moment += timedelta(hours=23)
    await center.check_for_update()
    assert index.asked == 1, "once a day is enough, and a restart changes nothing"
    moment += timedelta(hours=2)
    await notifications(services, index, clock=lambda: moment).check_for_update()
    assert index.asked == 2
    assert len(services.store.notifications.history()) == 1


async def test_offline_no_index_is_asked(open_services: Open) -> None:
    services, index = open_services(), Index("9.1")
    await services.people.change(notifications={"updates": True})
    await notifications(services, index, offline=True).check_for_update()
    assert index.asked == 0


async def test_asking_begins_as_soon_as_somebody_wants_to_know(open_services: Open) -> None:
    services, index = open_services(), Index("9.1")
    center = notifications(services, index)
    await center.start()
    await services.people.change(notifications={"updates": True})
    told = await center.added.emitted(timeout=10)
    assert told.event == "update"
    await center.close()


async def test_nothing_is_left_behind_when_it_is_closed(open_services: Open) -> None:
    services = open_services()
    events: list[Event[Any]] = [services.jobs.jobs_changed, services.people.changed]
    before = [len(event.callbacks) for event in events]
    await services.notifications.start()
    tasks = list(services.notifications._tasks)
    await services.notifications.close()
    assert [len(event.callbacks) for event in events] == before
    assert all(task.done() for task in tasks)
