"""/settings: every change is saved at once, secrets stay secret, and what is deleted was asked for."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal
from unittest.mock import AsyncMock

import pytest
from nicegui import Client, background_tasks, ui
from nicegui.testing import User

from qlora_ui import clean_up, diagnostics, locales, settings_file, storage_use
from qlora_ui.clean_up import Findings, Item
from qlora_ui.components.browser.browser_permission import BrowserPermission
from qlora_ui.components.forms.file_picker import FilePicker
from qlora_ui.components.section_nav import SectionNav
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.diagnostics import Report
from qlora_ui.doctor import Check
from qlora_ui.pages.settings import clean_up as settings_clean_up
from qlora_ui.pages.settings import transfer as settings_transfer
from qlora_ui.services import Services
from qlora_ui.storage_use import StorageUse
from qlora_ui.store import credentials
from tests.fakes.runs import FakeRun, write_run
from tests.ui.acting import buttons, press

TOKEN = "hf_NobodyShallEverSeeThis9876"
SECTIONS = [
    "appearance",
    "language",
    "notifications",
    "accessibility",
    "models",
    "standby",
    "storage",
    "transfer",
    "about",
]


@pytest.fixture(autouse=True)
def no_token_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (credentials.VARIABLE, credentials.OLD_VARIABLE, credentials.OFFLINE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(credentials, "system_keyring", lambda: None)


# ---- the page ----


async def test_every_section_has_its_place(user: User) -> None:
    client = await open_settings(user)
    assert client.title == "Settings · qlora-ui"
    [nav] = user.find(SectionNav).elements
    assert [section["name"] for section in nav._props["sections"]] == SECTIONS
    ids = [element._props.get("id") for element in client.elements.values() if "qu-section" in element.classes]
    assert ids == SECTIONS


async def test_a_link_within_the_app_leads_to_a_section(user: User) -> None:
    await user.open("/")
    user.navigate.to("/settings#storage")
    await see(user, "Export and import")
    [nav] = user.find(SectionNav).elements
    assert nav._props["first"] == "storage"


async def test_nothing_listens_after_the_page_is_left(user: User, services: Services) -> None:
    await user.open("/publish")
    before = len(services.people.changed.callbacks)
    user.navigate.to("/settings")
    await see(user, "Export and import")
    assert len(services.people.changed.callbacks) > before
    user.navigate.to("/publish")
    await see(user, "Turn an adapter into a model")
    assert len(services.people.changed.callbacks) == before


# ---- preferences ----


async def test_a_theme_is_chosen_and_another_tabs_choice_is_shown(user: User, services: Services) -> None:
    await open_settings(user)
    await press(user, "Dark")
    assert services.store.preferences.get().theme == "dark"
    await see(user, "Saved: Theme")
    await services.people.change(theme="light")
    assert checked(user, "Light") == "true"
    assert checked(user, "Dark") == "false"


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Finished runs", lambda kept: kept.notifications.job_complete),
        ("Trouble", lambda kept: kept.notifications.errors),
        ("New versions", lambda kept: kept.notifications.updates),
        ("Browser notifications", lambda kept: kept.notifications.browser),
        ("Reduced motion", lambda kept: kept.accessibility.reduced_motion),
        ("High contrast", lambda kept: kept.accessibility.high_contrast),
        ("Screen-reader mode", lambda kept: kept.accessibility.screen_reader),
    ],
)
async def test_a_switch_is_saved_at_once(
    user: User,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    title: str,
    read: Callable[[UserPreferences], bool],
) -> None:
    await open_settings(user)
    monkeypatch.setattr(user.navigate, "reload", lambda: None)  # what the screen-reader mode asks for
    control = switch(user, title)
    before = read(UserPreferences())
    assert control.value is before
    await done(lambda: control.set_value(not before))
    assert read(services.store.preferences.get()) is not before
    await see(user, f"Saved: {title}")
    await services.people.change(**UserPreferences().model_dump(exclude={"notifications": {"seen_until"}}))
    assert control.value is before


async def test_a_change_of_another_tab_is_shown_but_not_saved_again(user: User, services: Services) -> None:
    await open_settings(user)
    await done(lambda: services.people.change(accessibility={"high_contrast": True}))
    assert switch(user, "High contrast").value is True
    await user.should_not_see("Saved:")


async def test_what_the_disk_refuses_is_said_and_shown_as_it_was(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise WorkspaceError("The disk is full.", "Free some space.")

    await open_settings(user)
    monkeypatch.setattr(services.store.preferences, "change", full)
    control = switch(user, "High contrast")
    await done(lambda: control.set_value(True))
    assert control.value is False
    assert "The disk is full." in user.notify.messages
    await user.should_not_see("Saved:")


async def test_a_language_is_chosen_by_its_own_name(user: User, services: Services) -> None:
    await open_settings(user)
    select = control_of(user, "Language of the app", ui.select)
    assert select.options == {"": "As the browser asks", **locales.languages()}
    assert select.value == ""
    await done(lambda: select.set_value("en"))
    assert services.store.preferences.get().language == "en"
    await done(lambda: select.set_value(""))
    assert services.store.preferences.get().language == ""


async def test_an_offline_app_asks_for_no_versions(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"offline": True}))
    await open_settings(user)
    assert not switch(user, "New versions").enabled
    await see(user, "started with --offline")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("denied", "This browser blocks it for this page."),
        ("insecure", "this one came over plain http"),
        ("missing", "has no notifications for pages"),
        ("<script>", "has no notifications for pages"),
    ],
)
async def test_why_a_browser_shows_no_notifications(user: User, state: str, words: str) -> None:
    await open_settings(user)
    tell(user, BrowserPermission, "state", state)
    await see(user, words)


async def test_an_allowed_browser_is_only_mentioned_where_it_matters(user: User, services: Services) -> None:
    await open_settings(user)
    tell(user, BrowserPermission, "state", "granted")
    await user.should_not_see("This browser allows it.")
    await services.people.change(notifications={"browser": True})
    await see(user, "This browser allows it.")


async def test_the_default_model_is_chosen_or_typed(user: User, services: Services) -> None:
    await open_settings(user)
    select = control_of(user, "Default model", ui.select)
    assert list(select.options) == ["", "starter"]
    await done(lambda: select.set_value("starter"))
    assert services.store.preferences.get().default_model == "starter"
    field = text_field(user, "Another model")
    field.value = "  Qwen/Qwen3-0.6B "
    await press_in(user, "models", "Save", 0)
    assert services.store.preferences.get().default_model == "Qwen/Qwen3-0.6B"
    assert (select.value, field.value) == ("Qwen/Qwen3-0.6B", "")
    field.value = " "
    await press_in(user, "models", "Save", 0)
    await see(user, "Give a folder or a name on the hub.")


async def test_a_folder_for_merged_models_must_be_there(user: User, services: Services, tmp_path: Path) -> None:
    await open_settings(user)
    [field] = user.find(marker="merged-folder").elements
    assert isinstance(field, ui.input)
    for wrong, problem in {
        "models": "Give the full path of a folder",
        str(tmp_path / "nowhere"): "Make it first.",
    }.items():
        field.value = wrong
        await press_in(user, "models", "Save", 2)
        await see(user, problem)
        assert services.store.preferences.get().merged_folder == ""
    field.value = f" {tmp_path} "
    await press_in(user, "models", "Save", 2)
    assert services.store.preferences.get().merged_folder == str(tmp_path)
    field.value = ""
    await press_in(user, "models", "Save", 2)
    assert services.store.preferences.get().merged_folder == ""


# ---- secrets ----


async def test_a_token_is_kept_named_by_its_end_and_removed(user: User, services: Services) -> None:
    await open_settings(user)
    field = text_field(user, "Token")
    field.value = TOKEN
    await press_in(user, "models", "Save", 1)
    await see(user, "It ends in …9876.")
    assert services.workspace.hub_token.read_text() == TOKEN + "\n"
    assert field.value == ""
    assert nothing_of(TOKEN, user, services.workspace)
    answer = await user.http_client.get("/settings")
    assert TOKEN not in answer.text
    await open_settings(user)
    await see(user, "It ends in …9876.")
    assert nothing_of(TOKEN, user, services.workspace)
    removing = asyncio.create_task(press(user, "Remove: Hub token"))
    await see(user, "Remove it?")
    await press_in_dialog(user, "Remove")
    await removing
    await user.should_not_see("A token is set.")
    assert not services.workspace.hub_token.exists()


async def test_what_is_no_token_is_refused_and_wiped(user: User, services: Services) -> None:
    await open_settings(user)
    text_field(user, "Token").value = "not one of them"
    await press_in(user, "models", "Save", 1)
    await see(user, "This cannot be a token")
    assert nothing_of("not one of them", user, services.workspace)
    await press_in(user, "models", "Save", 1)
    await see(user, "Paste it here first.")


async def test_a_token_of_the_environment_cannot_be_replaced_here(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    await open_settings(user)
    await see(user, "The app was started with a token in HF_TOKEN.")
    assert buttons(user, "Remove: Hub token") == []
    assert TOKEN not in (await user.http_client.get("/settings")).text


async def test_a_webhook_is_kept_and_tried(user: User, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://chat.example/hooks/very-secret-part"
    tested: list[bool] = []

    async def send_test() -> None:
        if tested:
            raise WorkspaceError("The server answered with 404.", "Check the address.")
        tested.append(True)

    monkeypatch.setattr(services.notifications, "send_test", send_test)
    await open_settings(user)
    text_field(user, "Address of the webhook").value = "javascript:alert(1)"
    await press_in(user, "notifications", "Save", 0)
    await see(user, "no web address")
    text_field(user, "Address of the webhook").value = address
    await press_in(user, "notifications", "Save", 0)
    await see(user, services.notifications.webhook_url())
    assert "chat.example" in services.notifications.webhook_url()
    assert nothing_of("very-secret-part", user, services.workspace)
    await press(user, "Send a test")
    assert "The test message was sent." in user.notify.messages
    await press(user, "Send a test")
    assert "The server answered with 404." in user.notify.messages


# ---- storage ----


async def test_what_takes_the_room_is_shown(user: User, services: Services) -> None:
    run = write_run(services.workspace, FakeRun("legal-summaries"))
    run.checkpoints.mkdir()
    (run.checkpoints / "weights.bin").write_bytes(b"x" * 2_500_000)
    await services.jobs.refresh()
    await open_settings(user)
    await see(user, "Largest runs")
    await see(user, "2.5 MB")
    links = [link for link in user.find(ui.link).elements if link._props["href"] == f"/activity/{run.id}"]
    assert [getattr(link, "text", "") for link in links] == ["legal-summaries"]


async def test_measuring_ends_when_the_page_is_left(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def endless(_: Workspace) -> StorageUse:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    monkeypatch.setattr(storage_use, "measure", endless)
    await open_settings(user)
    await see(user, "Stop measuring")
    user.navigate.to("/help/glossary")
    async with asyncio.timeout(5):
        await ended.wait()


async def test_measuring_can_be_stopped(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_: Workspace) -> StorageUse:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(storage_use, "measure", endless)
    await open_settings(user)
    await press(user, "Stop measuring")
    await see(user, "It was not measured to its end.")
    monkeypatch.undo()
    await press(user, "Measure again")
    await see(user, "The home folder takes")


async def test_a_clean_up_names_everything_asks_and_says_what_it_freed(user: User, services: Services) -> None:
    data = old_data(services.workspace, "old-rows.jsonl", 1_500_000)
    run = write_run(services.workspace, FakeRun("finished-one"))
    (run.checkpoints / "checkpoint-5").mkdir(parents=True)
    (run.checkpoints / "checkpoint-5" / "weights.bin").write_bytes(b"x" * 2_000_000)
    await open_settings(user)
    await press(user, "See what could go")
    await see(user, "old-rows.jsonl")
    await see(user, "finished-one")
    [delete] = buttons(user, "Delete")
    assert not getattr(delete, "enabled", True)
    choose(user, "clean-datasets")
    assert buttons(user, "Delete 1 item, 1.5 MB")

    refusing = asyncio.create_task(press(user, "Delete 1 item, "))
    await see(user, "Delete 1 item for good?")
    await press_in_dialog(user, "Cancel")
    await refusing
    assert data.exists()

    deleting = asyncio.create_task(press(user, "Delete 1 item, "))
    await press_in_dialog(user, "Delete for good")
    await deleting
    await see(user, "1 item was deleted, and 1.5 MB are free again.")
    assert not data.exists()
    assert run.checkpoints.exists()


async def test_a_long_list_of_names_holds_nobody_up(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = settings_clean_up.ROWS_AT_ONCE
    items = [Item("datasets", Path(f"/data/{number}"), f"{number}.jsonl", 1) for number in range(2 * rows + 1)]
    monkeypatch.setattr(clean_up, "find", AsyncMock(return_value=Findings(items)))
    written, per_turn, name = 0, [0], settings_clean_up._name

    def count(item: Item) -> None:
        nonlocal written
        written += 1
        name(item)

    def turn() -> None:
        if written > sum(per_turn):
            per_turn.append(written - sum(per_turn))
        if written < len(items):
            asyncio.get_running_loop().call_soon(turn)

    monkeypatch.setattr(settings_clean_up, "_name", count)
    await open_settings(user)
    turn()
    await press(user, "See what could go")
    await see(user, f"{2 * rows}.jsonl")
    turn()
    assert per_turn == [0, rows, rows, 1]


async def test_there_may_be_nothing_to_clean_up(user: User) -> None:
    await open_settings(user)
    await press(user, "See what could go")
    await see(user, "There is nothing to clean up.")


# ---- export and import ----


async def test_settings_go_out_without_secrets(user: User, services: Services) -> None:
    services.credentials.set(TOKEN)
    await services.people.change(theme="dark")
    await open_settings(user)
    sent = asyncio.create_task(user.download.next(timeout=10))
    await asyncio.sleep(0)
    await press(user, "Export")
    content = (await sent).text
    assert json.loads(content)["preferences"]["theme"] == "dark"
    assert TOKEN not in content


async def test_a_file_is_shown_before_it_is_taken(user: User, services: Services) -> None:
    await open_settings(user)
    chosen = UserPreferences(theme="dark").model_copy(deep=True)
    chosen.accessibility.high_contrast = True
    give(user, settings_file.export(chosen).decode())
    await see(user, "What mine.json would change")
    await see(user, "As the system has it")
    assert services.store.preferences.get() == UserPreferences()
    await press(user, "Take these settings")
    assert services.store.preferences.get() == chosen
    await see(user, "Saved: Imported settings")
    assert switch(user, "High contrast").value is True
    give(user, settings_file.export(chosen).decode())
    await see(user, "holds the settings that you have already")


def test_every_setting_in_a_file_has_a_title_on_the_page() -> None:
    """The preview of an import names each by its title."""
    given = settings_file.read(settings_file.export(UserPreferences()))
    everything = {f"{group}.{name}" for group in ("notifications", "accessibility") for name in given[group]}
    assert everything | given.keys() - {"notifications", "accessibility"} == settings_transfer.TITLES.keys()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "The file is not JSON."),
        ('{"format": "qlora-ui settings", "version": 9, "preferences": {}}', "newer qlora-ui (version 9"),
        (
            '{"format": "qlora-ui settings", "version": 1, "preferences": {"theme": "<b>pink"}}',
            "it must be one of 'light', 'dark' or 'system'",
        ),
        (" " * 70_000, "larger than 64 KB"),
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing(
    user: User, services: Services, content: str, words: str
) -> None:
    await open_settings(user)
    give(user, content)
    await see(user, words)
    assert buttons(user, "Take these settings") == []
    assert services.store.preferences.get() == UserPreferences()


async def test_a_file_that_the_browser_finds_too_large(user: User) -> None:
    await open_settings(user)
    tell(user, FilePicker, "refused", "huge.json")
    await see(user, "larger than 64 KB")


@pytest.mark.parametrize("sent", [None, 5, [], {}, {"text": {"a": 1}}])
async def test_a_browser_may_send_anything(user: User, sent: Any) -> None:
    await open_settings(user)
    tell(user, FilePicker, "text", sent)
    await see(user, "The file is not JSON.")


# ---- about ----


@pytest.mark.parametrize(("level", "words"), [("ok", "All is well."), ("warning", "1 finding needs attention.")])
async def test_the_report_is_shown_to_be_copied(
    user: User, monkeypatch: pytest.MonkeyPatch, level: Literal["ok", "warning"], words: str
) -> None:
    async def examine(_: Workspace) -> Report:
        return Report([Check("Memory", level, "20 GB free")], "Memory: 20 GB free")

    monkeypatch.setattr(diagnostics, "examine", examine)
    await open_settings(user)
    await press(user, "Examine this machine")
    await see(user, words)
    await see(user, "Memory: 20 GB free")
    assert buttons(user, "Copy the report")


async def test_no_report_is_said_so(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def examine(_: Workspace) -> Report:
        raise WorkspaceError("The examination gave no report.", "Run `qlora-ui doctor` in a terminal.")

    monkeypatch.setattr(diagnostics, "examine", examine)
    await open_settings(user)
    await press(user, "Examine this machine")
    await see(user, "The examination gave no report.")


# ---- what a person does ----


async def open_settings(user: User) -> Client:
    """Open the page and wait until all of it is built."""
    client = await user.open("/settings")
    building = [task for task in background_tasks.running_tasks if task.get_name().startswith("building sub_page")]
    if building:
        await asyncio.wait(building)
    return client


async def see(user: User, text: str) -> None:
    """Wait, for as long as a busy machine may take, until a text is there."""
    await user.should_see(text, retries=100)


async def done(action: Callable[[], Any]) -> None:
    """Do something and wait for what it set going."""
    before = set(background_tasks.running_tasks)
    result = action()
    if isinstance(result, Awaitable):
        await result
    if begun := set(background_tasks.running_tasks) - before:
        await asyncio.wait(begun)


def section(user: User, name: str) -> list[ui.element]:
    assert user.client is not None
    [found] = [e for e in user.client.elements.values() if "qu-section" in e.classes and e._props.get("id") == name]
    return list(found.descendants())


async def press_in(user: User, name: str, label: str, place: int) -> None:
    """Press the button of this name within a section, the first one being 0."""
    within = section(user, name)
    found = [button for button in buttons(user, label) if button in within]
    await click(found[place])


async def press_in_dialog(user: User, label: str) -> None:
    """Wait for the dialog that is open, and press its button of this name."""
    async with asyncio.timeout(10):
        while not (within := open_dialog(user)):
            await asyncio.sleep(0.01)
    [button] = [button for button in buttons(user, label) if button in within]
    await click(button)


def open_dialog(user: User) -> list[ui.element]:
    assert user.client is not None
    dialogs = [e for e in user.client.elements.values() if isinstance(e, ui.dialog) and e.value]
    return [element for dialog in dialogs for element in dialog.descendants()]


async def click(button: ui.element) -> None:
    [listener] = [listener for listener in button._event_listeners.values() if listener.type == "click"]
    await done(lambda: button._handle_event({"listener_id": listener.id, "args": None}))


def tell(user: User, kind: type[ui.element], event: str, args: Any) -> None:
    """What a component in the browser sends to its other half."""
    [element] = user.find(kind).elements
    [listener] = [listener for listener in element._event_listeners.values() if listener.type == event]
    element._handle_event({"listener_id": listener.id, "args": args})


def choose(user: User, marker: str) -> None:
    [box] = user.find(marker=marker).elements
    [listener] = [listener for listener in box._event_listeners.values() if listener.type == "change"]
    box._handle_event({"listener_id": listener.id, "args": True})


def give(user: User, content: str) -> None:
    tell(user, FilePicker, "text", {"name": "mine.json", "text": content})


def control_of(user: User, title: str, kind: type[Any]) -> Any:
    """The control of the row with this title."""
    assert user.client is not None
    rows = [element for element in user.client.elements.values() if "qu-setting" in element.classes]
    [row] = [row for row in rows if any(getattr(e, "text", "") == title for e in row.descendants())]
    return next(element for element in row.descendants() if isinstance(element, kind))


def switch(user: User, title: str) -> ui.switch:
    found = control_of(user, title, ui.switch)
    assert isinstance(found, ui.switch)
    return found


def text_field(user: User, label: str) -> ui.input:
    assert user.client is not None
    fields = [element for element in user.client.elements.values() if "qu-field" in element.classes]
    [field] = [field for field in fields if any(getattr(e, "text", "") == label for e in field.descendants())]
    return next(element for element in field.descendants() if isinstance(element, ui.input))


def checked(user: User, word: str) -> str:
    [button] = [button for button in buttons(user, word) if button._props.get("role") == "radio"]
    return str(button._props["aria-checked"])


def nothing_of(secret: str, user: User, workspace: Workspace) -> bool:
    """It is in no file but its own, and nowhere in what the page holds."""
    assert user.client is not None
    held = json.dumps([element._to_dict() for element in user.client.elements.values()], default=str)
    own = {workspace.hub_token, workspace.webhook}
    files = [file for file in workspace.home.rglob("*") if file.is_file() and file not in own]
    return secret not in held and not any(secret.encode() in file.read_bytes() for file in files)


def old_data(workspace: Workspace, name: str, size: int) -> Path:
    file = workspace.datasets / "20260101-101010-old-1a2b" / name
    file.parent.mkdir()
    file.write_bytes(b"x" * size)
    then = time.time() - 7 * 24 * 3600
    os.utime(file, (then, then))
    os.utime(file.parent, (then, then))
    return file
