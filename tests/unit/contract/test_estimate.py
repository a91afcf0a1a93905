"""What a training is said to need, without anything of it being run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlora_ui.contract.estimate import DeviceKind, Estimate, Lengths, estimate, trained_parameters
from qlora_ui.contract.model_shape import ModelShape, shape_of, shape_of_folder
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import model_location

LLAMA_3_8B: dict[str, Any] = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "dtype": "bfloat16",
}  # fmt: skip
QWEN3_0_6B: dict[str, Any] = {
    "model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "head_dim": 128,
    "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": 151936, "tie_word_embeddings": True,
}  # fmt: skip
GPT2: dict[str, Any] = {
    "model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257,
}  # fmt: skip


def shape(config: dict[str, Any] = LLAMA_3_8B) -> ModelShape:
    found = shape_of(config)
    assert found is not None
    return found


def chosen(**values: Any) -> TrainingParameters:
    return TrainingParameters(**{"model_name": "m", "dataset_path": "d", **values})


def estimated(device: DeviceKind = "gpu", lengths: Lengths | None = None, **values: Any) -> Estimate:
    return estimate(shape(), chosen(**values), lengths or Lengths(), device)


def term(found: Estimate, name: str) -> int:
    return next(term.bytes for term in found.terms if term.name == name)


@pytest.mark.parametrize(
    ("config", "parameters"), [(LLAMA_3_8B, 8_030_261_248), (QWEN3_0_6B, 596_049_920), (GPT2, 124_439_808)]
)
def test_published_models_have_as_many_parameters_as_their_makers_count(
    config: dict[str, Any], parameters: int
) -> None:
    assert shape(config).parameters == parameters


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "mamba", "hidden_size": 8},
        {"model_type": "llama"},
        {**LLAMA_3_8B, "num_attention_heads": 0},
        {**LLAMA_3_8B, "hidden_size": "wide"},
        {**LLAMA_3_8B, "num_hidden_layers": None},
        {**LLAMA_3_8B, "vocab_size": -1},
    ],
)
def test_a_config_that_does_not_tell_the_shape_has_none(config: dict[str, Any]) -> None:
    assert shape_of(config) is None


def test_a_folder_tells_the_shape_of_its_model(tmp_path: Path) -> None:
    starter = shape_of_folder(Path(model_location("starter")))
    assert starter is not None and starter.parameters == 3_934_464 and not starter.is_float32
    assert shape_of_folder(tmp_path) is None
    for broken in ("{", "[]", json.dumps({"model_type": ["llama"]})):
        (tmp_path / "config.json").write_text(broken, encoding="utf-8")
        assert shape_of_folder(tmp_path) is None, broken


def test_an_adapter_has_two_matrices_at_each_linear_layer() -> None:
    per_block = 2 * (4096 + 4096) + 2 * (4096 + 1024) + 3 * (4096 + 14336)
    assert trained_parameters(shape(), chosen(lora_rank=16)) == 32 * 16 * per_block
    attention = 2 * (4096 + 4096) + 2 * (4096 + 1024)
    assert trained_parameters(shape(), chosen(lora_rank=8, target_modules="attention")) == 32 * 8 * attention
    assert trained_parameters(shape(), chosen(lora_rank=8, target_modules="q_proj, o_proj")) == 32 * 8 * 16384
    assert trained_parameters(shape(), chosen(modules_to_save="lm_head", target_modules="q_proj", lora_rank=1)) == (
        32 * 8192 + 128256 * 4096
    )


@pytest.mark.parametrize(
    ("optimizer", "state"),
    [("adamw_torch", 8), ("adamw_torch_fused", 8), ("adamw_8bit", 2), ("paged_adamw_8bit", 2), ("adafactor", 0)],
)
def test_each_optimiser_keeps_what_it_needs_beside_weights_and_gradients(optimizer: str, state: int) -> None:
    found = estimated(optimizer=optimizer, checkpoints_kept=1)
    assert term(found, "adapter") == found.adapter_parameters * (4 + 4 + state)
    assert found.disk == found.adapter_parameters * (2 * (4 + state) + 4)


def test_the_base_is_held_as_the_method_says() -> None:
    weights = shape().linear_weights
    assert term(estimated(), "weights") == pytest.approx(0.516 * weights, rel=1e-3)
    assert term(estimated(method="int8"), "weights") == weights
    assert term(estimated(method="lora"), "weights") == 2 * weights
    assert term(estimated(device="cpu", method="lora"), "weights") == 4 * weights


def test_only_a_file_that_is_not_converted_stays_in_the_memory_of_a_processor() -> None:
    weights, stored = shape().linear_weights, shape({**LLAMA_3_8B, "dtype": "float32"})
    assert term(estimated("cpu"), "weights") < weights
    assert term(estimate(stored, chosen(), Lengths(), "cpu"), "weights") > 4 * weights
    assert term(estimate(stored, chosen(), Lengths(), "gpu"), "weights") < weights


def test_the_large_ones_need_less_with_checkpointing_and_without_dropout() -> None:
    on, off = (term(estimated(activation_checkpointing=wanted), "activations") for wanted in (True, False))
    assert 5 * on < off
    assert on < term(estimated(activation_checkpointing=True, activation_checkpointing_every=4), "activations") < off
    assert term(estimated(activation_offload=True), "activations") < on
    assert term(estimated(lora_dropout=0.1, activation_checkpointing=False), "activations") > off
    left, without = estimated("cpu"), estimated("cpu", activation_checkpointing=False)
    assert left == without, "a processor does without it unless it is asked for"


def test_a_batch_is_no_longer_than_the_longest_example() -> None:
    short = Lengths(longest=100, tokens=5000)
    found = estimated(lengths=short, max_length=1000)
    assert term(found, "logits") == 4 * 100 * 128256 * 16 and found.tokens_per_epoch == 5000
    assert estimated(lengths=short, max_length=1000, packing=True).memory == estimated(max_length=1000).memory
    assert estimated(lengths=Lengths(longest=5000), max_length=1000).memory == estimated(max_length=1000).memory
    assert estimated().tokens_per_epoch is None


GROWING = st.sampled_from(["lora_rank", "batch_size", "max_length"])


@given(GROWING, st.integers(8, 1000), st.integers(1, 24), st.sampled_from(["cpu", "gpu"]), st.booleans())
def test_more_of_it_never_needs_less(name: str, value: int, more: int, device: DeviceKind, checkpointing: bool) -> None:
    less, greater = (
        estimate(shape(), chosen(**{name: count}, activation_checkpointing=checkpointing), Lengths(), device)
        for count in (value, value + more)
    )
    assert greater.memory > less.memory and greater.disk >= less.disk
    assert all(a.bytes <= b.bytes for a, b in zip(less.terms, greater.terms, strict=True))


@given(st.integers(1, 64))
def test_accumulation_needs_no_memory(batches: int) -> None:
    assert estimated(gradient_accumulation=batches) == estimated(gradient_accumulation=1)
