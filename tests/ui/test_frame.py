"""The frame around every page: navigation, theme, notices, and what it leaves behind when a page goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.translations import translations

from qlora_ui import locales
from qlora_ui.components.browser.connection import Connection
from qlora_ui.components.events import listen, throttled
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.reactive import Event
from qlora_ui.pages.shell.frame import PATHS
from qlora_ui.pages.shell.side_bar import SideBar
from qlora_ui.services import Services
from tests.ui.acting import press


@pytest.mark.parametrize("path", ["/playground", "/evaluate", "/evaluate/dashboard", "/publish"])
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


async def test_pages_below_another_say_where_one_is(user: User, busy_services: Services) -> None:
    for path, above in (
        ("/evaluate/dashboard", "/evaluate"),
        (f"/activity/{next(iter(busy_services.jobs.jobs))}", "/activity"),
    ):
        client = await user.open(path)
        [trail] = [e for e in client.elements.values() if e._props.get("aria-label") == "Breadcrumbs"]
        assert [e._props["href"] for e in trail.descendants() if isinstance(e, ui.link)] == [above]


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


async def test_tab_shows_the_progress_of_the_run_at_work(user: User, busy_services: Services) -> None:
    jobs = busy_services.jobs
    [job] = [job for job in jobs.jobs.values() if job.status is JobStatus.RUNNING]
    client = await user.open("/publish")
    for share, shown in ((0.62, "(62 %) "), (0.6299, "(62 %) "), (0.63, "(63 %) "), (1.0, "(100 %) ")):
        job.progress = share
        job.changed.emit()
        assert client.title == f"{shown}Publish · qlora-ui"
    user.navigate.to("/evaluate")
    await user.should_see("Find out whether")
    assert client.title == "(100 %) Evaluate · qlora-ui"
    job.status = JobStatus.COMPLETED
    jobs.jobs_changed.emit()
    assert client.title == "Evaluate · qlora-ui"
    assert job.changed.callbacks == []


async def test_tab_is_not_renamed_below_a_whole_per_cent(
    user: User, busy_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    [job] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.RUNNING]
    await user.open("/publish")
    named: list[str] = []
    monkeypatch.setattr(ui, "page_title", named.append)
    for thousandths in range(700, 720):
        job.progress = thousandths / 1000
        job.changed.emit()
    assert named == ["(70 %) Publish · qlora-ui", "(71 %) Publish · qlora-ui"]


async def test_tab_of_a_run_that_ended_shows_no_other_progress(user: User, busy_services: Services) -> None:
    for job in busy_services.jobs.jobs.values():
        client = await user.open(f"/activity/{job.id}")
        await user.should_see("Parameters")
        assert str(client.title).startswith("(") is (job.status is JobStatus.RUNNING)


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A catalog with a few words of the frame."""
    words = {
        "Publish": "Veröffentlichen",
        "Online": "Verbunden",
        "Connection lost.": "Getrennt.",
        "New fine-tune": "Neu",
    }
    entries = "".join(f'msgid "{english}"\nmsgstr "{own}"\n\n' for english, own in words.items())
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (tmp_path / "de.po").write_text(head + entries, "utf-8")
    monkeypatch.setattr(locales, "FOLDER", tmp_path)
    locales.languages.cache_clear()
    locales._load.cache_clear()
    yield
    locales.languages.cache_clear()
    locales._load.cache_clear()


@pytest.mark.usefixtures("german")
async def test_frame_speaks_the_language_of_the_person(user: User, services: Services) -> None:
    await services.people.change(language="de")
    client = await user.open("/publish")
    assert client.title == "Veröffentlichen · qlora-ui"
    [connection] = user.find(Connection).elements
    assert connection._props["words"]["online"][0] == "Verbunden"
    assert translations["de"]["connection_lost"] == "Getrennt."
    assert translations["en-US"]["connection_lost"] == "Connection lost."
    assert PATHS["/publish"] == "Publish"


@pytest.mark.usefixtures("german")
async def test_another_language_builds_the_page_anew_and_loses_no_draft(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    reloads: list[bool] = []
    first = await user.open("/train")
    monkeypatch.setattr(ui.navigate, "reload", lambda: reloads.append(True))
    await user.should_see("This run", retries=50)
    await first.storage["train"].set("name", "half-typed")
    await services.people.change(theme="dark")
    assert reloads == []
    await services.people.change(language="de")
    assert reloads == [True]
    again = await user.open("/train")
    await user.should_see("This run", retries=50)
    await user.should_see("Neu")
    assert again.storage["train"].form.get("name") == "half-typed"


async def test_nothing_listens_after_a_page_is_left(user: User, busy_services: Services) -> None:
    """Visits must not pile up callbacks on jobs, which live as long as the server."""
    jobs = busy_services.jobs
    await user.open("/publish")
    before = listeners(jobs)
    for _ in range(3):
        user.navigate.to("/")
        await user.should_see("Recent runs")
        assert listeners(jobs) > before
        user.navigate.to("/publish")
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
