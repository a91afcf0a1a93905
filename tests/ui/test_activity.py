"""The list of all runs: what it finds, keeps, chooses and does, with a scripted worker that really runs."""

from __future__ import annotations

import asyncio

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.forms.row_checks import AllCheck, RowCheck
from qlora_ui.components.menu import MenuButton
from qlora_ui.components.pager import Pager
from qlora_ui.components.reorder import ReorderList
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.pages.runs.list import selection
from qlora_ui.pages.runs.list.queue_entry import QueueEntry
from qlora_ui.pages.runs.list.table import RunTable
from qlora_ui.services import Services
from tests.fakes.runs import FakeRun, write_run
from tests.ui.acting import buttons, fire, press, run, training


async def waiting(services: Services, *names: str) -> list[Job]:
    """Trainings in a queue that nobody works on."""
    return [await services.jobs.submit(JobKind.TRAINING, training(name)) for name in names]


async def write_past(services: Services, *names: str, status: JobStatus = JobStatus.COMPLETED) -> None:
    """Runs of the past, the last one the newest."""
    for age, name in enumerate(reversed(names), start=1):
        write_run(services.workspace, FakeRun(name, status, steps=2, minutes_ago=age, minutes=0.5))
    await services.jobs.refresh()


async def open_list(user: User, path: str = "/activity") -> None:
    await user.open(path)
    await user.should_see("Activity", retries=50)
    assert user.client is not None
    while not any(isinstance(element, Pager) for element in user.client.elements.values()):
        await asyncio.sleep(0)
    await all_built(user)


async def all_built(user: User) -> None:
    """Rows further down come a moment later."""
    assert user.client is not None
    [table] = [element for element in user.client.elements.values() if isinstance(element, RunTable)]
    while table.visible and len(shown(user)) < len(table.shown):
        await asyncio.sleep(0)


def shown(user: User) -> list[str]:
    """The names of the runs in the table, from top to bottom."""
    [table] = user.find(kind=DataTable).elements
    assert isinstance(table, DataTable)
    rows = table.body.default_slot.children
    links = [next(one for one in row.descendants() if isinstance(one, ui.link)) for row in rows]
    return [str(next(iter(link.default_slot.children)).text) for link in links]  # type: ignore[attr-defined]


def address(user: User) -> str:
    assert user.client is not None
    return user.client.sub_pages_router.current_path


def choose(user: User, *jobs: Job) -> None:
    """Check the boxes of these runs."""
    [table] = user.find(kind=DataTable).elements
    fire(table, "click", [[job.id for job in jobs], True])


def chip(user: User, word: str) -> ui.element:
    assert user.client is not None
    found = [one for one in user.client.elements.values() if "qu-chip" in one.classes and one.visible]
    return next(one for one in found if getattr(one, "text", "") == word)


# ---- what there is ----


async def test_the_first_day_leads_to_a_run(user: User) -> None:
    await open_list(user)
    await user.should_see("No run yet", retries=50)
    await user.should_not_see("Queue")
    await user.should_not_see("Find a run")


async def test_a_run_appears_moves_and_ends_without_a_reload(user: User, jobs: JobManager) -> None:
    await open_list(user)
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=30))
    await user.should_see("tone slow", retries=50)
    await user.should_see(kind=StatusBadge, content="Training", retries=50)
    await jobs.stop(job.id)
    await jobs.ended(job)
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)


async def test_a_change_of_one_run_builds_no_other_row(user: User, services: Services) -> None:
    """Building every row again would take a long list a fifth of a second, and the focus away from a person in it."""
    jobs = await waiting(services, "one", "two", "three")
    await open_list(user)
    await user.should_see("three")

    def rows() -> dict[str, int]:
        [table] = user.find(kind=DataTable).elements
        assert isinstance(table, DataTable)
        return dict(zip(shown(user), (row.id for row in table.body.default_slot.children), strict=True))

    before = rows()
    await services.jobs.stop(jobs[0].id)
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)
    assert rows() == before
    assert shown(user) == ["two", "three", "one"]


async def test_a_damaged_run_folder_is_named_and_left_as_it_is(user: User, jobs: JobManager) -> None:
    damaged = jobs.workspace.runs / "20260101-000000-broken-0000"
    damaged.mkdir()
    (damaged / "job.json").write_text("{")
    await jobs.refresh()
    await open_list(user)
    await user.should_see("its job.json is missing or damaged")
    assert (damaged / "job.json").read_text() == "{"


async def test_a_run_that_waits_for_a_paused_one_says_so_everywhere(user: User, services: Services) -> None:
    first = await services.jobs.submit(JobKind.TRAINING, training("capitals"))
    await services.jobs.submit(JobKind.TRAINING, training("rivers"), after=first.id)
    await services.jobs.pause(first.id)
    waits = "It waits for capitals, which is paused."
    for path in ("/activity", "/", *(f"/activity/{job.id}" for job in services.jobs.queue)):
        await user.open(path)
        await user.should_see(waits, retries=50)
        await user.should_not_see("next in the queue")


async def test_the_run_that_starts_next_is_called_so_whatever_its_place(user: User, services: Services) -> None:
    """The first one waits for a run that has failed: it lets those behind it pass."""
    write_run(services.workspace, FakeRun("capitals", JobStatus.FAILED, steps=2))
    await services.jobs.refresh()
    [failed] = services.jobs.jobs.values()
    await services.jobs.submit(JobKind.TRAINING, training("rivers"), after=failed.id)
    lakes, seas = await waiting(services, "lakes", "seas")
    assert [job.is_next for job in services.jobs.queue] == [False, True, False]
    await open_list(user)
    await user.should_see("It waits for capitals, which has failed. Try that run again, or stop this one.")
    for job, words in ((lakes, "next in the queue"), (seas, "place 3 in the queue")):
        await user.open(f"/activity/{job.id}")
        await user.should_see(words, retries=50)
    await open_list(user)
    await user.should_see("place 3 in the queue")
    await user.should_not_see("place 2 in the queue")
    [entry] = [one for one in user.find(kind=QueueEntry).elements if isinstance(one, QueueEntry) and one.job is lakes]
    assert "next in the queue" in [getattr(one, "text", "") for one in entry.descendants()]
    first = buttons(user, "Move rivers up")[0]
    assert first._props["title"] == "It is the first one."
    await services.people.change(guide_hidden=True)
    await user.open("/")
    await user.should_see("lakes: next in the queue", retries=50)


# ---- what is asked for stands in the address ----


async def test_filters_narrow_the_list_and_stand_in_the_address(user: User, jobs: JobManager) -> None:
    await run(jobs, "good one")
    await run(jobs, "it fails")
    await open_list(user)
    fire(chip(user, "Failed"), "click")
    assert shown(user) == ["it fails"]
    assert address(user) == "/activity?status=failed"
    fire(chip(user, "Finished"), "click")
    assert shown(user) == ["it fails", "good one"]
    assert address(user) == "/activity?status=completed&status=failed"
    await press(user, "Clear the filters")
    assert address(user) == "/activity"
    user.find(marker="find-run").type("good")
    await user.should_not_see("it fails", retries=50)
    assert address(user) == "/activity?q=good"
    user.find(marker="find-run").type(" nothing")
    await user.should_see("No run fits", retries=50)
    await press(user, "Show all runs")
    assert shown(user) == ["it fails", "good one"]
    assert address(user) == "/activity"


async def test_an_address_opens_the_same_view_again(user: User, services: Services) -> None:
    await write_past(services, "tone one", "tone two", "other")
    await write_past(services, "tone bad", status=JobStatus.FAILED)
    await open_list(user, "/activity?q=tone&status=completed&sort=oldest")
    assert shown(user) == ["tone one", "tone two"]
    assert chip(user, "Finished")._props["aria-pressed"] == "true"
    assert chip(user, "Failed")._props["aria-pressed"] == "false"
    [find] = user.find(marker="find-run").elements
    assert isinstance(find, ui.input)
    assert find.value == "tone"


async def test_a_hostile_address_opens_the_whole_list(user: User, services: Services) -> None:
    await write_past(services, "one")
    await open_list(user, "/activity?status=<script>&kind=../..&page=-3&size=9999999&from=0000-00-00&sort=;drop")
    assert shown(user) == ["one"]


async def test_another_address_of_the_list_is_followed_without_building_the_page(
    user: User, services: Services
) -> None:
    """As the back button and the link in the side bar lead to it."""
    await write_past(services, "one", "two")
    await open_list(user, "/activity?q=one")
    assert shown(user) == ["one"]
    [before] = user.find(kind=DataTable).elements
    with user:
        ui.navigate.to("/activity")
    await user.should_see("two", retries=50)
    assert shown(user) == ["two", "one"]
    [after] = user.find(kind=DataTable).elements
    assert after is before


async def test_days_filter_the_list(user: User, services: Services) -> None:
    write_run(services.workspace, FakeRun("long ago", minutes_ago=60 * 24 * 40, minutes=1))
    await write_past(services, "new")
    await open_list(user, "/activity?when=30d")
    assert shown(user) == ["new"]
    await open_list(user, "/activity?to=2000-01-01")
    await user.should_see("No run fits")


async def test_a_long_list_goes_page_by_page(user: User, services: Services) -> None:
    names = [f"run {n:02}" for n in range(60)]
    await write_past(services, *names)
    await open_list(user, "/activity?sort=name")
    assert shown(user) == names[:25]
    await user.should_see("1–25 of 60")
    await press(user, "Next page")
    await press(user, "Next page")
    await all_built(user)
    assert shown(user) == names[50:]
    await user.should_see("51–60 of 60")
    assert address(user) == "/activity?sort=name&page=3"
    [on] = buttons(user, "Next page")
    assert on._props["aria-disabled"] == "true"
    [pager] = user.find(kind=Pager).elements
    user.find("100").click()
    await all_built(user)
    assert shown(user) == names
    assert address(user) == "/activity?sort=name&size=100"
    assert pager.visible


async def test_only_rows_in_sight_listen_to_their_runs(user: User, services: Services) -> None:
    await write_past(services, *(f"run {n:02}" for n in range(30)))
    await open_list(user, "/activity?sort=name")
    [table] = user.find(kind=RunTable).elements
    assert isinstance(table, RunTable)
    assert {job.name for job in table.shown} == {f"run {n:02}" for n in range(25)}
    assert len([one for one in table.descendants() if isinstance(one, StatusBadge)]) == 25


# ---- nothing moves under a person's hands ----


async def test_rows_stay_in_place_while_a_person_is_in_them(user: User, services: Services) -> None:
    one, *_ = await waiting(services, "one", "two")
    await open_list(user)
    [table] = user.find(kind=RunTable).elements
    fire(table, "pointerenter")
    await services.jobs.stop(one.id)
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)
    await waiting(services, "three")
    assert shown(user) == ["one", "two"]
    await user.should_see("Show what has changed", retries=50)
    fire(table, "pointerleave")
    assert shown(user) == ["two", "three", "one"]
    await user.should_not_see("Show what has changed")


async def test_what_has_changed_is_shown_when_asked_for(user: User, services: Services) -> None:
    one, *_ = await waiting(services, "one", "two")
    await open_list(user)
    [table] = user.find(kind=RunTable).elements
    fire(table, "focusin")
    await services.jobs.stop(one.id)
    await user.should_see("Show what has changed", retries=50)
    await press(user, "Show what has changed")
    assert shown(user) == ["two", "one"]


async def test_a_deleted_run_goes_at_once(user: User, services: Services) -> None:
    one, *_ = await waiting(services, "one", "two")
    await services.jobs.stop(one.id)
    await open_list(user)
    [table] = user.find(kind=RunTable).elements
    fire(table, "pointerenter")
    await services.jobs.delete(one.id)
    await user.should_not_see(kind=StatusBadge, content="Stopped", retries=50)
    assert shown(user) == ["two"]


# ---- many at once ----


async def test_what_is_chosen_is_counted_and_everything_found_can_be(user: User, services: Services) -> None:
    await write_past(services, *(f"run {n:02}" for n in range(30)))
    jobs = list(services.jobs.jobs.values())
    await open_list(user)
    choose(user, *jobs[:2])
    await user.should_see("2 runs chosen")
    [every] = user.find(kind=AllCheck).elements
    fire(every.default_slot.children[0], "change", True)
    await user.should_see("27 runs chosen")  # the two oldest stand on the second page
    await press(user, "Choose all 30")
    await user.should_see("30 runs chosen")
    await press(user, "Next page")
    checks = [one for one in user.find(kind=RowCheck).elements if isinstance(one, RowCheck)]
    assert all(check.default_slot.children[0]._props["checked"] for check in checks)
    await press(user, "Clear the selection")
    await user.should_see("26–30 of 30")


async def test_many_are_paused_at_once_and_what_cannot_be_is_said(user: User, services: Services) -> None:
    one, two, three = await waiting(services, "one", "two", "three")
    await services.jobs.stop(three.id)
    await open_list(user)
    choose(user, one, two, three)
    [retry] = buttons(user, "Try again 1 of 3")
    assert retry._props.get("aria-disabled", "false") == "false"
    await press(user, "Pause 2 of 3")
    await user.should_see("2 runs were told to pause.")
    assert [job.status for job in (one, two, three)] == [JobStatus.PAUSED, JobStatus.PAUSED, JobStatus.STOPPED]
    [pause] = user.find(marker="bulk-pause").elements
    assert pause._props["aria-disabled"] == "true"
    assert pause._props["title"] == "None of these runs is at work or waits for its turn."


async def test_each_failure_is_named(user: User, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = await waiting(services, "one", "two")

    async def fail(job_id: str) -> None:
        raise JobError(f"{services.jobs.get(job_id).name} changes all the time.", "Ask again.")

    monkeypatch.setattr(services.jobs, "pause", fail)
    await open_list(user)
    choose(user, one, two)
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(selection, "toast", lambda *words, hint="": said.append((*words, hint)))
    await press(user, "Pause")
    hint = "one: one changes all the time. Ask again. two: two changes all the time. Ask again."
    assert said == [("Nothing was changed.", "warning", hint)]


async def test_deleting_names_what_goes_and_how_much_room_comes_free(user: User, services: Services) -> None:
    await write_past(services, "one", "two")
    jobs = list(services.jobs.jobs.values())
    for job in jobs:
        job.paths.adapter.mkdir()
        (job.paths.adapter / "adapter_model.safetensors").write_bytes(bytes(4_000_000))
    await open_list(user)
    choose(user, *jobs)
    [delete] = buttons(user, "Delete")
    fire(delete, "click")
    await user.should_see("Delete 2 runs?", retries=50)
    await user.should_see("one, two.")
    await user.should_see("8 MB come free on the disk.")
    sure = buttons(user, "Delete")[-1]
    fire(sure, "click")
    await user.should_see("No run yet", retries=50)
    assert not any(job.paths.folder.exists() for job in jobs)


async def test_runs_are_compared(user: User, services: Services) -> None:
    first = await services.jobs.submit(JobKind.TRAINING, training("one", learning_rate=1e-4))
    second = await services.jobs.submit(JobKind.TRAINING, training("two", learning_rate=3e-4))
    await open_list(user)
    choose(user, first)
    [button] = buttons(user, "Compare")
    assert button._props["title"] == "Choose at least two runs to compare them."
    choose(user, second)
    fire(button, "click")
    await user.should_see("Learning rate", retries=50)
    await user.should_see("0.0003")
    await user.should_not_see("LoRA rank")


# ---- one row ----


async def test_the_menu_of_a_row_offers_what_fits_the_run_as_it_stands(user: User, services: Services) -> None:
    await write_past(services, "broken", status=JobStatus.FAILED)
    [job] = services.jobs.jobs.values()
    await open_list(user)
    [menu] = [one for one in user.find(kind=MenuButton).elements if "broken" in str(one._props["label"])]
    fire(menu, "ask")
    texts = [item["text"] for item in menu._props["items"]]
    again = "Start once more, from the beginning"
    assert texts == ["Open", "Try again", "Change and start again", again, "Train longer", "Delete"]
    assert menu._props["items"][2]["target"] == f"/train?from={job.id}"
    fire(menu, "choose", "1")
    await user.should_see(kind=StatusBadge, content="Waiting", retries=50)
    fire(menu, "ask")
    assert "Pause" in [item["text"] for item in menu._props["items"]]


# ---- the queue ----


def queue_of(user: User) -> list[str]:
    [entries] = user.find(kind=ReorderList).elements
    rows = entries.default_slot.children
    return [next(one.text for one in row.descendants() if isinstance(one, ui.link)) for row in rows]


async def test_the_queue_is_put_into_another_order(user: User, services: Services) -> None:
    _, _, three = await waiting(services, "one", "two", "three")
    await open_list(user)
    assert queue_of(user) == ["one", "two", "three"]
    await press(user, "Move two up")
    assert [job.name for job in services.jobs.queue] == ["two", "one", "three"]
    await user.should_see("two is at place 1 of 3 now.", retries=50)
    assert queue_of(user) == ["two", "one", "three"]
    [entries] = user.find(kind=ReorderList).elements
    fire(entries, "move", [three.id, 0])  # as a mouse or Alt and an arrow tell it
    await user.should_see("three is at place 1 of 3 now.", retries=50)
    assert queue_of(user) == ["three", "two", "one"]


async def test_the_queue_is_held_and_continued(user: User, services: Services) -> None:
    await waiting(services, "one")
    await open_list(user)
    await press(user, "Hold the queue")
    assert services.jobs.queue_held
    await user.should_see("What is at work goes on.", retries=50)
    await press(user, "Continue the queue")
    assert not services.jobs.queue_held
    await user.should_not_see("What is at work goes on.", retries=50)


async def test_a_chain_is_drawn_as_one(user: User, services: Services) -> None:
    first = await services.jobs.submit(JobKind.TRAINING, training("capitals"))
    await services.jobs.submit(JobKind.TRAINING, training("rivers"), after=first.id)
    await services.jobs.submit(JobKind.TRAINING, training("lakes"))
    await services.jobs.pause(first.id)
    await open_list(user)
    assert queue_of(user) == ["capitals", "rivers", "lakes"]
    await user.should_see("It is paused: it keeps its place")
    assert not buttons(user, "Move capitals up")
    await services.jobs.resume(first.id)
    await user.should_see("after capitals", retries=50)
    assert buttons(user, "Move capitals down")


async def test_a_long_queue_shows_its_beginning(user: User, services: Services) -> None:
    await waiting(services, *(f"run {n:02}" for n in range(12)))
    await open_list(user)
    assert len(queue_of(user)) == 8
    await press(user, "Show 4 more")
    assert len(queue_of(user)) == 12


async def test_leaving_the_list_ends_its_listening(user: User, services: Services) -> None:
    [job] = await waiting(services, "one")
    await user.open("/help/glossary")
    events = (services.jobs.jobs_changed, job.changed)
    before = [len(event.callbacks) for event in events]
    for _ in range(3):
        with user:
            ui.navigate.to("/activity")
        await user.should_see("1–1 of 1", retries=50)
        assert [len(event.callbacks) for event in events] != before
        with user:
            ui.navigate.to("/help/glossary")
        await user.should_not_see("1–1 of 1", retries=50)
    assert [len(event.callbacks) for event in events] == before
