"""The worker that waits, as the settings and the side bar show it."""

import asyncio

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.services import Services
from qlora_ui.store.instance import Instance

SWITCH = "Start runs at once"


def switch_of(user: User) -> ui.switch:
    """The switch that is named by the title of the setting."""
    titles = {found.html_id for found in user.find(content=SWITCH).elements}
    return next(switch for switch in user.find(ui.switch).elements if switch._props.get("aria-labelledby") in titles)


async def test_what_it_takes_and_spares_is_shown_as_it_changes(user: User, services: Services) -> None:
    await user.open("/settings")
    await user.should_see("Off: each run loads the libraries when it starts.")
    await user.should_see("measured once one has loaded")
    standby = services.standby
    standby.is_enabled, standby.state = True, "starting"
    standby.changed.emit()
    await user.should_see("It loads the libraries.")
    standby.state, standby.memory, standby.load_seconds = "ready", 504_000_000, 4.91
    standby.changed.emit()
    await user.should_see("It waits: the next run starts at once.")
    await user.should_see("504 MB")
    await user.should_see("4.9 s, as measured on this machine")
    await user.should_see("Standby worker: 504 MB")
    assert switch_of(user).value is True
    standby.state, standby.memory = "busy", None
    standby.changed.emit()
    await user.should_see("A run is at work. Another worker waits after it.")
    await user.should_not_see("Standby worker: 504 MB")
    standby.state, standby.problem = "off", "ImportError: libnothing.so is missing"
    standby.changed.emit()
    await user.should_see("It could not load the libraries: ImportError: libnothing.so is missing")


async def test_the_switch_holds_for_the_home_folder(user: User, services: Services) -> None:
    await user.open("/settings")
    await user.should_see(SWITCH)
    switch_of(user).value = True
    await user.should_see(f"Saved: {SWITCH}")
    assert services.store.instance.get().standby is True
    switch_of(user).value = False
    async with asyncio.timeout(10):
        await services.standby.changed.emitted()
    assert services.store.instance.get().standby is False


async def test_a_switch_that_cannot_be_saved_goes_back(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise WorkspaceError("The disk is full.")

    monkeypatch.setattr(Instance, "set_standby", refuse)
    await user.open("/settings")
    await user.should_see(SWITCH)
    switch_of(user).value = True
    await user.should_see("The disk is full.")
    assert switch_of(user).value is False


async def test_why_it_is_off_is_said(user: User, services: Services) -> None:
    services.standby.lacks_memory = True
    await user.open("/settings")
    await user.should_see("Off, because less than 3 GB of memory were free when the app was started.")


async def test_started_without_it_there_is_nothing_to_switch(user: User, services: Services) -> None:
    services.standby.allowed = False
    await user.open("/settings")
    await user.should_see("the app was started with --no-standby")
    assert not switch_of(user).enabled
