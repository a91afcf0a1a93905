"""What a person is asked to look after, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qlora_ui.contract.records import JobKind, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.dashboard.attention import DISMISSALS_KEPT, LOW_DISK_BYTES, concerns, with_dismissed
from tests.unit.pages.test_overview import job


def by_id(*jobs: Job) -> dict[str, Job]:
    return {job.id: job for job in jobs}


def test_only_what_a_person_can_mend_needs_attention() -> None:
    jobs = by_id(*(job(status) for status in JobStatus))
    assert {jobs[found.job_id].status for found in concerns(jobs, None)} == {
        JobStatus.FAILED,
        JobStatus.INTERRUPTED,
    }


def test_newest_trouble_stands_first_and_the_disk_before_it() -> None:
    older = job(JobStatus.FAILED, updated_at=now() - timedelta(hours=2))
    newer = job(JobStatus.INTERRUPTED, updated_at=now() - timedelta(hours=1))
    found = concerns(by_id(older, newer), LOW_DISK_BYTES - 1)
    assert [concern.job_id for concern in found] == ["", newer.id, older.id]
    assert found[0].action == "clean up"
    assert "Only 2 GB are left" in found[0].detail


def test_disk_with_room_is_no_concern() -> None:
    assert concerns({}, LOW_DISK_BYTES) == []


def test_what_can_be_dismissed_stays_away_until_it_happens_again() -> None:
    failed, broken = job(JobStatus.FAILED), job(JobStatus.INTERRUPTED)
    jobs = by_id(failed, broken)
    keys = {concern.job_id: concern.key for concern in concerns(jobs, None) if concern.can_dismiss}
    assert keys.keys() == {failed.id, broken.id}
    dismissed = with_dismissed([], keys[failed.id])
    assert [concern.job_id for concern in concerns(jobs, None, dismissed)] == [broken.id]
    failed.record.attempt += 1
    assert {concern.job_id for concern in concerns(jobs, None, dismissed)} == {failed.id, broken.id}


def test_dismissals_do_not_pile_up() -> None:
    dismissed = [str(number) for number in range(DISMISSALS_KEPT)]
    assert with_dismissed(dismissed, "new") == [*dismissed[1:], "new"]
    assert with_dismissed(["a", "b"], "a") == ["b", "a"]


@pytest.mark.parametrize(
    ("before", "is_in_vain"),
    [
        (JobStatus.PENDING, False),
        (JobStatus.RUNNING, False),
        (JobStatus.COMPLETED, False),
        (JobStatus.PAUSED, False),
        (JobStatus.FAILED, False),
        (JobStatus.STOPPED, True),
    ],
)
def test_run_that_waits_in_vain_can_be_stopped(before: JobStatus, is_in_vain: bool) -> None:
    first, waiting = job(before), job(JobStatus.PENDING)
    waiting.record.after = first.id
    found = {concern.job_id: concern for concern in concerns(by_id(first, waiting), None)}
    assert (waiting.id in found) is is_in_vain
    if is_in_vain:
        assert found[waiting.id].action == "stop"


def test_run_that_waits_for_one_that_is_gone_needs_attention() -> None:
    waiting = job(JobStatus.PENDING)
    waiting.record.after = "deleted"
    assert [concern.words for concern in concerns(by_id(waiting), None)] == ["{name} cannot start"]


def test_what_waits_for_a_failed_run_is_told_with_it() -> None:
    failed = job(JobStatus.FAILED, error="Row 3 is empty.")
    score, merge = (job(JobStatus.PENDING, kind) for kind in (JobKind.EVALUATION, JobKind.MERGE))
    for number, waiting in enumerate((score, merge)):
        waiting.record.id, waiting.record.after = f"waiting-{number}", failed.id
    [found] = concerns(by_id(failed, score, merge), None)
    assert (found.job_id, found.detail) == (failed.id, "Row 3 is empty. 2 runs wait for it.")
