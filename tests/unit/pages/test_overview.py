"""What is said of all jobs together."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.parameters import PARAMETERS
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.overview import finished_since, greeting, result_of, state_sentence, took
from tests.fakes.runs import EVALUATED, MERGED


def job(status: JobStatus, kind: JobKind = JobKind.TRAINING, **fields: Any) -> Job:
    record = JobRecord(id=f"{len(fields)}-{status}", kind=kind, name="mine", created_at=now(), queued_at=now())
    needed = {"model_name": "m", "dataset_path": "d", "adapter_path": "a"}
    model = PARAMETERS[kind]
    parameters = model.model_validate({name: needed[name] for name in needed if name in model.model_fields})
    made = Job(RunPaths(Path("run")), record, parameters, status=status)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def of(*statuses: JobStatus) -> list[Job]:
    return [job(status) for status in statuses]


@pytest.mark.parametrize(
    ("jobs", "sentence"),
    [
        ([], "Nothing has run yet."),
        (of(JobStatus.COMPLETED, JobStatus.FAILED), "Nothing is running."),
        (of(JobStatus.RUNNING), "One run is at work."),
        (of(JobStatus.RUNNING, JobStatus.RUNNING, JobStatus.PENDING), "Two runs are at work, one is waiting."),
        (of(JobStatus.PENDING), "One run is waiting."),
        (of(*[JobStatus.INTERRUPTED] * 12), "12 runs were interrupted and can go on."),
        (of(JobStatus.PAUSED, JobStatus.INTERRUPTED), "One run is paused, one was interrupted and can go on."),
    ],
)
def test_state_in_a_sentence(jobs: list[Job], sentence: str) -> None:
    assert state_sentence(jobs) == sentence


@pytest.mark.parametrize(
    ("hour", "words"),
    [(4, "Good evening"), (5, "Good morning"), (12, "Good afternoon"), (17, "Good afternoon"), (18, "Good evening")],
)
def test_greeting(hour: int, words: str) -> None:
    assert greeting(datetime(2026, 11, 23, hour)) == words


def test_finished_this_week() -> None:
    week = now() - timedelta(days=7)
    recent, old = now() - timedelta(days=1), now() - timedelta(days=8)
    jobs = [job(JobStatus.COMPLETED, ended_at=recent), job(JobStatus.COMPLETED, ended_at=old)]
    assert finished_since(jobs, week) == ("1", "none failed, none was interrupted")
    jobs += [job(JobStatus.FAILED, ended_at=recent), job(JobStatus.INTERRUPTED, updated_at=recent)]
    assert finished_since(jobs, week) == ("1", "1 failed, 1 interrupted")
    assert finished_since([job(JobStatus.FAILED, ended_at=old)], week) == ("0", "none failed, none was interrupted")


@pytest.mark.parametrize(
    ("kind", "summary", "words"),
    [
        (JobKind.TRAINING, {"eval_loss": 1.2044, "train_loss": 1.3}, "evaluation loss 1.204"),
        (JobKind.TRAINING, {"eval_loss": None, "train_loss": 1.3}, "loss 1.300"),
        (JobKind.TRAINING, {}, "done"),
        (JobKind.EVALUATION, EVALUATED, "exact match 71 %, +18 points ± 2"),
        (JobKind.EVALUATION, {"rows": 1}, "done"),
        (JobKind.MERGE, MERGED, "agrees 99.98 %, KL 2.00·10⁻⁵"),
    ],
)
def test_result_in_a_few_words(kind: JobKind, summary: dict[str, Any], words: str) -> None:
    assert result_of(job(JobStatus.COMPLETED, kind, summary=summary)) == words


def test_result_of_what_did_not_finish() -> None:
    assert result_of(job(JobStatus.INTERRUPTED, step=82, total_steps=120)) == "at step 82 of 120"
    assert result_of(job(JobStatus.FAILED, error="No room on the disk.")) == "No room on the disk."
    assert len(result_of(job(JobStatus.FAILED, error="word " * 40))) == 80


def test_time_taken() -> None:
    start = now() - timedelta(minutes=34)
    times: dict[str, Any] = {"started_at": start, "ended_at": start + timedelta(minutes=34)}
    for status in (JobStatus.COMPLETED, JobStatus.STOPPED, JobStatus.FAILED):
        assert took(job(status, summary={"seconds": 6720.0}, **times)) == "34 min", "not the training alone"
    assert took(job(JobStatus.INTERRUPTED, started_at=start, updated_at=start + timedelta(minutes=34))) == "34 min"
    assert took(job(JobStatus.PENDING)) == "–"


def test_time_that_may_have_pauses_in_it_says_so() -> None:
    start = now() - timedelta(minutes=34)
    resumed = job(JobStatus.COMPLETED, started_at=start, ended_at=start + timedelta(minutes=34))
    resumed.record.attempt = 2
    assert took(resumed) == "34 min, pauses included"
