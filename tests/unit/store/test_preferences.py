"""Preferences are never lost: not by a crash in the middle of a save, not by two tabs or two servers at once."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.people import People
from qlora_ui.settings import prepare_home
from qlora_ui.store.store import Store

KILLS = 20

SAVES_UNTIL_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.store.store import Store

workspace = Workspace(Path(sys.argv[1]))
random.seed(int(sys.argv[3]))

def save_for_ever(number, said):
    preferences = Store(workspace).preferences
    while True:
        number += 1
        wanted = UserPreferences(theme="dark", default_model=str(number))
        preferences.change("local", lambda _: wanted)
        os.write(said, f"{number}\\n".encode())

number = 0
for kill in range(int(sys.argv[2])):
    heard, said = os.pipe()
    if not (child := os.fork()):
        os.close(heard)
        save_for_ever(number, said)
    os.close(said)
    saved = [int(line) for line in os.read(heard, 32).split()]  # the first save is done
    time.sleep(random.random() * 0.03)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while block := os.read(heard, 65536):
        saved += [int(line) for line in block.split()]
    os.close(heard)
    store = Store(workspace)
    kept = store.preferences.get()
    assert store.recovery == "", store.recovery
    assert kept.theme == "dark", kept
    assert int(kept.default_model) in {max(saved), max(saved) + 1}, (kept.default_model, max(saved))
    number = int(kept.default_model)
print(number)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "home")
    prepare_home(workspace)
    return workspace


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_crash_in_the_middle_of_a_save_loses_nothing_that_was_saved(workspace: Workspace, seed: int) -> None:
    command = [sys.executable, "-c", SAVES_UNTIL_KILLED, str(workspace.home), str(KILLS // 2), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= KILLS // 2
    assert Store(workspace).preferences.get().default_model == done.stdout.strip()


def test_a_change_begins_with_what_another_server_saved_last(workspace: Workspace) -> None:
    first, second = Store(workspace).preferences, Store(workspace).preferences
    first.change("local", lambda kept: kept.model_copy(update={"theme": "dark"}))
    before, after = second.change("local", lambda kept: kept.model_copy(update={"language": "de"}))
    assert (before.theme, before.language) == ("dark", "")
    assert (after.theme, after.language) == ("dark", "de")
    assert first.get() == after


async def test_changes_from_many_tabs_at_once_are_all_kept(workspace: Workspace) -> None:
    one, other = (People(Store(workspace).preferences) for _ in range(2))
    await asyncio.gather(
        one.change(theme="dark"),
        other.change(language="de"),
        one.change(accessibility={"high_contrast": True}),
        other.change(accessibility={"reduced_motion": True}),
        one.change(notifications={"updates": True}),
        other.change(default_model="starter"),
    )
    kept = await one.preferences()
    assert (kept.theme, kept.language, kept.default_model) == ("dark", "de", "starter")
    assert kept.accessibility.high_contrast
    assert kept.accessibility.reduced_motion
    assert kept.notifications.updates


async def test_every_change_is_announced_in_its_order(workspace: Workspace) -> None:
    people = People(Store(workspace).preferences)
    heard: list[str] = []
    people.changed.subscribe(lambda person, preferences: heard.append(preferences.default_model))
    await asyncio.gather(*(people.change(default_model=str(number)) for number in range(5)))
    await people.change(default_model="4")
    assert heard == ["0", "1", "2", "3", "4"]


async def test_a_value_that_is_not_allowed_changes_nothing(workspace: Workspace) -> None:
    people = People(Store(workspace).preferences)
    await people.change(theme="dark")
    with pytest.raises(ValidationError):
        await people.change(theme="pink", language="de")
    assert await people.preferences() == UserPreferences(theme="dark")
