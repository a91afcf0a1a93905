from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from qlora_ui.components.words import power_of_ten
from qlora_ui.contract.events import CheckpointSaved
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import JobKind, JobRecord, JobStatus, now
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.activity import in_order, matches
from qlora_ui.pages.runs.job_side import best_checkpoint, device_name, evaluation_at, known_facts


def make(name: str, status: JobStatus, age_min: float, place: int | None = None) -> Job:
    moment = now() - timedelta(minutes=age_min)
    record = JobRecord(id=name, kind=JobKind.TRAINING, name=name, created_at=moment, queued_at=moment)
    parameters = TrainingParameters(model_name="org/base", dataset_path="d.jsonl")
    return Job(RunPaths(Path(name)), record, parameters, status=status, queue_position=place)


def test_what_runs_stands_first_then_the_queue_in_its_order_then_the_past_newest_first() -> None:
    jobs = [
        make("old", JobStatus.COMPLETED, 90),
        make("second", JobStatus.PENDING, 3, place=2),
        make("next", JobStatus.PENDING, 4, place=1),
        make("paused", JobStatus.PAUSED, 50),
        make("new", JobStatus.FAILED, 1),
        make("running", JobStatus.RUNNING, 60),
    ]
    assert [job.name for job in in_order(jobs)] == ["running", "next", "second", "paused", "new", "old"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, True),
        ({"text": "TONE"}, True),
        ({"text": "org failed"}, True),
        ({"text": "other"}, False),
        ({"kind": "training"}, True),
        ({"kind": "merge"}, False),
        ({"state": "ended"}, True),
        ({"state": "active"}, False),
        ({"state": "finished"}, False),
    ],
)
def test_filters(filters: dict[str, str], found: bool) -> None:
    job = make("support-tone", JobStatus.FAILED, 1)
    assert matches(job, **{"text": "", "kind": "", "state": "all", **filters}) is found


def test_the_best_checkpoint_is_the_one_with_the_lowest_evaluation_loss() -> None:
    curves = Curves()
    for step, value in ((10, 1.4), (20, 1.2), (30, 1.3)):
        curves.add("eval_loss", step, value)
    saved = [CheckpointSaved(step=step, folder=f"checkpoint-{step}", bytes=1) for step in (10, 20, 25, 30)]
    assert best_checkpoint(saved, curves) == 20
    assert best_checkpoint(saved[:1], curves) is None
    assert evaluation_at(curves, 20) == "1.200"
    assert evaluation_at(curves, 25) == ""


@pytest.mark.parametrize(
    ("value", "words"),
    [(1.12e-4, "1.12·10⁻⁴"), (0.0, "0"), (0.05, "0.05"), (2e-10, "2.00·10⁻¹⁰")],
)
def test_small_numbers_as_powers_of_ten(value: float, words: str) -> None:
    assert power_of_ten(value) == words


def test_only_facts_that_the_worker_told_are_shown() -> None:
    assert known_facts({}) == {}
    facts = known_facts({"trainable_parameters": 2_000_000, "parameters": 8_000_000_000, "rows_train": 1200})
    assert facts == {"Trained weights": "2 M, < 0.1 %", "Rows trained": "1,200"}


def test_a_device_is_called_by_its_name() -> None:
    assert device_name({"device": "cpu"}) == "Processor"
    assert device_name({"device": "cuda:0", "device_name": "NVIDIA H100 80GB HBM3"}) == "NVIDIA H100 80GB HBM3"
    assert device_name({"rows": 3}) == "This run"
