"""A merged model is an ordinary one, and it is proved to agree with its adapter before it gets its name."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from qlora_ui.contract.errors import MergeError, WorkspaceError
from qlora_ui.contract.parameters import MergeParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import ExitRecord, JobKind, JobStatus, MergeReceipt
from tests.worker.conftest import finish, make_run, start

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def new_merge(home: Path, trained: RunPaths, run_id: str, **values: Any) -> RunPaths:
    settings = {"model_name": "starter", "adapter_path": str(trained.adapter), "device": "cpu"} | values
    return make_run(home, JobKind.MERGE, settings, run_id=run_id)


def test_into_the_dequantised_base(home: Path, trained: RunPaths) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    printed = trained.console.read_text(encoding="utf-8")
    assert "kernels-community" not in printed and "FutureWarning" not in printed
    paths = new_merge(home, trained, "merged")
    assert finish(paths).status is JobStatus.COMPLETED
    receipt = MergeReceipt.model_validate_json(paths.receipt.read_bytes())
    assert receipt.passed
    assert receipt.rows == 12 and receipt.tokens > 200  # the sentences that come along
    assert receipt.kl <= 1e-4
    assert receipt.top1_agreement >= receipt.top1_limit
    assert receipt.loss_merged == pytest.approx(receipt.loss_adapter, abs=5e-3)
    folder = Path(receipt.output_dir)
    assert folder == Workspace(home).models / "trained-merged"
    assert "quantization_config" not in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = AutoModelForCausalLM.from_pretrained(str(folder))
    assert model.dtype is torch.bfloat16
    assert not any("lora" in name or "absmax" in name for name in model.state_dict())


def test_into_the_original_base(home: Path, trained: RunPaths, tmp_path: Path) -> None:
    """It differs from the 4-bit weights, for so small a model near the limit: what the proof says must be kept to."""
    output = tmp_path / "out"
    paths = new_merge(
        home,
        trained,
        "original",
        target="original",
        save_type="float32",
        output_dir=str(output),
        dataset_path="starter/heldout",
        max_rows=8,
    )
    code = start(paths).wait(timeout=240)
    receipt = MergeReceipt.model_validate_json(paths.receipt.read_bytes())
    ending = ExitRecord.model_validate_json(paths.exit.read_bytes())
    assert 1e-5 < receipt.kl < 0.5 and receipt.target == "original"
    assert receipt.passed == (receipt.kl <= receipt.kl_limit and receipt.top1_agreement >= receipt.top1_limit)
    assert (ending.status is JobStatus.COMPLETED) == receipt.passed == (code == 0)
    assert Path(receipt.output_dir) == (output if receipt.passed else tmp_path / "out-unverified")
    assert (Path(receipt.output_dir) / "tokenizer.json").is_file()


def test_a_failed_proof_keeps_the_receipt_and_names_the_model_unverified(tmp_path: Path) -> None:
    from qlora_ui.worker.context import Context
    from qlora_ui.worker.merge import _conclude

    receipt = MergeReceipt(
        rows=1, tokens=9, kl=0.5, top1_agreement=0.4, loss_adapter=1.0, loss_merged=3.0, kl_limit=1e-3,
        top1_limit=0.99, passed=False, output_dir="", save_type="bfloat16", target="dequantised",
    )  # fmt: skip
    paths = Workspace(tmp_path).run("failed")
    temporary = tmp_path / "models" / ".new.tmp"
    for folder in (paths.folder, temporary):
        folder.mkdir(parents=True)
    context = cast(Context, SimpleNamespace(paths=paths))
    parameters = MergeParameters(model_name="starter", adapter_path="a")
    with pytest.raises(MergeError, match="does not agree with its adapter"):
        _conclude(context, parameters, receipt, temporary, tmp_path / "models" / "new")
    assert [folder.name for folder in (tmp_path / "models").iterdir()] == ["new-unverified"]
    assert not MergeReceipt.model_validate_json(paths.receipt.read_bytes()).passed


def test_a_proof_in_16_bits_allows_for_its_own_rounding() -> None:
    import torch

    from qlora_ui.worker.merge import LIMITS, limits

    assert limits("dequantised", torch.float32) == LIMITS["dequantised"]
    assert limits("dequantised", torch.bfloat16) == (5e-3, 0.97)
    assert limits("original", torch.bfloat16) == LIMITS["original"], "which is wider already"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    from qlora_ui.worker.context import Context
    from qlora_ui.worker.merge import _output

    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    parameters = MergeParameters(model_name="starter", adapter_path="a", output_dir=str(tmp_path))
    with pytest.raises(WorkspaceError, match="is not empty"):
        _output(cast(Context, None), parameters)
    failed = tmp_path / "new-unverified"
    failed.mkdir()
    (failed / "model.safetensors").touch()
    with pytest.raises(WorkspaceError, match="new-unverified is not empty"):
        _output(cast(Context, None), parameters.model_copy(update={"output_dir": str(tmp_path / "new")}))
