"""Settings that cannot be used together are named before anything starts, with what to change."""

from __future__ import annotations

from typing import Any

import pytest

from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.parsing import dump_parameters, parse_parameters, parse_yaml
from qlora_ui.contract.records import JobKind

NEEDED: dict[str, Any] = {"model_name": "m", "dataset_path": "d"}


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"method": "int8", "use_dora": True}, "use_dora", "set method to qlora or lora"),
        ({"lora_init": "orthogonal"}, "lora_init", "set method to lora"),
        ({"lora_init": "orthogonal", "method": "lora", "lora_rank": 5}, "lora_init", "an even number"),
        (
            {"target_modules": "q_proj, k_proj", "modules_to_save": "k_proj"},
            "modules_to_save",
            "k_proj would be trained",
        ),
        ({"lr_min_share": 0.1}, "lr_min_share", "belongs to cosine_with_min_lr or warmup_stable_decay or polynomial"),
        ({"lr_restarts": 3}, "lr_restarts", "belongs to cosine_with_restarts"),
        ({"lr_power": 2.0}, "lr_power", "belongs to polynomial"),
        ({"lr_decay_share": 0.1, "lr_scheduler_type": "linear"}, "lr_decay_share", "belongs to warmup_stable_decay"),
        ({"lr_scheduler_type": "constant", "warmup_steps": 5}, "warmup_steps", "constant_with_warmup"),
        ({"max_steps": 10, "warmup_steps": 10}, "warmup_steps", "the warm-up would never end"),
        ({"optimizer": "sgd", "adam_beta1": 0.8}, "adam_beta1", "sgd does not use it"),
        ({"optimizer": "adafactor", "adam_beta2": 0.9}, "adam_beta2", "set it back to 0.999"),
        ({"optimizer": "lion_8bit", "adam_epsilon": 1e-6}, "adam_epsilon", "set it back to 1e-08"),
        (
            {"activation_checkpointing": False, "activation_checkpointing_every": 2},
            "activation_checkpointing_every",
            "off",
        ),
        ({"activation_checkpointing": False, "activation_offload": True}, "activation_offload", "would do nothing"),
    ],
)
def test_a_conflict_is_named_beside_its_knob(values: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_parameters(JobKind.TRAINING, NEEDED | values)
    assert list(caught.value.fields) == [field]
    assert said in caught.value.fields[field]


@pytest.mark.parametrize(
    "values",
    [
        {"method": "lora", "use_dora": True, "lora_init": "orthogonal", "modules_to_save": "embed_tokens"},
        {"optimizer": "lion_8bit", "adam_beta1": 0.95, "adam_beta2": 0.98},
        {"lr_scheduler_type": "warmup_stable_decay", "lr_decay_share": 0.1, "lr_min_share": 0.05, "warmup_steps": 0},
        {"activation_checkpointing_every": 2, "lora_plus_ratio": 16, "neftune_noise_alpha": 5},
    ],
)
def test_what_fits_together_is_taken_and_kept(values: dict[str, Any]) -> None:
    parameters = parse_parameters(JobKind.TRAINING, NEEDED | values)
    assert isinstance(parameters, TrainingParameters)
    assert parse_parameters(JobKind.TRAINING, parse_yaml(dump_parameters(parameters))) == parameters
    assert {name: getattr(parameters, name) for name in values} == values


def test_parameters_of_an_older_run_have_the_defaults() -> None:
    parameters = parse_parameters(JobKind.TRAINING, NEEDED | {"lora_rank": 8})
    assert isinstance(parameters, TrainingParameters)
    assert (parameters.method, parameters.lora_init, parameters.lora_plus_ratio) == ("qlora", "kaiming", None)
