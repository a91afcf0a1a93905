"""A model that was trained with a chat template is evaluated, and merged, with the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import EvaluationReport, JobKind, JobStatus
from tests.worker.conftest import TRAINING, finish, make_run

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def chatml(home: Path) -> RunPaths:
    values = TRAINING | {"max_steps": 2, "evaluations": 0, "chat_template": "chatml"}
    paths = make_run(home, JobKind.TRAINING, values, run_id="chatml")
    finish(paths)
    return paths


def test_an_adapter_is_evaluated_with_the_template_it_was_trained_with(home: Path, chatml: RunPaths) -> None:
    own = base_loss(home, chatml, "own")
    assert own == base_loss(home, chatml, "named", chat_template="chatml")
    assert own != base_loss(home, chatml, "other", chat_template="plain")


def base_loss(home: Path, trained: RunPaths, name: str, **settings: Any) -> float:
    values = {
        "model_name": "starter",
        "adapter_path": str(trained.adapter),
        "dataset_path": "starter/heldout",
        "max_rows": 4,
        "max_new_tokens": 0,
        "device": "cpu",
        "compute_type": "float32",
    }
    paths = make_run(home, JobKind.EVALUATION, values | settings, run_id=f"chatml-{name}")
    assert finish(paths).status is JobStatus.COMPLETED
    return EvaluationReport.model_validate_json(paths.evaluation.read_bytes()).base.loss.value


def test_the_template_beside_an_adapter_is_found(tmp_path: Path) -> None:
    from qlora_ui.worker.data import adapters_tokenizer

    own = adapters_tokenizer("starter", "", True).chat_template
    assert adapters_tokenizer("starter", tmp_path / "absent", True).chat_template == own
    template = "{% for m in messages %}{{ m.content + eos_token }}{% endfor %}"
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}), encoding="utf-8")
    assert adapters_tokenizer("starter", tmp_path, True).chat_template == template
    assert adapters_tokenizer("starter", tmp_path, True, "plain").chat_template not in (template, own)
    (tmp_path / "chat_template.jinja").write_text(template + "\n{# newer #}", encoding="utf-8")
    assert adapters_tokenizer("starter", tmp_path, True).chat_template == template + "\n{# newer #}"
