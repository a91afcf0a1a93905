"""The basic components: what they do, and what they tell a screen reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from nicegui import Client, background_tasks, helpers, ui
from nicegui.elements.query import QueryElement
from nicegui.testing import User

from qlora_ui import theme
from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.dialog import confirm
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import Card, Skeleton
from qlora_ui.components.live import Live
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.steps import Steps
from qlora_ui.components.text import Text
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.reactive import Event
from qlora_ui.services import Services
from tests.ui.acting import press


async def show(user: User, build: Callable[[], object]) -> None:
    """Open a page that holds just this."""

    @ui.page("/component")
    def page() -> None:
        build()

    await user.open("/component")


async def test_button_works_once_at_a_time(user: User) -> None:
    may_end, times = asyncio.Event(), 0

    async def work() -> None:
        nonlocal times
        times += 1
        await may_end.wait()

    await show(user, lambda: Button("Work", work))
    [button] = user.find(Button).elements
    user.find("Work").click()
    while not times:
        await asyncio.wait(background_tasks.running_tasks, timeout=0.05)
    assert button._props["aria-busy"] == "true"
    assert button.is_ignoring_events
    may_end.set()
    await asyncio.wait(background_tasks.running_tasks, timeout=5)
    assert (times, button._props["aria-busy"]) == (1, "false")
    assert not button.is_ignoring_events


async def test_button_says_what_went_wrong(user: User) -> None:
    async def fail() -> None:
        raise JobError("The run is at work.", "Stop it first.")

    await show(user, lambda: Button("Delete", fail))
    await press(user, "Delete")
    assert user.notify.contains("The run is at work.")


async def test_disabled_button_says_why(user: User) -> None:
    pressed: list[bool] = []
    await show(user, lambda: Button("Resume", lambda: pressed.append(True)))
    [button] = user.find(Button).elements
    button.disable_because("There is no checkpoint yet.")
    user.find("Resume").click()
    assert pressed == []
    assert (button._props["aria-disabled"], button._props["title"]) == ("true", "There is no checkpoint yet.")
    [reason] = [element for element in button.descendants() if element.html_id == button._props["aria-describedby"]]
    assert isinstance(reason, Text)
    assert reason.text == "There is no checkpoint yet."
    button.disable_because("")
    user.find("Resume").click()
    await asyncio.wait(background_tasks.running_tasks, timeout=5)
    assert pressed == [True]
    assert not {"title", "aria-describedby"} & set(button._props)


async def test_button_with_a_picture_keeps_its_name(user: User) -> None:
    await show(user, lambda: icon_button("Undo", "rotate-ccw"))
    [button] = user.find(Button).elements
    button.disable_because("Nothing was changed.")
    assert (button._props["aria-label"], button._props["title"]) == ("Undo", "Nothing was changed.")
    button.disable_because("")
    assert (button._props["aria-label"], button._props["title"]) == ("Undo", "Undo")


async def test_field_ties_label_help_and_error_to_its_control(user: User) -> None:
    def build() -> None:
        with Field("Learning rate", help="How large each correction is.", unit="per step") as field:
            field.hold(ui.input(value="2e-4"))

    await show(user, build)
    [field], [control] = user.find(Field).elements, user.find(ui.input).elements
    assert field.label._props["for"] == control._props["for"]
    assert control._props["aria-describedby"] == field.help.html_id
    assert control._props["aria-invalid"] == "false"
    field.set_error("Give a number above 0.")
    assert control._props["aria-describedby"] == f"{field.help.html_id} {field.error.html_id}"
    assert control._props["aria-invalid"] == "true"
    field.set_error("")
    await user.should_not_see("Give a number above 0.")


async def test_skeleton_makes_what_is_around_it_busy(user: User) -> None:
    def build() -> None:
        with Card("Device"):
            Skeleton()
            Skeleton(width="60%")

    await show(user, build)
    [card] = user.find(Card).elements
    assert card._props["aria-busy"] == "true"
    for skeleton in user.find(Skeleton).elements:
        skeleton.delete()
    assert "aria-busy" not in card._props


async def test_skeleton_goes_in_silence_with_what_is_around_it(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> None:
        with Card("Device"):
            Skeleton()

    await show(user, build)
    warnings: list[str] = []
    monkeypatch.setattr(helpers, "warn_once", lambda text, **_options: warnings.append(text))
    [card] = user.find(Card).elements
    card.delete()
    assert warnings == []


async def test_segmented_presses_one_button(user: User) -> None:
    chosen: list[str] = []
    options = {"form": "Form", "yaml": "YAML"}
    await show(user, lambda: Segmented(options, label="Show as", on_change=chosen.append))
    await press(user, "YAML")
    await press(user, "YAML")
    [segmented] = user.find(Segmented).elements
    assert chosen == ["yaml"]
    assert [button._props["aria-checked"] for button in segmented._buttons.values()] == ["false", "true"]


async def test_progress_bar_stays_within_its_ends(user: User) -> None:
    await show(user, lambda: ProgressBar("Progress", 0.624))
    [bar] = user.find(ProgressBar).elements
    assert (bar._props["aria-valuenow"], bar._fill._style["width"]) == ("62", "62.4%")
    bar.value = 1.7
    assert bar._fill._style["width"] == "100.0%"


async def test_status_badge_follows_its_job(user: User, busy_services: Services) -> None:
    [job] = [job for job in busy_services.jobs.jobs.values() if job.name == "support-tone"]
    await show(user, lambda: StatusBadge(job))
    await user.should_see("Training")
    [badge] = user.find(StatusBadge).elements
    job.status = JobStatus.FAILED
    await user.should_see("Failed")
    assert "qu-tone-error" in badge.classes
    assert "qu-tone-info" not in badge.classes
    assert badge._props["title"] == JobStatus.FAILED.explanation


async def test_table_names_every_cell(user: User) -> None:
    def build() -> None:
        table = DataTable(["Run", "Took"], label="Runs", right={"Took"})
        row = table.row()
        row.cell("mine")
        row.cell("3 min")

    await show(user, build)
    cells = [element for element in user.find(content="mine").elements if element.tag == "td"]
    cells += [element for element in user.find(content="3 min").elements if element.tag == "td"]
    assert [cell._props["data-label"] for cell in cells] == ["Run", "Took"]
    assert ["qu-right" in cell.classes for cell in cells] == [False, True]


async def test_steps_mark_the_present_one(user: User) -> None:
    await show(user, lambda: Steps(["Model", "Data", "Start"]).show(now=1, done={0}))
    [steps] = user.find(Steps).elements
    items = [element for element in steps.descendants() if element.tag == "li"]
    assert [item._props.get("aria-current") for item in items] == [None, "step", None]
    await user.should_see("Done:")


async def test_confirm_answers_with_what_was_pressed(user: User) -> None:
    answers: list[bool] = []

    async def ask() -> None:
        answers.append(await confirm("Delete the run?", "Its adapter goes too.", action="Delete", is_dangerous=True))

    await show(user, lambda: Button("Ask", ask))
    for name in ("Delete", "Cancel"):
        user.find("Ask").click()
        await user.should_see("Its adapter goes too.", retries=20)
        await press(user, name)
        dialog = next(iter(user.find(ui.dialog).elements))
        hidden = [listener for listener in dialog._event_listeners.values() if listener.type == "hide"][-1]
        dialog._handle_event({"listener_id": hidden.id, "args": None})  # the browser has given the focus back
        await user.should_not_see("Its adapter goes too.", retries=20)
    assert answers == [True, False]


async def test_page_arrives_in_the_look_of_its_reader(user: User) -> None:
    looks: list[theme.Appearance] = []

    def build() -> None:
        looks.append(theme.Appearance("dark", high_contrast=True))

    await show(user, build)
    page = (await user.http_client.get("/component")).text
    assert 'content="dark"' in page
    assert "(true ? 'body--dark ' : 'body--light ') + 'qu-contrast'" in page
    assert "body:not([class]) { background: #000000 }" in page
    looks[0].show("system", high_contrast=False, reduced_motion=True)
    [body] = user.find(QueryElement).elements
    assert set(body._props["classes"]) == {"qu-still", "qu-system"}


async def test_a_live_part_takes_care_of_the_focus_when_it_is_drawn_anew(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    event: Event[[]] = Event()
    shown = ["one"]
    scripts: list[str] = []
    monkeypatch.setattr(Client, "run_javascript", lambda _client, code, **_options: scripts.append(code))

    def build() -> None:
        Text(shown[-1])

    @ui.page("/live")
    def page() -> None:
        Live(event, lambda: list(shown), build)

    await user.open("/live")
    [live] = user.find(kind=Live).elements
    assert {listener.type for listener in live._event_listeners.values()} == {"focusin", "focusout"}
    event.emit()
    assert scripts == []
    shown.append("two")
    event.emit()
    [script] = scripts
    assert f"getHtmlElement({live.id})" in script
