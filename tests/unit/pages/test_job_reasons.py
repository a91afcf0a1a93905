from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.job_reasons import delete_reason, extend_reason, pause_reason, pause_words, stop_reason


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
