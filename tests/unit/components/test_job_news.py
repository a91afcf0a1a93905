"""What a screen reader is told of a run, and what it is spared."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.components.job_news import News, Standing, news
from qlora_ui.contract.events import Alert
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job


@pytest.fixture
def job(tmp_path: Path) -> Job:
    record = JobRecord(id="r1", kind=JobKind.TRAINING, name="tone", created_at=now(), queued_at=now())
    parameters = TrainingParameters(model_name="starter", dataset_path="starter")
    return Job(RunPaths(tmp_path / "r1"), record, parameters, status=JobStatus.RUNNING)


def told(job: Job, *shares: float) -> list[str]:
    """What is said while a job at work goes through these shares."""
    before, said = Standing.of(job), []
    for share in shares:
        job.progress = share
        said += [one.sentence for one in news(before, job)]
        before = Standing.of(job)
    return said


def test_each_quarter_is_told_once(job: Job) -> None:
    assert told(job, 0.1, 0.24, 0.26, 0.27, 0.5, 0.8, 0.99) == [
        "tone: 25 % done.",
        "tone: 50 % done.",
        "tone: 75 % done.",
    ]


def test_a_page_that_opens_in_the_middle_is_silent_until_the_next_quarter(job: Job) -> None:
    job.progress = 0.6
    assert news(Standing.of(job), job) == []
    assert told(job, 0.7, 0.76) == ["tone: 75 % done."]


def test_progress_that_goes_back_is_no_news(job: Job) -> None:
    job.progress = 0.6
    assert told(job, 0.3, 0.4) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (JobStatus.COMPLETED, "tone has finished."),
        (JobStatus.STOPPED, "tone was stopped."),
        (JobStatus.PAUSED, "tone is paused."),
    ],
)
def test_an_end_is_told_and_its_last_quarter_is_not(job: Job, status: JobStatus, sentence: str) -> None:
    before = Standing(JobStatus.RUNNING, 3)
    job.status, job.progress = status, 1.0
    assert news(before, job) == [News(sentence)]
    assert news(Standing.of(job), job) == []


def test_a_start_is_told(job: Job) -> None:
    assert news(Standing(JobStatus.PENDING), job) == [News("tone has started.")]


def test_errors_are_urgent_and_say_what_is_wrong(job: Job) -> None:
    before = Standing.of(job)
    job.status, job.error = JobStatus.FAILED, "The disk is full."
    assert news(before, job) == [News("tone failed: The disk is full.", is_urgent=True)]


def test_an_alert_of_a_run_at_work_is_told_once_and_those_of_the_past_never(job: Job) -> None:
    before = Standing.of(job)
    job.take_in([Alert(message="The loss is not a number.")])
    assert news(before, job) == [News("The loss is not a number.", is_urgent=True)]
    assert news(Standing.of(job), job) == []
    job.status = JobStatus.COMPLETED
    assert news(Standing(JobStatus.COMPLETED, 4, alerts=0), job) == []


def test_of_many_alerts_at_once_the_newest_are_told(job: Job) -> None:
    before = Standing.of(job)
    job.take_in([Alert(message=f"Spike {number}.") for number in range(1_000)])
    assert [one.sentence for one in news(before, job)] == ["Spike 997.", "Spike 998.", "Spike 999."]
