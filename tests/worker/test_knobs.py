"""Every knob of adapter, optimiser and schedule is changed, and its effect is looked for where the training happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qlora_ui.contract.errors import DeviceError, ParameterError
from qlora_ui.contract.parameters import TrainingParameters

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.usefixtures("environment"),
]


def told(**values: Any) -> TrainingParameters:
    return TrainingParameters(model_name="starter", dataset_path="starter", **values)


def adapted(**values: Any) -> Any:
    """The starter with the adapter that these settings ask for."""
    import torch

    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.loading import load_base
    from qlora_ui.worker.lora import attach_lora

    parameters = told(**values)
    torch.manual_seed(0)
    base = load_base("starter", choose("cpu", "float32"), offline=True, method=parameters.method)
    return attach_lora(base, parameters)


def trained_names(model: Any) -> set[str]:
    """The last parts of the names of the layers that have an adapter."""
    return {name.split(".lora_A")[0].rpartition(".")[2] for name, _ in model.named_parameters() if ".lora_A" in name}


@pytest.mark.parametrize(
    ("method", "kind", "layers"), [("qlora", "Linear4bit", 28), ("int8", "Linear8bitLt", 28), ("lora", "Linear", 28)]
)
def test_the_method_decides_how_the_base_is_held(method: str, kind: str, layers: int) -> None:
    import torch

    model = adapted(method=method)
    held = [module.base_layer for module in model.modules() if hasattr(module, "base_layer")]
    assert [type(layer).__name__ for layer in held] == [kind] * layers
    loss = model(input_ids=torch.arange(5, 25)[None], labels=torch.arange(5, 25)[None]).loss
    loss.backward()
    gradients = [weight.grad for name, weight in model.named_parameters() if "lora_B" in name]
    assert len(gradients) == layers and all(bool(g.isfinite().all()) and float(g.abs().sum()) > 0 for g in gradients)


def test_a_device_without_layers_in_8_bits_is_told_of_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from qlora_ui.worker import base_format

    def broken(*arguments: Any, **options: Any) -> Any:
        raise NotImplementedError("int8_linear_matmul")

    monkeypatch.setattr(base_format, "Linear8bitLt", broken)
    with pytest.raises(DeviceError, match="8 bits do not work on cpu") as caught:
        adapted(method="int8")
    assert "qlora" in caught.value.hint


def test_the_shape_of_the_adapter() -> None:
    model = adapted(lora_rank=4, lora_alpha=12, lora_dropout=0.3, use_rslora=True)
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    assert layer.lora_A["default"].weight.shape[0] == 4
    assert layer.scaling["default"] == pytest.approx(12 / 4**0.5)
    assert layer.lora_dropout["default"].p == 0.3


def test_where_adapters_go() -> None:
    attention = {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert trained_names(adapted()) == attention | {"gate_proj", "up_proj", "down_proj"}
    assert trained_names(adapted(target_modules="attention")) == attention
    assert trained_names(adapted(target_modules="q_proj, v_proj")) == {"q_proj", "v_proj"}
    with pytest.raises(ParameterError, match="no linear layer called x_proj"):
        adapted(target_modules="q_proj, x_proj")


def test_dora_trains_lengths_besides_directions() -> None:
    lengths = [weight for name, weight in adapted(use_dora=True).named_parameters() if "magnitude" in name]
    assert len(lengths) == 28 and all(weight.requires_grad for weight in lengths)
    assert not any("magnitude" in name for name, _ in adapted().named_parameters())


def test_the_adapter_begins_with_the_chosen_numbers_and_without_effect() -> None:
    import torch

    ids = torch.arange(5, 25)[None]
    for method, inits in (("qlora", ("default", "gaussian")), ("lora", ("default", "gaussian", "orthogonal"))):
        spreads = set()
        for init in inits:
            model = adapted(method=method, lora_init=init)
            spreads.add(float(model.base_model.model.model.layers[0].self_attn.q_proj.lora_A["default"].weight.std()))
            with torch.no_grad():
                ours = model(input_ids=ids).logits
                with model.disable_adapter():
                    assert torch.allclose(model(input_ids=ids).logits, ours, atol=1e-4), init
        assert len(spreads) == len(inits)


def test_layers_trained_whole_stay_tied(tmp_path: Path) -> None:
    model = adapted(modules_to_save="embed_tokens, norm")
    whole = {name for name, weight in model.named_parameters() if weight.requires_grad and "lora" not in name}
    assert sum("embed_tokens" in name for name in whole) == 1, "head and embeddings are one and stay one"
    assert any("model.norm" in name for name in whole)
    assert model.get_input_embeddings().weight is model.base_model.model.get_output_embeddings().weight


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"modules_to_save": "q_proj", "target_modules": "v_proj"}, "q_proj is held in few bits"),
        ({"modules_to_save": "nothing"}, "no layer with weights called nothing"),
        ({"modules_to_save": "q_proj", "method": "lora"}, "an adapter goes to q_proj too"),
    ],
)
def test_layers_that_cannot_be_trained_whole_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        adapted(**values)
    assert "modules_to_save" in caught.value.fields
