"""What can be done from everywhere: keys, the palette, the menu of the person."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nicegui import background_tasks, ui
from nicegui.testing import User

from qlora_ui.components.browser.keys import KeyListener
from qlora_ui.components.menu import MenuButton
from qlora_ui.components.palette import Palette
from qlora_ui.contract.records import Dataset, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.pages.shell import palette as palette_page
from qlora_ui.pages.shortcuts import GROUPS, SHORTCUTS
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.services import Services
from tests.ui.acting import buttons, press


async def tell(element: ui.element, type: str, args: Any) -> None:
    """Have a component send an event, and wait until it has been answered."""
    before = set(background_tasks.running_tasks)
    [listener] = [listener for listener in element._event_listeners.values() if listener.type == type]
    element._handle_event({"listener_id": listener.id, "args": args})
    if begun := set(background_tasks.running_tasks) - before:
        await asyncio.wait(begun, timeout=5)


def next_path(user: User) -> asyncio.Future[str]:
    """Done as soon as another page is opened."""
    opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    assert user.client is not None

    def follow(path: str) -> None:
        if not opened.done():
            opened.set_result(path)

    user.client.sub_pages_router.on_path_changed(follow)
    return opened


async def open_palette(user: User) -> Palette:
    await press(user, "Search or run a command")
    [palette] = user.find(Palette).elements
    return palette


def texts(palette: Palette, heading: str = "") -> list[str]:
    groups = palette._props["found"]["groups"]
    return [choice["text"] for g in groups if not heading or g["heading"] == heading for choice in g["choices"]]


def id_of(palette: Palette, text: str) -> str:
    groups = palette._props["found"]["groups"]
    [id] = [choice["id"] for g in groups for choice in g["choices"] if choice["text"] == text]
    return str(id)


# ---- the palette ----


async def test_palette_is_built_when_it_is_asked_for(user: User) -> None:
    await user.open("/settings")
    await user.should_not_see(Palette)
    palette = await open_palette(user)
    assert texts(palette, "Pages")[:2] == ["Dashboard", "Train"]
    assert "New fine-tune" in texts(palette, "Commands")
    assert await open_palette(user) is palette


@pytest.mark.parametrize(
    ("query", "heading", "text", "path"),
    [
        ("comp", "Pages", "Compare models", "/evaluate/dashboard"),
        ("support-t", "Runs", "support-tone", "/activity/"),
        ("dark high", "Settings", "Appearance", "/settings#appearance"),
        ("what is an adapter", "Glossary", "Adapter", "/help/glossary#adapter"),
    ],
)
async def test_palette_finds_and_opens(
    user: User, busy_services: Services, query: str, heading: str, text: str, path: str
) -> None:
    await user.open("/activity")
    palette, opened = await open_palette(user), next_path(user)
    await tell(palette, "search", query)
    assert text in texts(palette, heading)
    await tell(palette, "choose", id_of(palette, text))
    assert (await asyncio.wait_for(opened, 5)).startswith(path)


async def test_palette_finds_a_run_by_its_id(user: User, busy_services: Services) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    for job in busy_services.jobs.jobs.values():
        await tell(palette, "search", job.id)
        assert texts(palette, "Runs") == [job.name]


async def test_palette_finds_a_run_that_began_since(user: User, busy_services: Services) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    [job] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.RUNNING]
    del busy_services.jobs.jobs[job.id]
    await open_palette(user)
    await tell(palette, "search", job.id)
    assert texts(palette) == []
    busy_services.jobs.jobs[job.id] = job
    await open_palette(user)
    await tell(palette, "search", job.id)
    assert texts(palette, "Runs") == [job.name]


async def test_palette_says_how_many_it_found(user: User) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    assert palette._props["found"]["summary"] == ""
    await tell(palette, "search", "compare models")
    assert palette._props["found"]["summary"] == "1 result"
    await tell(palette, "search", "zzzz")
    assert palette._props["found"] == {"query": "zzzz", "groups": [], "summary": "0 results"}
    assert "theme" in palette._props["words"]["advice"]


async def test_palette_runs_only_what_it_offered(user: User, services: Services) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    await tell(palette, "search", "zzzz")
    await tell(palette, "choose", "theme:dark")
    await tell(palette, "choose", ["theme:dark"])
    assert services.store.preferences.get().theme == "system"


async def test_palette_sets_the_theme(user: User, services: Services) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    await tell(palette, "search", "dark")
    await tell(palette, "choose", id_of(palette, "Theme: dark"))
    assert services.store.preferences.get().theme == "dark"
    await open_palette(user)
    await tell(palette, "search", "theme:")
    assert "Theme: dark" not in texts(palette)


async def test_palette_asks_before_it_stops_a_run(user: User, busy_services: Services) -> None:
    [job] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.RUNNING]
    await user.open("/settings")
    palette = await open_palette(user)
    await tell(palette, "search", "stop support")
    asked = asyncio.create_task(tell(palette, "choose", id_of(palette, "Stop support-tone")))
    await user.should_see("Stop support-tone?")
    wishes = [job.asked_to]
    await press(user, "Stop")
    await asked
    assert [*wishes, job.asked_to] == ["", "stop"]
    await open_palette(user)
    await tell(palette, "search", "stop support")
    assert "Stop support-tone" not in texts(palette), "it was asked already"


async def test_palette_tries_again_what_failed_and_resumes_what_did_not(user: User, busy_services: Services) -> None:
    [failed] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.FAILED]
    await user.open("/settings")
    palette = await open_palette(user)
    await tell(palette, "search", "resume")
    assert "Resume sql-from-text" in texts(palette)
    assert "Resume mail-sorting" not in texts(palette)
    await tell(palette, "search", "try mail")
    await tell(palette, "choose", id_of(palette, "Try mail-sorting again"))
    assert failed.status is JobStatus.PENDING


async def test_palette_takes_data_into_a_new_fine_tune(user: User, services: Services) -> None:
    file = services.workspace.datasets / "d1" / "tickets.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text('{"prompt": "a", "completion": "b"}\n')
    services.store.datasets.put(Dataset(id="d1", name="tickets.jsonl", path=str(file), bytes=34))
    client = await user.open("/settings")
    palette, opened = await open_palette(user), next_path(user)
    await tell(palette, "search", "tickets")
    await tell(palette, "choose", id_of(palette, "tickets.jsonl"))
    assert await asyncio.wait_for(opened, 5) == "/train"
    session = client.storage["train"]
    assert isinstance(session, TrainSession)
    assert session.form.get("dataset_path") == str(file)


async def test_palette_stays_small_and_quick_with_thousands_of_runs(
    user: User, busy_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await user.open("/settings")
    palette = await open_palette(user)
    job = next(iter(busy_services.jobs.jobs.values()))
    records = [job.record.model_copy(update={"id": f"{job.id}-{number}"}) for number in range(5_000)]
    many = {record.id: Job(job.paths, record, job.parameters) for record in records}
    monkeypatch.setattr(busy_services.jobs, "jobs", many)
    await open_palette(user)
    await tell(palette, "search", job.name[:3])
    assert len(texts(palette, "Runs")) == palette_page.MOST
    assert len(texts(palette)) < 60


# ---- keys ----


async def press_keys(user: User, keys: str) -> None:
    [listener] = user.find(KeyListener).elements
    await tell(listener, "keys", keys)


@pytest.mark.parametrize("keys", [keys for keys, shortcut in SHORTCUTS.items() if shortcut.path])
async def test_keys_open_pages(user: User, keys: str) -> None:
    await user.open("/help")
    opened = next_path(user)
    await press_keys(user, keys)
    assert await asyncio.wait_for(opened, 5) == SHORTCUTS[keys].path


async def test_keys_run_commands(user: User, services: Services) -> None:
    await user.open("/help")
    await press_keys(user, "t")
    assert services.store.preferences.get().theme == "light"
    await press_keys(user, "[")
    assert services.store.preferences.get().sidebar_collapsed
    await press_keys(user, "/")
    await user.should_see(Palette)


async def test_unknown_keys_do_nothing(user: User) -> None:
    client = await user.open("/help")
    for keys in ("x", "g x", ["g d"], None):
        [listener] = user.find(KeyListener).elements
        await tell(listener, "keys", keys)
    assert client.sub_pages_router.current_path == "/help"


async def test_keys_are_listed_and_can_be_switched_off_on_every_tab(user: User, services: Services) -> None:
    await user.open("/settings")
    [listener] = user.find(KeyListener).elements
    assert listener._props["on"] is True
    [theme] = buttons(user, "Theme: ")
    assert theme._props["aria-keyshortcuts"] == "t"
    await press_keys(user, "?")
    for shortcut in (shortcut for group in GROUPS.values() for shortcut in group):
        await user.should_see(shortcut.words)
    await services.people.change(accessibility={"shortcuts": False})
    assert listener._props["on"] is False
    assert "aria-keyshortcuts" not in theme._props
    palette = await open_palette(user)
    assert {choice["keys"] for group in palette._props["found"]["groups"] for choice in group["choices"]} == {""}


async def test_switch_in_the_list_is_remembered(user: User, services: Services) -> None:
    await user.open("/help")
    await press_keys(user, "?")
    user.find(ui.switch).click()
    await services.people.changed.emitted(timeout=5)
    assert services.store.preferences.get().accessibility.shortcuts is False


# ---- the person ----


async def test_menu_says_who_one_is_on_this_machine(user: User) -> None:
    await user.open("/settings")
    [menu] = user.find(MenuButton).elements
    assert str(menu._props["title"]).startswith("On this machine")
    assert [item["text"] for item in menu._props["items"]] == ["Settings", "Keyboard shortcuts", "Help"]
    await tell(menu, "choose", "1")
    await user.should_see("Escape closes dialogs and menus.")


async def test_menu_of_someone_who_signed_in(user: User, services: Services) -> None:
    await open_as(user, "name:mia", "Mia")
    [menu] = user.find(MenuButton).elements
    assert (menu._props["title"], menu._props["letter"]) == ("Mia", "M")
    assert "no account" in str(menu._props["note"])
    [out] = [item for item in menu._props["items"] if item["post"]]
    assert (out["text"], out["post"]) == ("Sign out", "/sign-out")


async def test_settings_of_people_are_kept_apart(user: User, services: Services) -> None:
    await open_as(user, "name:mia", "Mia")
    await press(user, "Theme: ")
    assert services.store.preferences.get("name:mia").theme == "light"
    assert services.store.preferences.get().theme == "system"
    await services.people.change("name:mio", theme="dark")
    [dark_mode] = user.find(ui.dark_mode).elements
    assert dark_mode.value is False, "what another person chooses changes nothing here"


async def test_menu_of_someone_without_a_name(user: User) -> None:
    await open_as(user, "local", "")
    [menu] = user.find(MenuButton).elements
    assert (menu._props["title"], menu._props["letter"]) == ("Signed in without a name", "?")


async def open_as(user: User, person: str, name: str) -> None:
    """Open a page as the sign-in introduces this person."""
    transport = user.http_client._transport
    app = transport.app  # type: ignore[attr-defined]

    async def introducing(scope: Any, receive: Any, send: Any) -> None:
        said = {"qlora_ui.person": person, "qlora_ui.name": name, "qlora_ui.signed_in": True}
        await app({**scope, **said}, receive, send)

    transport.app = introducing  # type: ignore[attr-defined]
    try:
        await user.open("/settings")
    finally:
        transport.app = app  # type: ignore[attr-defined]


async def test_words_of_the_glossary_come_last_unless_one_is_asked_for(user: User, busy_services: Services) -> None:
    await user.open("/settings")
    palette = await open_palette(user)

    async def headings(query: str) -> list[str]:
        await tell(palette, "search", query)
        return [group["heading"] for group in palette._props["found"]["groups"]]

    assert (await headings("st"))[-1] == "Glossary"
    assert (await headings("seed"))[0] == "Glossary"
