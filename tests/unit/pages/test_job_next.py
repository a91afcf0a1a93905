"""Which files an adapter can be scored on."""

from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.pages.runs.job.next_steps import file_problem, merge_reason
from qlora_ui.services import Services
from qlora_ui.settings import AppSettings
from tests.fakes.runs import FakeRun, write_run


@pytest.mark.parametrize("name", ["nowhere.jsonl", "a" * 300])
def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path, name: str) -> None:
    assert file_problem(str(tmp_path / name), "starter") == "There is no file {path}."


def test_the_training_data_measure_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.touch()
    assert "trained on" in file_problem(str(rows), str(rows))
    assert file_problem(str(rows), "starter") == ""


@pytest.mark.parametrize(
    ("status", "kind", "is_queued"),
    [
        (JobStatus.PENDING, JobKind.MERGE, True),
        (JobStatus.PAUSED, JobKind.MERGE, True),
        (JobStatus.COMPLETED, JobKind.MERGE, False),
        (JobStatus.PENDING, JobKind.EVALUATION, False),
    ],
)
async def test_one_merge_that_waits_is_enough(
    tmp_path: Path, status: JobStatus, kind: JobKind, is_queued: bool
) -> None:
    services = Services.open(AppSettings(home=tmp_path))
    trained, other = (write_run(services.workspace, FakeRun(name, JobStatus.PAUSED)) for name in ("tone", "other"))
    write_run(services.workspace, FakeRun("next", status, kind, after=trained.id))
    await services.jobs.refresh()
    jobs = services.jobs.jobs
    assert merge_reason(jobs[trained.id], jobs.values()) == ("A merge is queued already." if is_queued else "")
    assert merge_reason(jobs[other.id], jobs.values()) == ""
