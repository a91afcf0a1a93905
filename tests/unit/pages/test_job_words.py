from __future__ import annotations

from pathlib import Path

import pytest

from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import (
    EvaluationMetrics,
    EvaluationReport,
    JobKind,
    JobRecord,
    JobStatus,
    Score,
    now,
)
from qlora_ui.jobs.history.curves import Curve
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.job.words import (
    advice,
    in_words,
    metric_rows,
    peft_snippet,
    queue_words,
    tab_title,
    verdict,
)


def curve(points: list[tuple[int, float]]) -> Curve:
    return Curve([step for step, _ in points], [value for _, value in points])


def metrics(accuracy: float | None, loss: float) -> EvaluationMetrics:
    return EvaluationMetrics(
        accuracy=None if accuracy is None else Score(value=accuracy, standard_error=0.02),
        loss=Score(value=loss, standard_error=0.1),
        perplexity=Score(value=20.1),
    )


def report(**differences: Score) -> EvaluationReport:
    return EvaluationReport(rows=120, base=metrics(0.05, 3.0), adapter=metrics(0.9, 0.4), differences=differences)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    record = JobRecord(id="r1", kind=JobKind.TRAINING, name="tone", created_at=now(), queued_at=now())
    parameters = TrainingParameters(model_name="starter", dataset_path="starter")
    return Job(RunPaths(tmp_path / "r1"), record, parameters, status=JobStatus.RUNNING, can_stop=True, can_pause=True)


def test_a_difference_beyond_chance_is_named() -> None:
    words = verdict(report(accuracy=Score(value=0.85, standard_error=0.05)))
    assert words == "The adapter answers better: exact match went from 5.0 % to 90.0 % on the same 120 rows."


def test_worse_is_called_worse() -> None:
    assert "answers worse" in verdict(report(accuracy=Score(value=-0.2, standard_error=0.05)))


def test_a_difference_within_chance_falls_back_on_the_loss_and_then_on_nothing() -> None:
    unsure = Score(value=0.05, standard_error=0.04)
    words = verdict(report(accuracy=unsure, loss=Score(value=-2.6, standard_error=0.1)))
    assert words == "The adapter fits the right answers better: loss went from 3.000 to 0.400 on the same 120 rows."
    assert "chance" in verdict(report(accuracy=unsure, loss=Score(value=-0.1, standard_error=0.1)))


def test_without_a_standard_error_nothing_is_claimed() -> None:
    assert "chance" in verdict(report(accuracy=Score(value=0.85)))


def test_a_base_alone_has_no_comparison() -> None:
    alone = EvaluationReport(rows=40, base=metrics(0.1, 2.0))
    assert verdict(alone) == "The base alone was scored, on 40 rows."


def test_metrics_that_were_not_measured_are_left_out_of_the_table() -> None:
    rows = metric_rows(report(loss=Score(value=-2.6, standard_error=0.1)))
    assert [row.name for row in rows] == ["Exact match", "Loss", "Perplexity"]
    loss = rows[1]
    assert (loss.base, loss.adapter, loss.difference) == ("3.000 ± 0.100", "0.400 ± 0.100", "−2.600 ± 0.100")
    assert rows[0].difference == "–"


def test_scores_in_words() -> None:
    assert in_words(Score(value=0.9, standard_error=0.027), 1, as_share=True) == "90.0 % ± 2.7"
    assert in_words(Score(value=0.85), 1, as_share=True, signed=True) == "+85.0 points"
    assert in_words(None, 1) == "–"


def test_a_waiting_job_says_its_place_or_what_holds_it_up(job: Job) -> None:
    job.status, job.queue_position, job.message = JobStatus.PENDING, 1, JobStatus.PENDING.explanation
    assert queue_words(job) == "place 1 in the queue"
    job.queue_position, job.is_next = 2, True
    assert queue_words(job) == "next in the queue", "who stands before it waits for another run"
    job.queue_position, job.is_next = 3, False
    assert queue_words(job) == "place 3 in the queue"
    job.message = "It waits for capitals, which is paused."
    assert queue_words(job) == "It waits for capitals, which is paused."
    job.queue_position = None
    assert queue_words(job) == "It waits for capitals, which is paused."


@pytest.mark.parametrize(
    ("training", "evaluation", "words"),
    [
        ([(1, 3.0), (40, 1.0)], [], ""),
        ([(1, 3.0), (40, 1.0)], [(20, 1.3), (40, 1.2)], ""),
        ([(1, 3.0), (40, 1.0)], [(20, 1.20), (40, 1.22)], ""),
        ([(1, 3.0), (40, 1.0)], [(20, 1.2), (40, 1.4)], "was best at step 20 (1.20) and is 1.40 at step 40"),
        ([(1, 3.0), (40, 0.6)], [(20, 1.8), (40, 1.77)], "(1.77) is far above the training loss (0.60)"),
        ([(1, 3.0), (40, 0.01)], [(40, 0.05)], ""),
    ],
)
def test_learning_by_heart_is_named_with_what_to_do(
    training: list[tuple[int, float]], evaluation: list[tuple[int, float]], words: str
) -> None:
    sentence = advice(curve(training), curve(evaluation))
    assert words in sentence
    assert bool(words) == sentence.endswith("Train fewer epochs, or use more examples.")


def test_the_tab_names_the_run_and_then_its_end(job: Job) -> None:
    assert tab_title(job) == "tone"
    job.status = JobStatus.COMPLETED
    assert tab_title(job) == "tone: Finished"


def test_the_snippet_is_python_and_survives_odd_paths() -> None:
    snippet = peft_snippet("base'; import os", "/a b/adapter")
    compile(snippet, "snippet", "exec")
    assert "PeftModel.from_pretrained(base, '/a b/adapter')" in snippet
