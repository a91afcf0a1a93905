from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import EndCause, JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.job.reasons import (
    delete_reason,
    extend_reason,
    failed_on_data,
    pause_reason,
    pause_words,
    stop_reason,
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    record = JobRecord(id="r1", kind=JobKind.TRAINING, name="tone", created_at=now(), queued_at=now())
    parameters = TrainingParameters(model_name="starter", dataset_path="starter")
    return Job(RunPaths(tmp_path / "r1"), record, parameters, status=JobStatus.RUNNING, can_stop=True, can_pause=True)


def test_a_button_that_cannot_work_has_a_reason(job: Job) -> None:
    assert stop_reason(job) == pause_reason(job) == ""
    assert delete_reason(job) == "It is at work. Stop it first."
    assert extend_reason(job) == "It has not ended yet. Stop it first, or wait for its end."
    job.can_stop = False
    assert stop_reason(job) == "It was asked already, and saves a checkpoint first."
    job.status, job.can_pause = JobStatus.STOPPED, False
    assert pause_reason(job) == "It is stopped already."
    assert delete_reason(job) == ""
    assert extend_reason(job) == "It has no checkpoint to go on from."


def test_a_pause_says_which_device_it_frees(job: Job) -> None:
    assert pause_words(job) == "Pause, free the device"
    job.facts.update(device="cuda:0", device_name="NVIDIA GeForce RTX 4090")
    assert pause_words(job) == "Pause, free the RTX 4090"
    job.status = JobStatus.PENDING
    assert pause_words(job) == "Pause"


@pytest.mark.parametrize(
    ("cause", "phase", "is_about_data"),
    [(EndCause.INPUT, "data", True), (EndCause.INPUT, "loading", False), (EndCause.DISK, "data", False)],
)
def test_only_what_broke_while_reading_rows_is_mended_at_the_data(
    cause: EndCause, phase: str, is_about_data: bool
) -> None:
    record = JobRecord(id="a", kind=JobKind.TRAINING, name="a", created_at=now(), queued_at=now())
    job = Job(RunPaths(Path("run")), record, TrainingParameters(model_name="m", dataset_path="d"))
    job.status, job.cause = JobStatus.FAILED, cause
    job.history.phases = [("starting", now()), (phase, now()), ("", now())]
    assert failed_on_data(job) is is_about_data
