"""The bell: what was told, what of it is new to whom, and how a page makes itself heard."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import Client, ui
from nicegui.testing import User
from nicegui.testing.user_notify import UserNotify

from qlora_ui.components.browser.browser_notice import BrowserNotice
from qlora_ui.components.button import Button
from qlora_ui.components.toast import Announcer, toast
from qlora_ui.contract.notifications import Notification
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.reactive import Event
from qlora_ui.locales import speaking
from qlora_ui.notifications import news
from qlora_ui.pages.shell.bell import SHOWN_AT_ONCE, Bell
from qlora_ui.pages.shell.frame import PATHS
from qlora_ui.services import Services
from tests.fakes.runs import FakeRun, write_run
from tests.ui.acting import buttons, press

FAILED = FakeRun("mail-sorting", JobStatus.FAILED, error="The device has too little memory for this batch size.")


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What pages show as toasts, with the attributes that tell screen readers how to read them."""
    shown: list[dict[str, Any]] = []
    remember = UserNotify.__call__

    def watched(notify: UserNotify, message: str, **options: Any) -> None:
        shown.append({"message": message, **options})
        remember(notify, message, **options)

    monkeypatch.setattr(UserNotify, "__call__", watched)
    return shown


async def tell(services: Services, *runs: FakeRun) -> list[Notification]:
    """Have these runs end now; gives what is told of them, newest first."""
    if not services.notifications._tasks:
        await services.notifications.start()
    for run in runs:
        write_run(services.workspace, run)
    await services.jobs.refresh()
    await services.notifications._follow_jobs()
    return list(services.notifications.history)


def bell_of(client: Client) -> Bell:
    [bell] = [element for element in client.elements.values() if isinstance(element, Bell)]
    return bell


def name_of(client: Client) -> str:
    return str(bell_of(client)._button._props["aria-label"])


def turn(client: Client, state: str) -> None:
    """Open or close the list, as the browser does when the button or Escape is pressed."""
    panel = bell_of(client)._panel
    [listener] = [listener for listener in panel._event_listeners.values() if listener.type == "toggle"]
    panel._handle_event({"listener_id": listener.id, "args": {"newState": state}})


def said(client: Client) -> str:
    [voice] = [element for element in client.elements.values() if isinstance(element, Announcer)]
    return str(voice.text)


async def test_it_says_when_there_is_nothing_to_tell(user: User) -> None:
    client = await user.open("/settings")
    assert name_of(client) == "Notifications"
    turn(client, "open")
    await user.should_see("Nothing to tell yet")
    turn(client, "closed")
    await user.should_not_see("Nothing to tell yet")


async def test_it_lists_what_was_told_newest_first_with_a_way_there(user: User, services: Services) -> None:
    told = await tell(services, FakeRun("support-tone", minutes_ago=5), FAILED)
    client = await user.open("/settings")
    assert name_of(client) == "Notifications, 3 unread"
    turn(client, "open")
    rows = list(bell_of(client)._rows.values())
    assert [row.told for row in rows] == told
    links = [element for row in rows for element in row.descendants() if isinstance(element, ui.link)]
    runs = [entry for entry in told if entry.job_id is not None]
    ways = ["/activity", *(f"/activity/{entry.job_id}" for entry in runs)]
    assert [link._props["href"] for link in links] == ways
    assert len(runs) == 2
    await user.should_see("All runs are done: 1 of 2 finished")
    await user.should_see("mail-sorting failed")
    await user.should_see("The device has too little memory for this batch size.")
    await user.should_see("5 min ago")


async def test_a_long_history_is_shown_in_parts(user: User, services: Services) -> None:
    await tell(services, *(FakeRun(f"run {number}") for number in range(25)))
    client = await user.open("/settings")
    turn(client, "open")
    assert len(bell_of(client)._rows) == 20
    await press(user, "Show older ones")
    assert [row.told for row in bell_of(client)._rows.values()] == list(services.notifications.history)
    assert not buttons(user, "Show older ones")


async def test_what_one_person_has_read_is_read_on_all_of_their_tabs_and_on_nobody_elses(
    user: User, services: Services
) -> None:
    await tell(services, FakeRun("support-tone"), FAILED)
    other_tab = await user.open("/settings")
    turn(other_tab, "open")
    client = await user.open("/settings")
    turn(client, "open")
    await services.people.change("ada", notifications={"seen_until": services.notifications.history[0].told_at})
    assert name_of(client) == "Notifications, 3 unread"
    await press(user, "Mark all as read")
    for tab in (client, other_tab):
        assert name_of(tab) == "Notifications"
        assert not any(row._unread.visible for row in bell_of(tab)._rows.values())
    [mark] = [button for button in buttons(user, "Mark all as read") if isinstance(button, Button)]
    assert not mark.enabled
    await tell(services, FakeRun("later"))
    assert [name_of(tab) for tab in (client, other_tab)] == ["Notifications, 1 unread"] * 2
    rows = bell_of(client)._rows.values()
    assert [row._unread.visible for row in rows] == [True, False, False, False]


async def test_topics_that_a_person_does_not_want_are_listed_and_nothing_more(
    user: User, services: Services, notices: list[dict[str, Any]]
) -> None:
    await services.people.change(notifications={"job_complete": False})
    client = await user.open("/settings")
    turn(client, "open")
    await tell(services, FakeRun("support-tone"))
    assert name_of(client) == "Notifications"
    assert notices == []
    assert len(bell_of(client)._rows) == 1
    await services.people.change(notifications={"job_complete": True})
    assert name_of(client) == "Notifications, 1 unread"


async def test_good_news_is_said_politely_and_bad_news_at_once_each_of_them_once(
    user: User, services: Services, notices: list[dict[str, Any]]
) -> None:
    client = await user.open("/settings")
    await tell(services, FakeRun("support-tone"))
    [good] = notices
    assert good["message"] == said(client) == "support-tone finished"
    assert good["attrs"] == {"role": "status", "aria-live": "off"}
    await tell(services, FAILED)
    bad = notices[1]
    assert (bad["message"], bad["caption"]) == ("mail-sorting failed", FAILED.error)
    assert bad["attrs"] == {"role": "alert"}
    assert said(client) == "support-tone finished"


async def test_the_same_words_are_said_again(user: User) -> None:
    client = await user.open("/settings")
    with client:
        toast("Copied.")
        first = said(client)
        toast("Copied.")
    assert first != said(client)
    assert first.strip() == said(client).strip() == "Copied."


async def test_a_page_without_a_voice_shows_toasts_that_speak_for_themselves(
    user: User, notices: list[dict[str, Any]]
) -> None:
    @ui.page("/silent")
    def page() -> None:
        toast("Copied.")

    await user.open("/silent")
    assert notices[0]["attrs"] == {"role": "status", "aria-live": "polite"}


async def test_the_page_of_a_run_says_its_end_itself(
    user: User, services: Services, notices: list[dict[str, Any]]
) -> None:
    running = FakeRun("support-tone", JobStatus.RUNNING, process=ProcessIdentity.of())
    run = write_run(services.workspace, running)
    await tell(services)
    await user.open(f"/activity/{run.id}")
    [job] = services.jobs.jobs.values()
    job.status = JobStatus.COMPLETED
    await services.notifications._follow_jobs()
    assert len(services.notifications.history) == 1
    assert notices == []


async def test_the_browser_shows_it_only_where_a_person_wants_that(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, str, str, str]] = []
    monkeypatch.setattr(
        BrowserNotice, "show", lambda _self, title, body, *, tag, path: shown.append((title, body, tag, path))
    )
    await user.open("/settings")
    await tell(services, FakeRun("support-tone"))
    assert shown == []
    await services.people.change(notifications={"browser": True})
    told = await tell(services, FAILED)
    assert shown == [("mail-sorting failed", FAILED.error, told[0].id, f"/activity/{told[0].job_id}")]


async def test_a_run_that_is_deleted_leaves_words_without_a_link(user: User, services: Services) -> None:
    [told] = await tell(services, FAILED)
    client = await user.open("/settings")
    turn(client, "open")
    [row] = bell_of(client)._rows.values()
    assert any(isinstance(element, ui.link) for element in row.descendants())
    await services.jobs.delete(str(told.job_id))
    assert not any(isinstance(element, ui.link) for element in row.descendants())
    turn(client, "closed")
    turn(client, "open")
    [row] = bell_of(client)._rows.values()
    assert not any(isinstance(element, ui.link) for element in row.descendants())
    await user.should_see("mail-sorting failed")


async def test_what_is_told_while_the_list_is_open_appears_at_its_top(user: User, services: Services) -> None:
    client = await user.open("/settings")
    turn(client, "open")
    await tell(services, FakeRun("support-tone"))
    await user.should_not_see("Nothing to tell yet")
    first = next(iter(bell_of(client)._rows.values()))
    await tell(services, FAILED)
    assert [row.told.event for row in bell_of(client)._rows.values()] == ["job_failed", "job_completed"]
    assert not first.is_deleted, "what has the focus keeps it"
    shown = bell_of(client)._list.default_slot.children
    assert shown == list(bell_of(client)._rows.values())


async def test_nothing_listens_after_the_page_is_gone(user: User, services: Services) -> None:
    events: list[Event[Any]] = [services.notifications.added, services.people.changed, services.jobs.jobs_changed]
    before = [len(event.callbacks) for event in events]
    client = await user.open("/settings")
    assert all(len(event.callbacks) > count for event, count in zip(events, before, strict=True))
    client.delete()
    assert [len(event.callbacks) for event in events] == before


def test_every_title_reads_well_in_english() -> None:
    with speaking("en"):
        told = news.of_update("9.1")
        assert news.english(told) == "qlora-ui 9.1 is out"
        assert told.path.partition("#")[0] in PATHS


async def test_the_dashboard_shows_the_end_of_a_run_and_says_it_once(
    user: User, services: Services, notices: list[dict[str, Any]]
) -> None:
    client = await user.open("/")
    await tell(services, FakeRun("support-tone"))
    [shown] = notices
    assert shown["message"] == "support-tone finished"
    assert shown["attrs"]["aria-live"] == "off"
    assert said(client) == ""


async def test_showing_older_news_goes_on_at_the_first_of_them(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[str] = []
    monkeypatch.setattr(Client, "run_javascript", lambda _client, code, **_options: scripts.append(code))
    await tell(services, *(FakeRun(f"run-{number}") for number in range(SHOWN_AT_ONCE + 2)))
    client = await user.open("/settings")
    turn(client, "open")
    await press(user, "Show older ones")
    oldest = list(bell_of(client)._rows.values())[SHOWN_AT_ONCE]
    assert any(f"getHtmlElement({oldest.id})?.focus" in script for script in scripts)
