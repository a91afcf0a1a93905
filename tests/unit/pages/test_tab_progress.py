"""Which run's progress stands in front of the tab's name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.shell.tab_progress import job_to_show


def job(name: str, status: JobStatus, minutes: int = 0) -> Job:
    record = JobRecord(id=name, kind=JobKind.TRAINING, name=name, created_at=now(), queued_at=now())
    parameters = TrainingParameters(model_name="m", dataset_path="d")
    made = Job(RunPaths(Path("run")), record, parameters, status=status)
    made.started_at = now() + timedelta(minutes=minutes)
    return made


FIRST, SECOND = job("first", JobStatus.RUNNING), job("second", JobStatus.RUNNING, minutes=5)
JOBS = [job("done", JobStatus.COMPLETED, minutes=-5), SECOND, FIRST]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", FIRST),
        ("/activity", FIRST),
        ("/activity?state=active", FIRST),
        ("/activity/second", SECOND),
        ("/activity/second#log", SECOND),
        ("/activity/done", None),
        ("/activity/unknown", None),
    ],
)
def test_a_run_s_own_page_shows_its_own_progress(path: str, shown: Job | None) -> None:
    assert job_to_show(JOBS, path) is shown


def test_nothing_is_shown_while_nothing_is_at_work() -> None:
    assert job_to_show([job("waits", JobStatus.PENDING)], "/") is None
