"""What the knobs of the adapter keep: whole trainings with them are resumed, loaded by plain PEFT and merged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import MergeError
from qlora_ui.contract.events import Event, Facts, Metric
from qlora_ui.contract.parameters import MergeParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import JobKind, JobRecord, MergeReceipt, now
from tests.worker.here import Run, curve, of

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("environment"),
]

COMBINATIONS: dict[str, dict[str, Any]] = {
    "lora-plus": {
        "method": "lora", "lora_plus_ratio": 4, "neftune_noise_alpha": 5, "lora_init": "orthogonal",
        "lr_scheduler_type": "warmup_stable_decay", "lr_decay_share": 0.5, "warmup_steps": 2,
    },
    "dora": {
        "use_dora": True, "modules_to_save": "embed_tokens, norm", "optimizer": "lion_8bit", "learning_rate": 1e-4,
        "lr_scheduler_type": "cosine_with_restarts", "activation_checkpointing_every": 2,
    },
    "int8": {
        "method": "int8", "use_rslora": True, "target_modules": "attention", "optimizer": "ademamix_8bit",
        "lr_scheduler_type": "polynomial", "group_by_length": False,
    },
}  # fmt: skip
"""Between them all that has a state of its own, and each number format of the base."""


@pytest.fixture(scope="module", params=COMBINATIONS)
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    return COMBINATIONS[request.param] | {"lora_rank": 8, "num_train_epochs": 2, "evaluations": 2}


@pytest.fixture(scope="module")
def undisturbed(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("home"), "undisturbed", **values)
    run.attempt()
    return run


def test_resumed_it_goes_on_as_if_nothing_had_been(undisturbed: Run, values: dict[str, Any], tmp_path: Path) -> None:
    run = Run(tmp_path, **values)
    run.attempt(stop_at=lambda event: isinstance(event, Metric) and event.step == 5)
    run.attempt(2)
    for name in ("loss", "learning_rate", "grad_norm", "eval_loss"):
        expected, got = curve(undisturbed.events, name), curve(run.events, name)
        assert list(got) == list(expected) and len(got) >= 2, name
        assert got == pytest.approx(expected, rel=1e-4, abs=1e-4), name


def test_the_adapter_loads_in_plain_peft_and_merges(undisturbed: Run, tmp_path: Path) -> None:
    """Plain PEFT on the base as the method holds it gives the evaluation loss that the training reported."""
    import torch
    from peft import PeftModel

    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.model.adapters import method_of
    from qlora_ui.worker.model.loading import load_adapter, load_base

    method = undisturbed.parameters.method
    assert method_of(undisturbed.paths.adapter) == method
    ids = torch.arange(5, 45)[None]
    with torch.no_grad():
        plain, ours = (
            load(load_base("starter", choose("cpu", "float32"), offline=True, method=method), undisturbed.paths.adapter)
            .eval()(input_ids=ids)
            .logits
            for load in (PeftModel.from_pretrained, load_adapter)
        )
    assert torch.equal(plain, ours)
    receipt = merged(tmp_path, undisturbed.paths)
    assert receipt.passed
    assert receipt.kl <= (5e-3 if method == "int8" else 1e-4), "layers in 8 bits round their inputs as well"
    assert receipt.loss_adapter == pytest.approx(receipt.loss_merged, abs=1e-2)


def test_the_run_says_how_its_base_was_held(undisturbed: Run) -> None:
    facts = {name: value for event in of(Facts, undisturbed.events) for name, value in event.values.items()}
    method = undisturbed.parameters.method
    assert facts["layers_in_4_bits"] == (28 if method == "qlora" else 0)
    assert facts["layers_in_8_bits"] == (28 if method == "int8" else 0)


def test_noise_on_the_input_changes_the_training_and_not_the_evaluation(tmp_path: Path) -> None:
    losses = {}
    for name, alpha in (("without", None), ("with", 5), ("again", 5)):
        run = Run(tmp_path, name, neftune_noise_alpha=alpha, max_steps=2, evaluations=1, lora_dropout=0)
        run.attempt()
        losses[name] = (curve(run.events)[1], curve(run.events, "eval_loss")[0])
    assert losses["without"][0] != pytest.approx(losses["with"][0], abs=1e-3)
    assert losses["without"][1] == pytest.approx(losses["with"][1], abs=1e-6), "before the first step all are the base"
    assert losses["with"] == losses["again"], "the same seed makes the same noise"


def merged(home: Path, training: RunPaths) -> MergeReceipt:
    from qlora_ui.worker.context import Context
    from qlora_ui.worker.control import Control
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.merge import merge

    paths = Workspace(home).run("merge")
    paths.folder.mkdir(parents=True)
    parameters = MergeParameters(
        model_name="starter", adapter_path=str(training.adapter), device="cpu", save_type="float32"
    )
    record = JobRecord(id="merge", kind=JobKind.MERGE, name="merge", created_at=now(), queued_at=now(), attempt=1)
    said: list[Event] = []
    context = Context(paths, Workspace(home), record, parameters, said.append, Control(paths.command, 1), True)
    try:
        merge(context, choose("cpu", "float32"))
    except MergeError as error:
        raise AssertionError(str(error)) from error
    return MergeReceipt.model_validate_json(paths.receipt.read_bytes())


def test_a_checkpoint_is_scored_on_the_base_that_it_was_trained_on(tmp_path: Path) -> None:
    """It has no card of its own: the run knows. Of an adapter from elsewhere, 4 bits are supposed."""
    from qlora_ui.contract.parsing import dump_parameters
    from qlora_ui.worker.model.adapters import CARD, method_of

    run = Run(tmp_path, method="lora")
    checkpoint, elsewhere = run.paths.checkpoints / "checkpoint-5", tmp_path / "elsewhere"
    for folder in (checkpoint, elsewhere):
        folder.mkdir(parents=True)
    assert method_of(checkpoint) == "qlora"
    run.paths.parameters.write_text(dump_parameters(run.parameters), encoding="utf-8")
    assert method_of(checkpoint) == "lora"
    assert method_of(elsewhere) == "qlora"
    (elsewhere / CARD).write_text('{"parameters": {"method": "int8"}}', encoding="utf-8")
    assert method_of(elsewhere) == "int8"
    (elsewhere / CARD).write_text('{"parameters": {"method": "full"}}', encoding="utf-8")
    assert method_of(elsewhere) == "qlora"
