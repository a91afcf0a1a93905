"""What a training plans, measures and tells of."""

from __future__ import annotations

import math
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, AlertCode, Event, Log, Metric
from qlora_ui.contract.parameters import TrainingParameters
from tests.worker.pieces import context_in

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


class TestPlan:
    def test_steps_evaluations_and_saves(self) -> None:
        from qlora_ui.worker.training.plan import Plan

        parameters = TrainingParameters(
            model_name="m", dataset_path="d", batch_size=4, gradient_accumulation=4, num_train_epochs=2.5, evaluations=3
        )
        plan = Plan.of(parameters, rows=100, has_validation=True)
        assert plan.steps_per_epoch == 7  # 25 batches, 4 a step
        assert plan.total_steps == 18
        assert plan.evaluation_steps == {6, 12, 18}
        assert plan.save_steps == 2
        assert Plan.of(parameters, rows=100, has_validation=False).evaluation_steps == frozenset()
        assert Plan.of(parameters.model_copy(update={"max_steps": 2}), 100, True).evaluation_steps == {1, 2}


def test_the_writing_of_a_checkpoint_is_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlora_ui.worker.batches import Size
    from qlora_ui.worker.training import progress
    from qlora_ui.worker.training.held_out import Evaluation
    from qlora_ui.worker.training.plan import Plan

    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    context = context_in(tmp_path, [])
    parameters = cast(TrainingParameters, context.parameters)
    plan = Plan.of(parameters, rows=32, has_validation=False)
    evaluation = Evaluation(loss=1.0, token_accuracy=0.5)
    reporter = progress.Reporter(
        context, parameters, plan, lambda step: Size(1000, 1250), lambda step: evaluation, lambda step, values: None
    )
    state, control = TrainerState(global_step=1), TrainerControl(should_save=True)
    arguments = cast(TrainingArguments, None)
    reporter.on_train_begin(arguments, state, control)
    clock[0] = 2.0
    reporter.on_step_end(arguments, state, control)
    clock[0] = 50.0  # the Trainer writes its files
    (context.paths.checkpoints / "checkpoint-1").mkdir(parents=True)
    reporter.on_save(arguments, state, control, model=torch.nn.Linear(1, 1))
    clock[0] = 53.0
    reporter.on_step_end(arguments, TrainerState(global_step=2), TrainerControl())
    assert reporter.speed.totals["seconds"] == 5.0
    assert reporter.summary()["tokens_per_second"] == 400
    assert reporter.speed.figures()["padding"] == pytest.approx(0.2)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlora_ui.worker.batches import Size
    from qlora_ui.worker.training import progress
    from qlora_ui.worker.training.held_out import Evaluation
    from qlora_ui.worker.training.plan import Plan

    events: list[Event] = []
    context = context_in(tmp_path, events)
    parameters = cast(TrainingParameters, context.parameters)
    plan = Plan.of(parameters, rows=32, has_validation=False)
    reporter = progress.Reporter(
        context, parameters, plan, lambda step: Size(1, 1), lambda step: Evaluation(1.0, 0.5), lambda step, values: None
    )
    logs, state = {"loss": math.nan, "learning_rate": 1e-3}, TrainerState(global_step=7)
    with pytest.raises(JobError, match="by step 7"):
        reporter.on_log(cast(TrainingArguments, None), state, TrainerControl(), logs)
    [point, alert] = events
    assert isinstance(point, Metric) and "loss" not in point.values, "there is no such point to draw"
    assert isinstance(alert, Alert) and (alert.code, alert.level) == (AlertCode.NOT_A_NUMBER, "error")


@pytest.mark.parametrize(("dropped", "kind"), [(3, Log), (30, Alert)])
def test_rows_without_a_trained_token_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropped: int, kind: type[Log | Alert]
) -> None:
    from qlora_ui.data.prepare import Counts
    from qlora_ui.worker.training import train

    monkeypatch.setattr(train, "share_in_4_bits", lambda model: 1.0)
    events: list[Event] = []
    data = cast(Any, SimpleNamespace(counts=Counts(100, rows_dropped=dropped)))
    train._warn(context_in(tmp_path, events), cast(Any, SimpleNamespace(method="qlora")), data, cast(Any, None))
    [said] = events
    assert isinstance(said, kind) and f"{dropped}" in said.message
    assert not isinstance(said, Alert) or said.code == AlertCode.NOTHING_TRAINED
