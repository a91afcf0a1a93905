"""What is told of the past."""

from __future__ import annotations

from datetime import timedelta

from qlora_ui.contract.records import Dataset, JobKind, JobStatus, now
from qlora_ui.pages.dashboard.news import news_of
from tests.fakes.runs import MERGED
from tests.unit.pages.test_overview import job


def test_beginning_and_end_of_runs_and_new_data_are_told_in_order() -> None:
    start, end = now() - timedelta(hours=3), now() - timedelta(hours=1)
    done = job(JobStatus.COMPLETED, started_at=start, ended_at=end)
    running = job(JobStatus.RUNNING, started_at=now() - timedelta(hours=2))
    added = Dataset(id="d", name="mails.csv", path="mails.csv", bytes=9, added_at=now() - timedelta(hours=4))
    assert [(entry.name, entry.words, entry.target) for entry in news_of([done, running], [added])] == [
        ("mine", "{name} finished, its adapter is ready", f"/activity/{done.id}"),
        ("mine", "{name} started", f"/activity/{running.id}"),
        ("mine", "{name} started", f"/activity/{done.id}"),
        ("mails.csv", "{name} was added", ""),
    ]


def test_waiting_run_is_told_once() -> None:
    assert [entry.words for entry in news_of([job(JobStatus.PENDING)], [])] == ["{name} was queued"]


def test_only_a_merge_with_a_good_receipt_agrees() -> None:
    merges = [MERGED, {**MERGED, "passed": False}, {}]
    told = [news_of([job(JobStatus.COMPLETED, JobKind.MERGE, summary=summary)], [])[0].words for summary in merges]
    assert told == ["{name} finished, and agrees with its adapter", "{name} finished", "{name} finished"]
