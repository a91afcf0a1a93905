"""Runs for those who read with a screen reader: what is said by itself, and what stands in place of pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.charts.chart import CurveChart
from qlora_ui.components.job_news import JobNews
from qlora_ui.components.text import Text
from qlora_ui.contract.events import Alert, Progress
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.services import Services
from tests.fakes.runs import busy_workspace
from tests.ui.acting import buttons, press


@pytest.fixture
async def running(services: Services) -> AsyncIterator[Job]:
    """The run that is at work in a home full of runs."""
    busy_workspace(services.workspace.home, ProcessIdentity.of())
    await services.jobs.refresh()
    [job] = [job for job in services.jobs.jobs.values() if job.status is JobStatus.RUNNING]
    yield job


def said(user: User, role: str) -> str:
    """What stands in the page's region of this role for the news of runs."""
    [news] = user.find(kind=JobNews).elements
    [region] = [element for element in news.descendants() if element._props.get("role") == role]
    return str(getattr(region, "text", ""))


@pytest.mark.parametrize("page", ["/", "/activity/{id}"])
async def test_progress_is_said_at_quarters_and_old_news_are_not_said_again(
    user: User, running: Job, page: str
) -> None:
    for _time in range(2):
        await user.open(page.format(id=running.id))
        assert (said(user, "status"), said(user, "alert")) == ("", "")
        running.take_in([Progress(seq=900, step=80, total_steps=120)])
        assert said(user, "status") == ""
    running.take_in([Progress(seq=901, step=91, total_steps=120)])
    assert said(user, "status") == "support-tone: 75 % done."
    running.take_in([Progress(seq=902, step=100, total_steps=120)])
    assert said(user, "status") == "support-tone: 75 % done."


@pytest.mark.parametrize("page", ["/", "/activity/{id}"])
async def test_an_error_is_said_at_once(user: User, services: Services, running: Job, page: str) -> None:
    await user.open(page.format(id=running.id))
    running.status, running.error = JobStatus.FAILED, "The disk is full."
    running.tell()
    services.jobs.jobs_changed.emit()
    assert said(user, "alert") == "support-tone failed: The disk is full."
    await user.open(page.format(id=running.id))
    assert said(user, "alert") == ""


async def test_a_page_that_is_left_listens_to_no_run_any_more(user: User, services: Services, running: Job) -> None:
    await user.open("/activity")
    before = len(running.changed.callbacks), len(services.jobs.jobs_changed.callbacks)
    with user:
        ui.navigate.to("/")
    await user.should_see(kind=JobNews, retries=50)
    assert len(running.changed.callbacks) > before[0]
    with user:
        ui.navigate.to("/activity")
    await user.should_not_see(kind=JobNews, retries=50)
    assert (len(running.changed.callbacks), len(services.jobs.jobs_changed.callbacks)) == before


async def test_in_screen_reader_mode_the_table_comes_first_and_the_chart_when_asked_for(
    user: User, services: Services, running: Job
) -> None:
    await services.people.change(accessibility={"screen_reader": True})
    await user.open(f"/activity/{running.id}")
    await user.should_see('<th scope="row">74</th>', retries=50)
    await user.should_not_see(kind=CurveChart)
    await press(user, "Chart")
    await user.should_see(kind=CurveChart, retries=50)
    await user.should_not_see('<th scope="col">Training</th>', retries=50)


async def test_in_screen_reader_mode_the_card_of_a_run_at_work_has_words_for_its_curve(
    user: User, services: Services, running: Job
) -> None:
    await user.open("/")
    await user.should_not_see(kind=Text, content="Fell from")
    await services.people.change(accessibility={"screen_reader": True})
    await user.open("/")
    await user.should_see(kind=Text, content="Fell from 3.00 to 1.22 over 74 steps", retries=50)


async def test_the_curve_of_a_run_at_work_can_be_read_as_a_table(user: User, running: Job) -> None:
    await user.open("/")
    [button] = buttons(user, "Show as table")
    assert button._props["aria-expanded"] == "false"
    await press(user, "Show as table")
    await user.should_see('<th scope="row">74</th>')
    assert button._props["aria-expanded"] == "true"
    await press(user, "Show as table")
    await user.should_not_see('<th scope="row">74</th>')


async def test_the_chart_is_described_by_the_sentences_below_it(user: User, running: Job) -> None:
    await user.open(f"/activity/{running.id}")
    await user.should_see(kind=CurveChart, retries=50)
    chart = min(user.find(kind=CurveChart).elements, key=lambda element: element.id)
    assert user.client is not None
    [summary] = [e for e in user.client.elements.values() if e.html_id == chart._props["described"]]
    assert "Fell from 3.00 to 1.22" in getattr(summary, "text", "")
    assert chart._props["words"]["label"] == "Loss by step"


async def test_the_same_alert_is_said_again(user: User, running: Job) -> None:
    await user.open(f"/activity/{running.id}")
    alert = Alert(seq=900, message="The loss was exactly 0 at step 8.")
    running.take_in([alert])
    first = said(user, "alert")
    running.take_in([alert.model_copy(update={"seq": 901})])
    assert first.strip() == said(user, "alert").strip() == alert.message
    assert said(user, "alert") != first
