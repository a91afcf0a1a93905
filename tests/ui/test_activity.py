"""Runs as /activity shows them, with a scripted worker that really runs."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button
from qlora_ui.components.chart import LossChart
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.layout import Skeleton
from qlora_ui.components.log_view import LogLines
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Log, Metric
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters, TrainingParameters
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.launcher import LocalLauncher
from qlora_ui.jobs.manager import JobManager
from qlora_ui.pages.runs import activity
from qlora_ui.pages.runs import job as job_page
from qlora_ui.services import Services
from tests.ui.acting import buttons, press

FAKE_WORKER = (sys.executable, str(Path(__file__).parents[1] / "fakes" / "worker.py"))


@pytest.fixture
async def jobs(services: Services) -> AsyncIterator[JobManager]:
    """The services' jobs, with a scripted worker that starts them."""
    services.jobs = JobManager(services.workspace, LocalLauncher(FAKE_WORKER), poll_seconds=0.02)
    await services.jobs.start()
    yield services.jobs
    for job in list(services.jobs.jobs.values()):
        if job.can_stop:
            await services.jobs.stop(job.id)
            await services.jobs.ended(job)
    await services.jobs.close()


def training(name: str, **values: object) -> TrainingParameters:
    given = {"name": name, "model_name": "starter", "dataset_path": "starter", "device": "cpu", **values}
    return TrainingParameters.model_validate(given)


async def run(jobs: JobManager, name: str, **values: object) -> Job:
    """A training that was seen through to its end."""
    job = await jobs.submit(JobKind.TRAINING, training(name, **values))
    await jobs.ended(job)
    return job


def button(user: User, name: str) -> Button:
    found = buttons(user, name)[0]
    assert isinstance(found, Button)
    return found


def begin(user: User, name: str) -> None:
    """Press the last button of this name, and do not wait for what it starts."""
    pressed = [found for found in buttons(user, name) if getattr(found, "text", "") == name][-1]
    [listener] = [listener for listener in pressed._event_listeners.values() if listener.type == "click"]
    pressed._handle_event({"listener_id": listener.id, "args": None})


async def test_the_first_day_leads_to_a_run(user: User) -> None:
    await user.open("/activity")
    await user.should_see("No run yet", retries=50)


async def test_a_run_appears_moves_and_ends_without_a_reload(user: User, jobs: JobManager) -> None:
    await user.open("/activity")
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=30))
    await user.should_see("tone slow", retries=50)
    await user.should_see(kind=StatusBadge, content="Training", retries=50)
    await jobs.stop(job.id)
    await jobs.ended(job)
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)


async def test_filters_narrow_the_list(user: User, jobs: JobManager) -> None:
    await run(jobs, "good one")
    await run(jobs, "it fails")
    await user.open("/activity")
    user.find("Ended early").click()
    await user.should_see("it fails", retries=50)
    await user.should_not_see("good one", retries=50)
    user.find("All").click()
    await user.should_see("good one", retries=50)
    user.find(ui.input).type("good")
    await user.should_not_see("it fails", retries=50)
    user.find(ui.input).type(" nothing")
    await user.should_see("No run fits", retries=50)


async def test_a_finished_training_shows_curve_samples_adapter_and_log(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    await user.should_see(
        "Fell from 2.52 to 0.96 over 20 steps (means of 4 points). Its lowest point is 0.92 at step 20. "
        "Evaluation 1.02 at step 20.",
        retries=50,
    )
    await user.should_see("After 20 steps: 4.", retries=50)
    await user.should_see("PeftModel.from_pretrained(base", retries=50)
    await user.should_see("Scripted processor", retries=50)
    await user.should_see("Step 20", retries=50)
    assert not buttons(user, "Resume")
    user.find("Table").click()
    await user.should_see('<th scope="row">20</th><td>0.9175</td><td>1.0175</td>', retries=50)


async def test_a_reload_in_the_middle_shows_everything_at_once(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=200))
    while job.step < 5:
        await job.metric_added.emitted(timeout=20)
    sent: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(LossChart, "run_method", lambda _, name, curves: sent.append((name, curves)))
    for _ in range(2):
        await user.open(f"/activity/{job.id}")
        user.find(kind=LossChart).trigger("ready")
        name, curves = sent[-1]
        assert name == "replace"
        assert curves["loss"] == job.curves.points("loss")
        assert job.curves.points("loss")[0][0] == 1


async def test_the_chart_gets_only_new_points(user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    [chart] = user.find(kind=LossChart).elements
    sent: list[tuple[str, object]] = []
    monkeypatch.setattr(chart, "run_method", lambda name, *args: sent.append((name, *args)))
    monkeypatch.setattr(type(chart.client), "has_socket_connection", property(lambda _: True))
    user.find(kind=LossChart).trigger("ready")
    sent.clear()
    job.take_in([Metric(seq=900, step=21, values={"loss": 0.5})])
    assert sent == [("append", {"loss": [(21, 0.5)]})]


async def test_hostile_words_stay_words(user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await run(jobs, "<img src=x onerror=alert(1)>")
    await user.open(f"/activity/{job.id}")
    [lines] = user.find(kind=LogLines).elements
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(lines, "run_method", lambda *args: sent.append(args))
    monkeypatch.setattr(type(lines.client), "has_socket_connection", property(lambda _: True))
    user.find(kind=LogLines).trigger("ready")
    sent.clear()
    entry = Log(seq=900, message="<script>alert(1)</script>")
    job.take_in([entry])
    assert sent == [("append", [(int(entry.time.timestamp() * 1000), "info", "<script>alert(1)</script>")])]
    assert user.client is not None
    contents = [e.content for e in user.client.elements.values() if isinstance(e, ui.html)]
    assert not any("<img src=x" in content or "<script>" in content for content in contents)


async def test_stop_pause_and_resume_are_offered_only_when_they_can_work(user: User, jobs: JobManager) -> None:
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=60))
    while job.step < 2:
        await job.metric_added.emitted(timeout=20)
    await user.open(f"/activity/{job.id}")
    assert not buttons(user, "Delete")
    await press(user, "Pause")
    await jobs.ended(job)
    await user.should_see(kind=Button, content="Resume", retries=50)
    step = job.step
    await press(user, "Resume")
    await user.should_see(kind=StatusBadge, content="Training", retries=50)
    while job.step <= step:
        await job.metric_added.emitted(timeout=20)
    await user.should_see(kind=Button, content="Stop", retries=50)
    await press(user, "Stop")
    await jobs.ended(job)
    await user.should_see(kind=Button, content="Resume", retries=50)
    assert button(user, "Resume").enabled
    assert not buttons(user, "Pause")


async def test_a_failure_stands_on_top_with_its_hint_and_a_way_on(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone fails")
    await user.open(f"/activity/{job.id}")
    await user.should_see("The device ran out of memory.", retries=50)
    await user.should_see("Choose a smaller batch size.", retries=50)
    assert len(buttons(user, "Resume")) == 1


async def test_an_interrupted_run_can_go_on(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone crashes")
    assert job.status is JobStatus.INTERRUPTED
    await user.open(f"/activity/{job.id}")
    await user.should_see("Its process is gone", retries=50)
    await user.should_see(kind=Button, content="Resume", retries=50)


async def test_deleting_asks_first_and_leads_back(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    [delete] = buttons(user, "Delete")
    delete._handle_event({"listener_id": next(iter(delete._event_listeners)), "args": None})
    await user.should_see("This cannot be undone.", retries=50)
    [_, sure] = buttons(user, "Delete")
    assert user.client is not None
    with user.client:
        for listener in sure._event_listeners.values():
            sure._handle_event({"listener_id": listener.id, "args": None})
    await user.should_see("No run yet", retries=50)
    assert job.id not in jobs.jobs
    assert not job.paths.folder.exists()


async def test_an_evaluation_says_what_it_found(user: User, jobs: JobManager) -> None:
    first = await run(jobs, "tone")
    parameters = EvaluationParameters(
        model_name="starter", dataset_path="starter/heldout", adapter_path=str(first.paths.adapter), device="cpu"
    )
    job = await jobs.submit(JobKind.EVALUATION, parameters)
    await jobs.ended(job)
    await user.open(f"/activity/{job.id}")
    await user.should_see(
        "The adapter answers better: exact match went from 5.0 % to 90.0 % on the same 40 rows.", retries=50
    )
    await user.should_see("+85.0 points ± 5.0", retries=50)


async def test_a_merge_shows_its_receipt(user: User, jobs: JobManager) -> None:
    first = await run(jobs, "tone")
    parameters = MergeParameters(model_name="starter", adapter_path=str(first.paths.adapter), device="cpu")
    job = await jobs.submit(JobKind.MERGE, parameters)
    await jobs.ended(job)
    await user.open(f"/activity/{job.id}")
    await user.should_see("Verified", retries=50)
    await user.should_see("The merged model does what the adapter does", retries=50)


async def test_a_finished_training_leads_on_to_a_score(user: User, jobs: JobManager) -> None:
    first = await run(jobs, "tone", max_length=64)
    await user.open(f"/activity/{first.id}")
    begin(user, "Score on a file")
    await user.should_see("Test file", retries=50)
    user.find(marker="score-path").clear().type("starter")
    begin(user, "Score")
    await user.should_see("This is the file it was trained on", retries=50)
    user.find(marker="score-path").clear().type("starter/heldout")
    begin(user, "Score")
    await user.should_see("Before and after", retries=100)
    [job] = [job for job in jobs.jobs.values() if job.kind is JobKind.EVALUATION]
    assert isinstance(job.parameters, EvaluationParameters)
    assert job.parameters.adapter_path == str(first.paths.adapter)
    assert job.parameters.dataset_path == "starter/heldout"
    assert job.parameters.max_length == 64
    assert job.name == "tone score"


@pytest.mark.parametrize(("word", "kind"), [("Merge", JobKind.MERGE), ("Train again", JobKind.TRAINING)])
async def test_a_finished_training_can_be_merged_and_trained_again(
    user: User, jobs: JobManager, word: str, kind: JobKind
) -> None:
    first = await run(jobs, "tone")
    await user.open(f"/activity/{first.id}")
    await press(user, word)
    [job] = [job for job in jobs.jobs.values() if job is not first]
    assert job.kind is kind
    if isinstance(job.parameters, MergeParameters):
        assert job.parameters.adapter_path == str(first.paths.adapter)
    else:
        assert job.parameters == first.parameters
    await user.should_see(job.name, retries=50)
    await jobs.ended(job)


async def test_a_merge_goes_into_the_folder_that_a_person_chose(
    user: User, services: Services, jobs: JobManager, tmp_path: Path
) -> None:
    (tmp_path / "Mail-tone-merged").mkdir()
    await services.people.change(merged_folder=str(tmp_path))
    first = await run(jobs, "Mail tone")
    await user.open(f"/activity/{first.id}")
    await press(user, "Merge")
    [job] = [job for job in jobs.jobs.values() if job is not first]
    assert isinstance(job.parameters, MergeParameters)
    assert job.parameters.output_dir == str(tmp_path / "Mail-tone-merged-2")
    await jobs.ended(job)


async def test_an_evaluation_shows_its_answers_and_those_that_changed(user: User, jobs: JobManager) -> None:
    first = await run(jobs, "tone")
    parameters = EvaluationParameters(
        model_name="starter", dataset_path="starter/heldout", adapter_path=str(first.paths.adapter), device="cpu"
    )
    job = await jobs.submit(JobKind.EVALUATION, parameters)
    await jobs.ended(job)
    lines = [
        {"row": 1, "prompt": "<b>one</b>", "reference": "1", "base": "eins", "adapter": "1", "adapter_correct": True},
        {"row": 2, "prompt": "two", "reference": "2", "base": "2", "base_correct": True, "adapter": "zwei"},
    ]
    job.paths.answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
    await user.open(f"/activity/{job.id}")
    await user.should_see("<b>one</b>", retries=50)
    await user.should_see("zwei", retries=50)
    user.find("Only adapter right").click()
    await user.should_not_see("zwei", retries=50)
    await user.should_see("eins")
    user.find("Only adapter wrong").click()
    await user.should_see("zwei", retries=50)
    await user.should_not_see("eins", retries=50)


async def test_a_run_that_waits_for_a_paused_one_says_so_everywhere(user: User, services: Services) -> None:
    first = await services.jobs.submit(JobKind.TRAINING, training("capitals"))
    await services.jobs.submit(JobKind.TRAINING, training("rivers"), after=first.id)
    await services.jobs.pause(first.id)
    waits = "It waits for capitals, which is paused."
    for path in ("/activity", "/", *(f"/activity/{job.id}" for job in services.jobs.queue)):
        await user.open(path)
        await user.should_see(waits, retries=50)
        await user.should_not_see("next in the queue")


async def test_an_unknown_run_says_so(user: User) -> None:
    path = "/activity/20260101-000000-nothing-0000"
    assert (await user.http_client.get(path)).status_code == 404
    await user.open("/activity")
    with user:
        ui.navigate.to(path)
    await user.should_see("There is no run 20260101-000000-nothing-0000.", retries=50)


async def test_leaving_the_page_ends_its_listening(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone")
    await user.open("/activity")
    counts: Callable[[], list[int]] = lambda: [  # noqa: E731
        len(event.callbacks) for event in (job.changed, job.metric_added, job.log_added, job.curves_reset)
    ]
    before = counts()
    for _ in range(3):
        with user:
            ui.navigate.to(f"/activity/{job.id}")
        await user.should_see("At the end", retries=50)
        assert counts() > before
        with user:
            ui.navigate.to("/activity")
        await user.should_see("New fine-tune", retries=50)
        await user.should_not_see("At the end", retries=50)
    assert counts() == before


async def test_a_damaged_run_folder_is_named_and_left_as_it_is(user: User, jobs: JobManager) -> None:
    damaged = jobs.workspace.runs / "20260101-000000-broken-0000"
    damaged.mkdir()
    (damaged / "job.json").write_text("{")
    await jobs.refresh()
    await user.open("/activity")
    await user.should_see("its job.json is missing or damaged")
    assert (damaged / "job.json").read_text() == "{"


async def test_showing_more_runs_leads_to_the_first_new_one(
    user: User, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "ROWS_AT_FIRST", 2)
    for name in ("one", "two", "three", "four", "five"):
        await services.jobs.submit(JobKind.TRAINING, training(name))
    focused: list[ui.element] = []
    monkeypatch.setattr(activity, "focus", focused.append)
    await user.open("/activity")
    await user.should_not_see("three")
    await press(user, "Show more of 5 runs")
    await user.should_see("three")
    links = [element for element in user.find(kind=ui.link).elements if "/activity/" in str(element._props.get("href"))]
    third = sorted(links, key=lambda link: link.id)[2]
    assert focused == [third]
    await user.should_see("Show more of 5 runs")


async def test_a_change_of_one_run_builds_only_its_row(user: User, services: Services) -> None:
    """Building every row again would take a long list a fifth of a second, and the focus away from a person in it."""
    for name in ("one", "two", "three"):
        await services.jobs.submit(JobKind.TRAINING, training(name))
    await user.open("/activity")
    await user.should_see("three")

    def rows() -> list[int]:
        [table] = user.find(kind=DataTable).elements
        assert isinstance(table, DataTable)
        return [row.id for row in table.body.default_slot.children]

    before = rows()
    last = next(job for job in services.jobs.jobs.values() if job.name == "three")
    await services.jobs.stop(last.id)
    await user.should_see(kind=StatusBadge, content="Stopped", retries=50)
    assert rows()[:2] == before[:2]
    assert rows()[2] not in before


async def test_a_run_whose_events_cannot_be_read_is_shown_with_what_is_known(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await run(jobs, "tone")

    async def fail(_job: Job) -> None:
        raise WorkspaceError("The events of tone cannot be read: Permission denied.")

    monkeypatch.setattr(jobs, "load_history", fail)
    job.history_loaded = False
    await user.open(f"/activity/{job.id}")
    await user.should_see("The events of tone cannot be read: Permission denied.", retries=50)
    await user.should_see("Every other setting has its default.", retries=50)
    await user.should_not_see(kind=Skeleton)


async def test_a_deleted_run_is_said_to_be_so_once(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    await user.should_see("At the end", retries=50)
    said: list[str] = []
    monkeypatch.setattr(job_page, "toast", lambda message, _kind: said.append(message))
    monkeypatch.setattr(ui.navigate, "to", lambda _path: None)  # the browser takes its time
    await jobs.delete(job.id)
    jobs.jobs_changed.emit()
    assert said == ["tone was deleted."]
