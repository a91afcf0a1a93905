"""The card on /train that says what a run will need."""

from __future__ import annotations

import pytest
from nicegui.testing import User

from qlora_ui.meters import DeviceReading
from qlora_ui.pages.train import fit
from qlora_ui.services import Services
from tests.ui.test_train import choose, enter, inspector, to_settings

__all__ = ["inspector"]  # a fixture that the choice of data needs

GB = 10**9


@pytest.fixture(autouse=True)
def processor(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    async def devices() -> list[DeviceReading]:
        return [DeviceReading("cpu", "cpu", "Some processor", 1 * GB, 4 * GB, 0.0)]

    monkeypatch.setattr(services, "devices", devices)


async def test_it_names_the_parts_before_any_data_are_chosen(user: User) -> None:
    await user.open("/train")
    await user.should_see("Will it fit?", retries=80)
    await user.should_see("Known once a model is chosen.", retries=50)
    await choose(user, "starter")
    await user.should_see("Fits", retries=50)
    await user.should_see("Activations and logits")
    await user.should_see("of 4 GB")


async def test_it_follows_the_knobs(user: User, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("inspector")
    await to_settings(user)
    await user.should_see("Fits", retries=50)
    await enter(user, "batch_size", "512")
    await user.should_see("Too large", retries=50)
    await enter(user, "batch_size", "nothing")
    await user.should_see("Known once the settings can be used.", retries=50)


async def test_a_model_that_is_not_here_is_unknown(user: User) -> None:
    await user.open("/train")
    await user.should_see("Will it fit?", retries=80)
    await enter(user, "model-name", "nobody/never-fetched")
    await user.should_see("Unknown: the model's config is not on this machine", retries=50)


async def test_the_model_is_looked_at_away_from_the_event_loop(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    seen: list[bool] = []

    def look(name: str) -> None:
        seen.append(threading.current_thread() is threading.main_thread())

    monkeypatch.setattr(fit, "shape_of_model", look)
    await user.open("/train")
    await user.should_see("Will it fit?", retries=80)
    await choose(user, "starter")
    await user.should_see("Unknown: the model's config", retries=50)
    assert seen == [False]
