"""How far the guide takes a person to be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from qlora_ui import demo
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.records import JobKind, JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.pages.dashboard.guide import Progress
from tests.unit.pages.test_overview import job

T, F = True, False


def named(name: str, status: JobStatus, kind: JobKind = JobKind.TRAINING, **record: Any) -> Job:
    made = job(status, kind)
    if name == demo.NAME:
        made.parameters = made.parameters.model_copy(update={"dataset_path": STARTER})
    for field, value in {"id": f"{name}-{status}", "name": name, **record}.items():
        setattr(made.record, field, value)
    return made


def test_steps_tick_off_as_the_starter_run_goes_on() -> None:
    training = named(demo.NAME, JobStatus.PENDING)
    score = named("score", JobStatus.PENDING, JobKind.EVALUATION, after=training.id)
    merge = named("merge", JobStatus.PENDING, JobKind.MERGE, after=training.id)
    jobs = [training, score, merge]
    assert Progress.of([]).done == (T, F, F, F, F)
    assert Progress.of(jobs).done == (T, T, F, F, F)
    training.status = JobStatus.COMPLETED
    assert Progress.of(jobs).done == (T, T, T, F, F)
    score.status = JobStatus.COMPLETED
    assert Progress.of(jobs).done == (T, T, T, F, F)
    merge.status = JobStatus.COMPLETED
    assert Progress.of(jobs).done == (T, T, T, T, F)
    assert Progress.of([*jobs, named("mine", JobStatus.PENDING)]).done == (T, T, T, T, T)


def test_starter_run_that_failed_counts_as_none() -> None:
    failed = named(demo.NAME, JobStatus.FAILED)
    assert Progress.of([failed]).done == (T, F, F, F, F)
    again = named(demo.NAME, JobStatus.RUNNING, created_at=now() + timedelta(minutes=1))
    assert Progress.of([failed, again]).training is again


def test_who_trained_on_their_own_data_needs_no_guide() -> None:
    assert not Progress.of([named("mine", JobStatus.FAILED)]).is_over
    assert Progress.of([named("mine", JobStatus.COMPLETED)]).is_over
    assert not Progress.of([named(demo.NAME, JobStatus.COMPLETED)]).is_over


def test_a_further_starter_run_takes_no_tick_back() -> None:
    training = named(demo.NAME, JobStatus.COMPLETED)
    score = named("score", JobStatus.COMPLETED, JobKind.EVALUATION, after=training.id)
    merge = named("merge", JobStatus.COMPLETED, JobKind.MERGE, after=training.id)
    again = named(demo.NAME, JobStatus.RUNNING, created_at=now() + timedelta(minutes=1))
    progress = Progress.of([training, score, merge, again])
    assert progress.done == (T, T, T, T, F)
    assert (progress.training, progress.merge) == (training, merge)


def test_only_data_of_ones_own_ticks_the_last_step() -> None:
    again = named("starter again", JobStatus.COMPLETED)
    again.parameters = again.parameters.model_copy(update={"dataset_path": f"{STARTER}/train"})
    assert not Progress.of([again]).has_own and Progress.of([again]).is_over
    own = named("mine", JobStatus.PENDING)
    assert Progress.of([again, own]).has_own
