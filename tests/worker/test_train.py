"""A real QLoRA training, looked at from outside."""

from __future__ import annotations

import json
import math
import os
from itertools import pairwise

import pytest

from qlora_ui.contract.events import (
    Alert,
    CheckpointSaved,
    Facts,
    Finished,
    Metric,
    Phase,
    Progress,
    Sample,
    Started,
)
from qlora_ui.contract.paths import RunPaths, dataset_location, model_location
from qlora_ui.contract.records import ExitRecord, JobStatus
from tests.worker.conftest import STEPS, events_of

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_events_tell_the_whole_story(trained: RunPaths) -> None:
    events = events_of(trained)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert all(earlier.time <= later.time for earlier, later in pairwise(events))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    phases = [event.name for event in events if isinstance(event, Phase)]
    trained_and_evaluated = ["evaluating", "training", "evaluating", "training", "evaluating"]
    assert phases == ["starting", "data", "loading", *trained_and_evaluated, "saving"]
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].step == progress[-1].total_steps == STEPS
    assert progress[-1].seconds_left == 0


def test_the_curve_has_every_step_and_falls(trained: RunPaths) -> None:
    points = {e.step: e.values["loss"] for e in events_of(trained) if isinstance(e, Metric) and "loss" in e.values}
    assert sorted(points) == list(range(1, STEPS + 1))
    assert points[STEPS] < points[1] / 2
    evaluated = [e for e in events_of(trained) if isinstance(e, Metric) and "eval_loss" in e.values]
    assert [event.step for event in evaluated] == [0, STEPS // 2, STEPS]
    assert evaluated[-1].values["eval_loss"] < evaluated[0].values["eval_loss"] / 2
    first = next(e for e in events_of(trained) if isinstance(e, Metric) and e.step == 1)
    assert {"loss", "learning_rate", "grad_norm", "tokens_per_second"} <= set(first.values)


def test_checkpoints_are_announced_and_old_ones_dropped(trained: RunPaths) -> None:
    saved = [event for event in events_of(trained) if isinstance(event, CheckpointSaved)]
    assert [event.step for event in saved] == [10, 20, 30, 40, 50, 60]
    left = sorted(folder.name for folder in trained.checkpoints.iterdir())
    assert left == ["checkpoint-40", "checkpoint-50", "checkpoint-60"]
    assert all((trained.checkpoints / name / "complete.json").is_file() for name in left)


def test_a_healthy_run_is_left_in_peace(trained: RunPaths) -> None:
    assert not [event for event in events_of(trained) if isinstance(event, Alert)]


def test_evaluations_and_checkpoints_tell_more_than_the_loss(trained: RunPaths) -> None:
    events = events_of(trained)
    first, *_, last = [event.values for event in events if isinstance(event, Metric) and "eval_loss" in event.values]
    assert last["eval_perplexity"] == pytest.approx(math.exp(last["eval_loss"]))
    assert 0 <= first["eval_token_accuracy"] < last["eval_token_accuracy"] <= 1
    points = [event.values for event in events if isinstance(event, Metric) and "loss" in event.values]
    assert all(0 <= point["padding"] < 0.5 for point in points)
    machine = [event.values["memory"] for event in events if isinstance(event, Metric) and "memory" in event.values]
    assert machine and all(value > 100e6 for value in machine)
    saved = [event for event in events if isinstance(event, CheckpointSaved)]
    assert saved[0].metrics["eval_loss"] == first["eval_loss"], "the newest evaluation was the one at the start"
    assert saved[-1].metrics == last and saved[-1].is_best
    assert [event.step for event in saved if event.is_best] == [STEPS // 2, STEPS]


def test_facts_and_samples(trained: RunPaths) -> None:
    facts = {name: value for e in events_of(trained) if isinstance(e, Facts) for name, value in e.values.items()}
    assert facts["device"] == "cpu"
    rows = len(dataset_location("starter").read_bytes().splitlines())
    assert facts["rows_train"] + facts["rows_validation"] == facts["rows"] == rows
    assert 0 < facts["tokens_trained"] < facts["tokens"]
    assert 0 < facts["trainable_parameters"] < facts["parameters"]
    assert facts["layers_in_4_bits"] == 28
    samples = [event for event in events_of(trained) if isinstance(event, Sample)]
    assert [sample.step for sample in samples] == [0, 0, STEPS // 2, STEPS // 2, STEPS, STEPS]
    assert not samples[0].answer.startswith("{") and samples[-1].answer.startswith("{")


def test_exit_record_and_card_agree(trained: RunPaths) -> None:
    ending = ExitRecord.model_validate_json(trained.exit.read_bytes())
    card = json.loads((trained.adapter / "qlora-ui.json").read_text(encoding="utf-8"))
    assert ending.status is JobStatus.COMPLETED
    assert ending.summary["steps"] == STEPS
    assert ending.summary["eval_loss"] == card["metrics"]["eval_loss"]
    assert card["model_name"] == "starter"
    assert len(card["dataset_fingerprint"]) == 64
    assert card["versions"]["peft"]


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_adapter_loads_with_plain_peft_and_helps(trained: RunPaths) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = AutoModelForCausalLM.from_pretrained(model_location("starter"), dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(str(trained.adapter))
    row = {"role": "user", "content": "This is Hanna. I would like 4 blue jars for Wednesday."}
    answer = {"role": "assistant", "content": '{"name": "Hanna", "item": "jar"'}
    ids = torch.tensor([tokenizer.apply_chat_template([row, answer], return_dict=False)])
    with torch.no_grad():
        before = base(input_ids=ids, labels=ids).loss.item()
        model = PeftModel.from_pretrained(base, str(trained.adapter))
        after = model(input_ids=ids, labels=ids).loss.item()
    assert model.peft_config["default"].base_model_name_or_path == model_location("starter")
    assert (trained.adapter / "adapter_model.safetensors").stat().st_mode & 0o777 == 0o666 & ~current_umask()
    assert after < before - 0.5
