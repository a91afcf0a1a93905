"""The counts that are read from a config are those of the model that the library builds from it."""

from __future__ import annotations

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from qlora_ui.contract.estimate import trained_parameters
from qlora_ui.contract.model_shape import shape_of
from qlora_ui.contract.parameters import TrainingParameters

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
SIZES = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 112, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "pad_token_id": 0,
}  # fmt: skip
CONFIGS = {
    "Llama": SIZES,
    "Llama with biases": SIZES | {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True},
    "Mistral": SIZES | {"head_dim": 32},
    "Qwen2": SIZES,
    "Qwen3": SIZES | {"head_dim": 32, "tie_word_embeddings": True},
    "Gemma3Text": SIZES | {"head_dim": 32},
    "Phi3": SIZES,
    "GPTNeoX": SIZES,
    "GPT2": {"vocab_size": 320, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 48},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_parameters_are_counted_as_the_library_makes_them(name: str) -> None:
    config = getattr(transformers, f"{name.split()[0]}Config")(**CONFIGS[name])
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shape = shape_of(config.to_dict())
    assert shape is not None
    assert shape.parameters == model.num_parameters()
    head = model.get_output_embeddings()
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear) or type(m).__name__ == "Conv1D"]
    assert shape.linear_weights == sum(layer.weight.numel() for layer in layers if layer is not head)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "GPT2"])
@pytest.mark.parametrize("use_dora", [False, True])
def test_an_adapter_is_counted_as_peft_makes_it(name: str, use_dora: bool) -> None:
    config = getattr(transformers, f"{name.split()[0]}Config")(**CONFIGS[name])
    shape = shape_of(config.to_dict())
    assert shape is not None
    model = AutoModelForCausalLM.from_config(config)
    made = LoraConfig(r=6, target_modules="all-linear", use_dora=use_dora, task_type="CAUSAL_LM")
    trainable, _total = get_peft_model(model, made).get_nb_trainable_parameters()
    wanted = TrainingParameters(model_name="m", dataset_path="d", lora_rank=6, use_dora=use_dora)
    assert trained_parameters(shape, wanted) == trainable
