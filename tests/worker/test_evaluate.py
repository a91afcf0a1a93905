"""Base and adapter on held-out rows, against an independent calculation."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from qlora_ui.contract.events import Progress
from qlora_ui.contract.paths import RunPaths, model_location
from qlora_ui.contract.recipe import Recipe, Source
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus
from tests.worker.conftest import events_of, finish, make_run

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
ROWS = 20


@pytest.fixture(scope="module")
def evaluated(home: Path, trained: RunPaths) -> RunPaths:
    values = {
        "model_name": "starter",
        "adapter_path": str(trained.adapter),
        "dataset_path": "starter/heldout",
        "max_rows": ROWS,
        "max_new_tokens": 48,
        "batch_size": 8,
        "device": "cpu",
        "compute_type": "float32",
    }
    paths = make_run(home, JobKind.EVALUATION, values, run_id="evaluated")
    assert finish(paths).status is JobStatus.COMPLETED
    return paths


def test_the_adapter_is_better_and_the_figures_have_errors(evaluated: RunPaths) -> None:
    report = EvaluationReport.model_validate_json(evaluated.evaluation.read_bytes())
    assert report.rows == ROWS
    assert report.adapter is not None
    assert report.adapter.loss.value < report.base.loss.value - 1
    assert report.adapter.perplexity.value < report.base.perplexity.value
    assert report.differences["loss"].value == pytest.approx(report.adapter.loss.value - report.base.loss.value)
    assert report.base.token_accuracy is not None and report.adapter.token_accuracy is not None
    assert report.adapter.token_accuracy.value > report.base.token_accuracy.value
    assert report.adapter.bleu_score is not None and 0 < report.adapter.bleu_score.value <= 100
    for score in (report.adapter.loss, report.differences["loss"], report.adapter.bleu_score):
        assert score.standard_error is not None and score.standard_error > 0


def test_every_row_has_its_answers(evaluated: RunPaths) -> None:
    report = EvaluationReport.model_validate_json(evaluated.evaluation.read_bytes())
    rows = [json.loads(line) for line in evaluated.answers.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == ROWS
    assert all(earlier["row"] < later["row"] for earlier, later in pairwise(rows))
    assert report.adapter is not None and report.adapter.accuracy is not None
    assert sum(row["adapter_correct"] for row in rows) / ROWS == report.adapter.accuracy.value
    assert all(row["adapter_correct"] == (row["adapter"] == row["reference"].strip()) for row in rows)
    progress = [event for event in events_of(evaluated) if isinstance(event, Progress)]
    assert [event.step for event in progress] == [8, 16, ROWS]


def test_the_losses_are_those_of_a_plain_calculation(evaluated: RunPaths, trained: RunPaths) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    from qlora_ui.data.encoding.tokenizer import load_tokenizer
    from qlora_ui.data.encoding.tokens import encode
    from qlora_ui.data.prepare import load

    tokenizer = load_tokenizer("starter", True)
    rows = [json.loads(line) for line in evaluated.answers.read_text(encoding="utf-8").splitlines()]
    conversations = {c.number: c for c in load(Recipe(sources=(Source(path="starter/heldout"),))).conversations}
    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.float32,
    )
    base = AutoModelForCausalLM.from_pretrained(
        model_location("starter"), quantization_config=nf4, dtype=torch.float32, device_map={"": "cpu"}
    )
    model = PeftModel.from_pretrained(base, str(trained.adapter)).train()  # in eval mode some processors repack NF4
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for row in rows[:3]:
        example = encode(conversations[row["row"]], tokenizer, max_length=1024, train_on="completions")
        ids, labels = torch.tensor([example.input_ids]), torch.tensor([example.labels])
        with torch.no_grad():
            assert model(input_ids=ids, labels=labels).loss.item() == pytest.approx(row["adapter_loss"], abs=1e-4)
            with model.disable_adapter():
                assert model(input_ids=ids, labels=labels).loss.item() == pytest.approx(row["base_loss"], abs=1e-4)
