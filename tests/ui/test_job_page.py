"""The page of one run, with a scripted worker that really runs."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from unittest.mock import ANY

import pytest
from nicegui import ui
from nicegui.testing import User

from qlora_ui.components.charts.chart import POINTS_SENT, SMOOTH_POINTS, CurveChart
from qlora_ui.components.charts.measures_card import MeasuresCard
from qlora_ui.components.layout import Skeleton
from qlora_ui.components.logs.log_view import LogLines
from qlora_ui.components.text import Text
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import AlertCode, Metric
from qlora_ui.contract.log_lines import LogEntry, dump_entry
from qlora_ui.contract.parameters import EvaluationParameters, MergeParameters
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import JobKind, JobStatus, StartPoint, now
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.run_folder import read_record, write_record
from qlora_ui.services import Services
from tests.fakes.rich_run import write_rich_run
from tests.fakes.runs import GONE
from tests.ui.acting import buttons, fire, open_fold, press, run, training


def loss_chart(user: User) -> CurveChart:
    """The first of the charts."""
    return min((e for e in user.find(kind=CurveChart).elements if isinstance(e, CurveChart)), key=lambda e: e.id)


async def evaluated(jobs: JobManager) -> Job:
    """The evaluation of a training, seen through to its end."""
    first = await run(jobs, "tone")
    parameters = EvaluationParameters(
        model_name="starter", dataset_path="starter/heldout", adapter_path=str(first.paths.adapter), device="cpu"
    )
    job = await jobs.submit(JobKind.EVALUATION, parameters)
    await jobs.ended(job)
    return job


def choice_of_figures(user: User) -> tuple[MeasuresCard, ui.select]:
    """The card of one figure among many, and what chooses it."""
    [card] = [card for card in user.find(kind=MeasuresCard).elements if isinstance(card, MeasuresCard)]
    [select] = [element for element in card.descendants() if isinstance(element, ui.select)]
    return card, select


async def test_a_long_history_is_waited_for_on_the_page(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await run(jobs, "tone")
    history, load_history, may_go_on = job.history, jobs.load_history, asyncio.Event()
    job.forget_history()

    async def read_slowly(job: Job) -> None:
        await may_go_on.wait()
        job.replace_history(history)
        await load_history(job)

    monkeypatch.setattr(jobs, "load_history", read_slowly)
    await user.open(f"/activity/{job.id}")
    await user.should_see("Reading what the run has done …", retries=50)
    await user.should_see(kind=LogLines, retries=50)
    assert not user.client or not [e for e in user.client.elements.values() if isinstance(e, CurveChart)]
    may_go_on.set()
    await user.should_see(kind=CurveChart, retries=50)
    await user.should_see("Fell from 2.52 to 0.96 over 20 steps", retries=50)
    await user.should_not_see("Reading what the run has done …", retries=50)


async def test_a_finished_training_shows_curve_samples_adapter_and_log(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    await user.should_see(
        "Fell from 2.52 to 0.96 over 20 steps (means of 4 points). Its lowest point is 0.92 at step 20. "
        "Evaluation 1.02 at step 20.",
        retries=50,
    )
    await user.should_see("After 20 steps: 4.", retries=50)
    open_fold(user, "Load it in Python")
    await user.should_see("PeftModel.from_pretrained(base", retries=50)
    await user.should_see("Scripted", retries=50)
    await user.should_see("Step 20", retries=50)
    assert not buttons(user, "Resume")
    await press(user, "Table")
    await user.should_see('<th scope="row">20</th><td>0.9175</td><td>1.0175</td>', retries=50)


async def test_a_reload_in_the_middle_shows_everything_at_once(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await jobs.submit(JobKind.TRAINING, training("tone slow", max_steps=200))
    while job.step < 5:
        await job.metric_added.emitted(timeout=20)
    sent: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(CurveChart, "run_method", lambda _, name, *given: sent.append((name, given[0])))
    for _ in range(2):
        await user.open(f"/activity/{job.id}")
        await user.should_see(kind=CurveChart, retries=50)
        sent.clear()
        fire(loss_chart(user), "ready")
        [(name, curves)] = sent
        assert name == "replace"
        assert curves["loss"] == job.curves.points("loss")
        assert job.curves.points("loss")[0][0] == 1
        await user.should_see("Queue what begins by itself", retries=50)


async def test_the_chart_gets_only_new_points(user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    await user.should_see(kind=CurveChart, retries=50)
    chart = loss_chart(user)
    sent: list[tuple[str, object]] = []
    monkeypatch.setattr(chart, "run_method", lambda name, *args: sent.append((name, *args)))
    monkeypatch.setattr(type(chart.client), "has_socket_connection", property(lambda _: True))
    fire(chart, "ready")
    sent.clear()
    job.take_in([Metric(seq=900, step=21, values={"loss": 0.5})])
    assert sent == [("append", {"loss": [(21, 0.5)]})]


async def test_a_long_curve_is_thinned_smoothed_here_and_sent_closer_when_asked_for(
    user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await run(jobs, "tone")
    for step in range(21, 10_021):
        job.curves.add("loss", step, 1.0 + (step % 7) / 10)
    await user.open(f"/activity/{job.id}")
    await user.should_see(kind=CurveChart, retries=50)
    chart = loss_chart(user)
    sent: list[tuple[str, dict[str, list[object]], dict[str, list[object]]]] = []
    monkeypatch.setattr(chart, "run_method", lambda *args: sent.append(args))
    fire(chart, "ready")
    name, curves, lines = sent.pop()
    assert (name, len(curves["loss"]) <= POINTS_SENT, 1 < len(lines["loss"]) <= SMOOTH_POINTS + 2) == (
        "replace",
        True,
        True,
    )
    fire(chart, "zoom", [5000, 5999])
    method, stretch, closer, _lines = sent.pop()  # type: ignore[misc]
    assert (method, stretch, len(closer["loss"])) == ("look_closer", [5000, 5999], 1_002)
    fire(chart, "zoom", None)
    assert sent == []
    chart.smooth("off")
    fire(chart, "ready")
    assert sent.pop()[2] == {}


async def test_hostile_words_stay_words(user: User, jobs: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    job = await run(jobs, "<img src=x onerror=alert(1)>")
    await user.open(f"/activity/{job.id}")
    await user.should_see(kind=LogLines, retries=50)
    [lines] = user.find(kind=LogLines).elements
    assert isinstance(lines, LogLines)
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(lines, "run_method", lambda *args: sent.append(args))
    entry = LogEntry(now(), "info", "<script>alert(1)</script>")
    job.paths.log.write_bytes(dump_entry(entry))
    await lines.show_end()
    [(name, shown, at_start)] = sent
    assert (name, at_start) == ("replace", True)
    assert isinstance(shown, list)
    assert shown[-1][1:] == (ANY, "info", "<script>alert(1)</script>")
    assert user.client is not None
    contents = [e.content for e in user.client.elements.values() if isinstance(e, ui.html)]
    assert not any("<img src=x" in content or "<script>" in content for content in contents)


async def test_an_evaluation_says_what_it_found(user: User, jobs: JobManager) -> None:
    job = await evaluated(jobs)
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


async def test_an_evaluation_shows_its_answers_and_those_that_changed(user: User, jobs: JobManager) -> None:
    job = await evaluated(jobs)
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


async def rich(services: Services, status: JobStatus, **options: bool) -> Job:
    """A training that measured everything; one at work has the process of this test."""
    process = ProcessIdentity.of() if status is JobStatus.RUNNING else GONE
    paths = write_rich_run(services.workspace, "tone", status, process=process, alert=options.get("alert", False))
    await services.jobs.refresh()
    return services.jobs.get(paths.id)


async def test_the_figures_of_now_are_said_with_their_units(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.RUNNING)
    await user.open(f"/activity/{job.id}")
    for words in ("Now", "7.6 %", "7.60·10⁻⁵", "RTX 4090", "Where the time went", "Pause, free the RTX 4090"):
        await user.should_see(words, retries=50)


async def test_another_figure_is_drawn_when_it_is_chosen(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.COMPLETED)
    await user.open(f"/activity/{job.id}")
    await user.should_see("How large each correction is; it grows over the warm-up", retries=50)
    card, select = choice_of_figures(user)
    assert "power" in select.options
    assert "eval_token_accuracy" in select.options
    select.value = "power"
    await user.should_see("What the GPU draws at that moment.", retries=50)
    await user.should_not_see("How large each correction is; it grows over the warm-up")
    [chart] = [element for element in card.descendants() if isinstance(element, CurveChart)]
    assert chart._props["series"][0]["name"] == "power"
    assert chart._props["scale"]["unit"] == "W"


async def test_what_was_never_measured_is_not_offered(user: User, jobs: JobManager) -> None:
    job = await run(jobs, "tone")
    await user.open(f"/activity/{job.id}")
    await user.should_see("Also measured", retries=50)
    _card, select = choice_of_figures(user)
    assert set(select.options) == {"learning_rate", "grad_norm", "tokens_per_second"}


async def test_alerts_and_concerns_stand_on_top_and_go_when_they_are_gone(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.RUNNING, alert=True)
    await user.open(f"/activity/{job.id}")
    await user.should_see("The evaluation loss has risen for two evaluations", retries=50)
    job.concerns = [Concern(AlertCode.STUCK, "Nothing was heard of it for 6 min.", "Look at its console.", now())]
    job.tell(always=True)
    await user.should_see("Nothing was heard of it for 6 min.", retries=50)
    await user.should_see("Look at its console.")
    job.concerns = []
    job.tell(always=True)
    await user.should_not_see("Nothing was heard of it for 6 min.", retries=50)


async def test_what_python_said_is_made_only_when_asked_for(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.FAILED)
    await user.open(f"/activity/{job.id}")
    await user.should_see("Show what Python said", retries=50)
    await user.should_not_see("ValueError: the batch is empty")
    open_fold(user, "Show what Python said")
    await user.should_see("ValueError: the batch is empty", retries=50)


async def test_an_interrupted_run_says_from_where_it_would_go_on(user: User, services: Services) -> None:
    for is_kept, words in ((True, "its last checkpoint, at step 900."), (False, "It has no checkpoint, so resume")):
        paths = write_rich_run(services.workspace, "tone", JobStatus.INTERRUPTED)
        if not is_kept:
            shutil.rmtree(paths.checkpoints)
        await services.jobs.refresh()
        await user.open(f"/activity/{paths.id}")
        await user.should_see(words, retries=50)


async def test_a_run_that_goes_on_from_another_says_so(user: User, services: Services) -> None:
    before, after = (write_rich_run(services.workspace, name) for name in ("first", "second"))
    start = StartPoint(run=before.id, step=900)
    write_record(after, read_record(after).model_copy(update={"starts_from": start}))
    await services.jobs.refresh()
    await user.open(f"/activity/{after.id}")
    await user.should_see("Goes on from step 900 of first", retries=50)


async def test_answers_are_compared_first_against_last_and_all_side_by_side(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.COMPLETED)
    await user.open(f"/activity/{job.id}")
    await user.should_see("The same prompt over time", retries=50)
    await press(user, "First and last")
    marked = [e for e in user.find(kind=Text).elements if e.tag == "mark" and "qu-new" in e.classes]
    assert any("grid fee" in getattr(piece, "text", "") for piece in marked)
    await press(user, "All prompts")
    await user.should_see("Write a reply to <b>an angry customer</b>.")


async def test_files_are_listed_with_sizes_and_can_be_downloaded(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.COMPLETED)
    await user.open(f"/activity/{job.id}")
    await user.should_see("Show the files", retries=50)
    await user.should_not_see("exit.json")
    open_fold(user, "Show the files")
    await user.should_see("checkpoints/checkpoint-900/", retries=50)
    address = f"/api/v1/jobs/{job.id}/files/"
    links = [link._props["href"] for link in user.find(kind=ui.link).elements if address in str(link._props["href"])]
    assert f"{address}checkpoints/checkpoint-900/adapter_model.safetensors" in links


async def test_all_parameters_and_the_command_unfold(user: User, services: Services) -> None:
    job = await rich(services, JobStatus.COMPLETED)
    await user.open(f"/activity/{job.id}")
    await user.should_see("All parameters", retries=50)
    await user.should_not_see("Weight decay")
    open_fold(user, "All parameters")
    await user.should_see("Weight decay", retries=50)
    open_fold(user, "As a file")
    await user.should_see(f"qlora-ui train {job.id}.yaml", retries=50)


async def test_a_waiting_training_shows_no_empty_cards(user: User, busy_services: Services) -> None:
    [job] = [job for job in busy_services.jobs.jobs.values() if job.status is JobStatus.PENDING]
    await user.open(f"/activity/{job.id}")
    await user.should_see("Every other setting has its default.", retries=50)
    await user.should_see("Queue what begins by itself")
    shown = {one.text for one in user.find(kind=Text).elements if isinstance(one, Text) and one.tag == "h2"}
    assert shown == {"After this one", "Parameters", "Files"}
