"""What is really in memory: NF4 with double quantisation, or the 4 bits that a checkpoint was saved in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import ModelError, ParameterError
from qlora_ui.contract.events import Log
from qlora_ui.contract.paths import model_location
from tests.worker.test_architectures import (
    adapter_in,
    evaluate_8_rows,
    load_plainly,
    losses_of,
    merge_into,
    scores,
    train_on_8_rows,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("environment", "exact_arithmetic"),
]
FORMATS = [("nf4", True), ("nf4", False), ("fp4", False)]


@pytest.fixture
def exact_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the kernel of some processors that computes in 16 bits."""
    from bitsandbytes.nn import modules

    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)


def save_packed(folder: Path, kind: str, *, double: bool) -> Path:
    """The starter model as the plain library saves it once it is packed; it names bfloat16 to compute with."""
    import torch
    from transformers import AutoTokenizer, BitsAndBytesConfig

    options = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=double,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    starter = Path(model_location("starter"))
    load_plainly(starter, None, quantization_config=options).save_pretrained(folder)
    AutoTokenizer.from_pretrained(starter).save_pretrained(folder)
    return folder


def load_ours(model: Path | str) -> Any:
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.model.loading import load_base

    return load_base(str(model), choose("cpu", "float32"), offline=True)


def packed_layers(model: Any) -> dict[str, Any]:
    from bitsandbytes.nn import Linear4bit

    return {name: module for name, module in model.named_modules() if isinstance(module, Linear4bit)}


def test_original_weights_become_nf4_with_double_quantisation() -> None:
    import torch
    from bitsandbytes.nn import Params4bit

    model = load_ours("starter")
    layers = packed_layers(model)
    assert len(layers) == 7 * model.config.num_hidden_layers, "every linear layer but the head"
    for layer in layers.values():
        state = layer.weight.quant_state
        assert isinstance(layer.weight, Params4bit) and layer.weight.dtype is torch.uint8
        assert layer.weight.numel() == layer.in_features * layer.out_features // 2
        assert (state.quant_type, state.nested, state.blocksize) == ("nf4", True, 64)
        assert state.absmax.dtype is torch.uint8 and state.state2 is not None, "the scales are in 8 bits"
        assert layer.compute_dtype is torch.float32
    assert not any(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(("kind", "double"), FORMATS)
def test_a_packed_checkpoint_is_used_as_it_is(tmp_path: Path, kind: str, double: bool) -> None:
    import torch
    from safetensors.torch import load_file

    folder = save_packed(tmp_path / "model", kind, double=double)
    model = load_ours(folder)
    saved = load_file(folder / "model.safetensors")
    layers = packed_layers(model)
    assert layers
    for name, layer in layers.items():
        state = layer.weight.quant_state
        assert (state.quant_type, state.nested, layer.compute_dtype) == (kind, double, torch.float32)
        assert torch.equal(layer.weight.data.flatten(), saved[f"{name}.weight"].flatten())
        assert torch.equal(state.absmax, saved[f"{name}.weight.absmax"])


@pytest.mark.parametrize(("kind", "double"), FORMATS)
def test_a_packed_checkpoint_is_trained_evaluated_and_merged(tmp_path: Path, kind: str, double: bool) -> None:
    import torch

    folder = save_packed(tmp_path / "model", kind, double=double)
    events = train_on_8_rows(tmp_path, folder)
    losses = losses_of(events)
    assert losses[-1] < losses[0]
    words = f"stored in 4 bits already ({kind.upper()}, {'with' if double else 'without'} double quantisation)"
    assert any(words in event.message for event in events if isinstance(event, Log))
    rows = evaluate_8_rows(tmp_path, folder)
    assert sum(row["adapter_loss"] for row in rows) < sum(row["base_loss"] for row in rows)

    merged = Path(merge_into(tmp_path, folder, "dequantised")["model"])
    assert "quantization_config" not in json.loads((merged / "config.json").read_text(encoding="utf-8"))
    from qlora_ui.worker.model.loading import load_adapter

    ours = load_adapter(load_ours(folder), adapter_in(tmp_path)).eval()
    torch.testing.assert_close(scores(load_plainly(merged, None)), scores(ours), rtol=1e-3, atol=1e-3)


def test_what_has_no_original_weights_is_not_merged_into_them(tmp_path: Path) -> None:
    folder = save_packed(tmp_path / "model", "nf4", double=True)
    with pytest.raises(ParameterError, match=r"stored in 4 bits .*no original weights") as caught:
        merge_into(tmp_path, folder, "original")
    assert caught.value.hint and "target" in caught.value.fields


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ({"quant_method": "gptq", "bits": 4}, r"already quantised \(gptq\)"),
        ({"quant_method": "awq", "bits": 4}, r"already quantised \(awq\)"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, r"already quantised \(8-bit bitsandbytes\)"),
    ],
)
def test_other_ways_of_packing_are_refused_by_name(tmp_path: Path, stored: dict[str, Any], words: str) -> None:
    from transformers import PreTrainedConfig

    from qlora_ui.worker.model.quantisation import stored_packing

    with pytest.raises(ModelError, match=words) as caught:
        stored_packing(PreTrainedConfig(quantization_config=stored), "some/model")
    assert "original weights" in caught.value.hint
