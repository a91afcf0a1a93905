"""A live job says how it stands, and what can be done with it."""

from __future__ import annotations

import pytest

from qlora_ui.contract import events
from qlora_ui.contract.events import AlertCode
from qlora_ui.contract.parameters import EvaluationParameters, TrainingParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import EndCause, ExitRecord, JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.intake import new_record
from qlora_ui.jobs.job import Job

PARAMETERS = TrainingParameters(model_name="starter", dataset_path="starter")


@pytest.fixture
def record() -> JobRecord:
    return new_record(JobKind.TRAINING, PARAMETERS).model_copy(update={"state": "launched", "attempt": 1})


@pytest.fixture
def job(workspace: Workspace, record: JobRecord) -> Job:
    return Job(workspace.run(record.id), record, PARAMETERS)


@pytest.mark.parametrize(
    ("status", "retry", "extend"),
    [
        (JobStatus.PENDING, False, False),
        (JobStatus.RUNNING, False, False),
        (JobStatus.PAUSED, False, False),
        (JobStatus.COMPLETED, False, True),
        (JobStatus.STOPPED, True, True),
        (JobStatus.FAILED, True, True),
        (JobStatus.INTERRUPTED, True, True),
    ],
)
def test_what_can_be_done_with_a_training(
    job: Job, record: JobRecord, status: JobStatus, retry: bool, extend: bool
) -> None:
    job.settle(record, status, None)
    assert (job.can_retry, job.can_extend, job.can_duplicate) == (retry, False, True), "it came nowhere yet"
    job.take_in([events.Progress(step=3, total_steps=10)])
    job.settle(record, status, None)
    assert (job.can_retry, job.can_extend, job.can_duplicate) == (retry, extend, True)


def test_only_a_training_can_be_extended(workspace: Workspace) -> None:
    parameters = EvaluationParameters(model_name="starter", dataset_path="starter", adapter_path="adapter")
    record = new_record(JobKind.EVALUATION, parameters)
    job = Job(RunPaths(workspace.runs / record.id), record, parameters)
    job.take_in([events.Progress(step=3, total_steps=10)])
    job.settle(record, JobStatus.COMPLETED, None)
    assert not job.can_extend


def test_a_failure_is_explained_until_the_run_goes_on(job: Job, record: JobRecord) -> None:
    failed = ExitRecord(
        status=JobStatus.FAILED,
        attempt=1,
        error="It broke.",
        hint="Mend it.",
        cause=EndCause.PROGRAM,
        traceback="Trace",
    )
    job.settle(record, JobStatus.FAILED, failed)
    assert (job.error, job.hint, job.cause, job.traceback) == ("It broke.", "Mend it.", EndCause.PROGRAM, "Trace")
    job.settle(record.model_copy(update={"attempt": 2}), JobStatus.RUNNING, failed)
    assert (job.error, job.hint, job.cause, job.traceback) == ("", "", None, "")


def test_concerns_end_with_the_work(job: Job, record: JobRecord) -> None:
    job.settle(record, JobStatus.RUNNING, None)
    job.concerns = [Concern(AlertCode.STUCK, "Nothing was heard of it for a while.", "", now())]
    job.settle(record, JobStatus.RUNNING, None)
    assert len(job.concerns) == 1
    job.settle(record, JobStatus.PAUSED, None)
    assert job.concerns == []


def test_a_history_that_is_let_go_leaves_how_far_it_came(job: Job, record: JobRecord) -> None:
    job.settle(record, JobStatus.RUNNING, None)
    job.history_loaded = True
    job.take_in([events.Metric(step=3, values={"loss": 1.0}), events.Progress(step=3, total_steps=10)])
    job.forget_history()
    job.settle(record, JobStatus.INTERRUPTED, None)
    assert (job.step, job.total_steps, job.progress, job.history_loaded) == (3, 10, 0.3, False)
    assert job.curves.names == [] and not job.logs
