"""The frame around every page: navigation, theme, notices, and what it leaves behind when a page goes."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.events import listen, throttled
from qlora_ui.jobs.reactive import Event
from qlora_ui.pages.frame import PATHS
from qlora_ui.pages.side_bar import SideBar
from qlora_ui.services import Services
from tests.ui.acting import press


@pytest.mark.parametrize("path", ["/playground", "/evaluate", "/evaluate/dashboard", "/publish", "/settings"])
async def test_planned_pages_say_what_they_are(user: User, path: str) -> None:
    await user.open(path)
    await user.should_see(PATHS[path])
    await user.should_see("This page is planned and not built yet.")
    await user.should_see("qlora-ui ")


async def test_side_bar_marks_the_open_page(user: User) -> None:
    client = await user.open("/")
    assert current(user) == ["/"]
    assert client.title == "Dashboard · qlora-ui"
    user.find("Publish").click()
    await user.should_see("Turn an adapter into a model")
    assert current(user) == ["/publish"]
    assert client.title == "Publish · qlora-ui"


async def test_compare_models_belongs_to_evaluate(user: User) -> None:
    await user.open("/evaluate/dashboard")
    assert current(user) == ["/evaluate"]


async def test_unknown_address_within_the_app(user: User) -> None:
    await user.open("/settings")
    user.navigate.to("/nowhere")
    await user.should_see("This page does not exist")
    await user.should_see("/nowhere")


async def test_theme_goes_round_and_is_remembered(user: User, services: Services) -> None:
    await user.open("/settings")
    [dark_mode] = user.find(ui.dark_mode).elements
    assert dark_mode.value is None
    for theme, value in (("light", False), ("dark", True), ("system", None)):
        await press(user, "Theme: ")
        assert dark_mode.value is value
        assert services.store.preferences.get().theme == theme


async def test_side_bar_is_hidden_and_stays_so(user: User, services: Services) -> None:
    await user.open("/settings")
    await press(user, "Hide the side bar")
    assert services.store.preferences.get().sidebar_collapsed
    await user.open("/settings")
    [side_bar] = user.find(SideBar).elements
    assert "qu-collapsed" in side_bar.classes


async def test_notices_are_shown_until_dismissed(user: User, services: Services) -> None:
    services.notices.append("The database was damaged; its backup took its place.")
    await user.open("/settings")
    await user.should_see("its backup took its place")
    await press(user, "Dismiss")
    await user.should_not_see("its backup took its place")
    assert services.notices == []


async def test_running_and_waiting_jobs_are_counted(user: User, busy_services: Services) -> None:
    await user.open("/settings")
    [side_bar] = user.find(SideBar).elements
    assert side_bar._running.text == "2"
    assert side_bar._running._props["title"] == "1 running, 1 waiting"


async def test_nothing_listens_after_a_page_is_left(user: User, busy_services: Services) -> None:
    """Visits must not pile up callbacks on jobs, which live as long as the server."""
    jobs = busy_services.jobs
    await user.open("/settings")
    before = listeners(jobs)
    for _ in range(3):
        user.navigate.to("/")
        await user.should_see("Recent runs")
        assert listeners(jobs) > before
        user.navigate.to("/settings")
        await user.should_see("What you will do here")
    assert listeners(jobs) == before


async def test_same_callback_may_listen_twice(user: User) -> None:
    event: Event[[int]] = Event()
    heard: list[int] = []

    @ui.page("/listening")
    def page() -> None:
        with ui.element("div") as page.first:  # type: ignore[attr-defined]
            listen(event, heard.append)
        with ui.element("div"):
            listen(event, heard.append)

    await user.open("/listening")
    event.emit(1)
    page.first.delete()  # type: ignore[attr-defined]
    event.emit(2)
    assert heard == [1, 1, 2]


async def test_throttled_shows_the_last_state(user: User) -> None:
    drawn: list[int] = []
    done: Event[[]] = Event()
    state = 0

    def draw() -> None:
        drawn.append(state)
        done.emit()

    @ui.page("/throttled")
    def page() -> None:
        page.call = throttled(ui.element("div"), draw, seconds=0.05)  # type: ignore[attr-defined]

    await user.open("/throttled")
    for state in range(1, 6):  # noqa: B007  (what `draw` reads)
        page.call()  # type: ignore[attr-defined]
    assert drawn == [1]
    await done.emitted(timeout=5)
    assert drawn == [1, 5]


def current(user: User) -> list[Any]:
    """The targets of the links that are marked as the open page."""
    links = user.find(ui.link).elements
    return [link._props["href"] for link in links if link._props.get("aria-current") == "page"]


def listeners(jobs: Any) -> int:
    events = [jobs.jobs_changed]
    for job in jobs.jobs.values():
        events += [job.changed, job.metric_added, job.log_added, job.curves_reset]
    return sum(len(event.callbacks) for event in events)
