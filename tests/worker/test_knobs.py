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
    from qlora_ui.worker.model.loading import load_base
    from qlora_ui.worker.model.lora import attach_lora

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
    from qlora_ui.worker.model import base_format

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
    for method, inits in (("qlora", ("kaiming", "gaussian")), ("lora", ("kaiming", "gaussian", "orthogonal"))):
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
    model = adapted(method="lora", modules_to_save="q_proj")
    assert "q_proj" not in trained_names(model), "it needs no adapter"
    assert any("q_proj" in name for name, weight in model.named_parameters() if weight.requires_grad)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"modules_to_save": "q_proj", "target_modules": "v_proj"}, "q_proj is held in few bits"),
        ({"modules_to_save": "nothing"}, "no layer with weights called nothing"),
    ],
)
def test_layers_that_cannot_be_trained_whole_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said) as caught:
        adapted(**values)
    assert "modules_to_save" in caught.value.fields


def trainer_of(folder: Path, steps: int = 20, **values: Any) -> Any:
    """The Trainer as a training has it, with its optimiser and schedule."""
    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.training.plan import Plan
    from qlora_ui.worker.training.trainer import QloraTrainer, arguments_of

    parameters = told(max_steps=steps, **values)
    plan = Plan.of(parameters, 10_000, False)
    arguments = arguments_of(folder, parameters, plan, choose("cpu", "float32"))
    model = adapted(**{name: values[name] for name in ("method", "modules_to_save") if name in values})
    trainer = QloraTrainer(model, arguments, lora_plus_ratio=parameters.lora_plus_ratio)
    trainer.create_optimizer_and_scheduler(plan.total_steps)
    return trainer


def rates(trainer: Any, steps: int = 20) -> list[float]:
    """The learning rate of the first group at each step, from 0, as a share of the highest."""
    return [trainer.lr_scheduler.lr_lambdas[0](step) for step in range(steps + 1)]


@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("adamw_torch", "AdamW", {"fused": None}),
        ("adamw_torch_fused", "AdamW", {"fused": True}),
        ("adamw_8bit", "AdamW", {"optim_bits": 8, "is_paged": False}),
        ("paged_adamw_8bit", "AdamW", {"optim_bits": 8, "is_paged": True}),
        ("paged_adamw_32bit", "AdamW", {"optim_bits": 32, "is_paged": True}),
        ("adafactor", "Adafactor", {}),
        ("ademamix", "AdEMAMix", {"optim_bits": 32}),
        ("ademamix_8bit", "AdEMAMix", {"optim_bits": 8}),
        ("lion_32bit", "Lion", {"optim_bits": 32}),
        ("lion_8bit", "Lion", {"optim_bits": 8, "is_paged": False}),
        ("paged_lion_8bit", "Lion", {"optim_bits": 8, "is_paged": True}),
        ("rmsprop", "RMSprop", {}),
        ("adagrad", "Adagrad", {}),
        ("sgd", "SGD", {}),
    ],
)
def test_each_optimiser_is_the_named_one_and_moves_the_adapter(
    tmp_path: Path, name: str, kind: str, settings: dict[str, Any]
) -> None:
    import torch

    optimizer = trainer_of(tmp_path, optimizer=name, weight_decay=0.25, learning_rate=1e-2, warmup_share=0).optimizer
    assert type(optimizer).__name__ == kind
    group = optimizer.param_groups[0]
    arguments = getattr(getattr(optimizer, "args", None), "__dict__", {})
    known = group | arguments | {"is_paged": getattr(optimizer, "is_paged", False)}
    assert {setting: known[setting] for setting in settings} == settings
    assert group["weight_decay"] == 0.25 and group["lr"] == 1e-2
    weight = group["params"][0]
    before = weight.detach().clone()
    for one in group["params"]:
        one.grad = torch.ones_like(one)
    optimizer.step()
    assert not torch.equal(weight, before)


def test_the_optimisers_own_numbers(tmp_path: Path) -> None:
    adamw = trainer_of(tmp_path, adam_beta1=0.8, adam_beta2=0.9, adam_epsilon=1e-6).optimizer
    assert adamw.param_groups[0]["betas"] == (0.8, 0.9) and adamw.param_groups[0]["eps"] == 1e-6
    lion = trainer_of(tmp_path, optimizer="lion_32bit", adam_beta1=0.8, adam_beta2=0.9).optimizer
    assert tuple(lion.param_groups[0]["betas"])[:2] == (0.8, 0.9)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"lr_scheduler_type": "linear"}, {4: 1, 12: 0.5, 20: 0}),
        ({"lr_scheduler_type": "cosine"}, {4: 1, 12: 0.5, 20: 0}),
        ({"lr_scheduler_type": "constant"}, {0: 1, 20: 1}),
        ({"lr_scheduler_type": "constant_with_warmup"}, {2: 0.5, 4: 1, 20: 1}),
        ({"lr_scheduler_type": "cosine_with_restarts"}, {8: 0.5, 12: 1, 16: 0.5}),
        ({"lr_scheduler_type": "cosine_with_restarts", "lr_restarts": 1}, {12: 0.5, 20: 0}),
        ({"lr_scheduler_type": "cosine_with_min_lr"}, {4: 1, 12: 0.55, 20: 0.1}),
        ({"lr_scheduler_type": "cosine_with_min_lr", "lr_min_share": 0.5}, {12: 0.75, 20: 0.5}),
        ({"lr_scheduler_type": "polynomial"}, {4: 1, 12: 0.25, 20: 0}),
        ({"lr_scheduler_type": "polynomial", "lr_power": 1, "lr_min_share": 0.2}, {12: 0.6, 20: 0.2}),
        ({"lr_scheduler_type": "inverse_sqrt"}, {4: 1, 16: 0.5}),
        ({"lr_scheduler_type": "warmup_stable_decay"}, {4: 1, 16: 1, 18: 0.5, 20: 0}),
        (
            {"lr_scheduler_type": "warmup_stable_decay", "lr_decay_share": 0.5, "lr_min_share": 0.2},
            {4: 1, 10: 1, 15: 0.6, 20: 0.2},
        ),
    ],
)
def test_each_schedule_has_its_values(tmp_path: Path, values: dict[str, Any], expected: dict[int, float]) -> None:
    warm = {} if values["lr_scheduler_type"] == "constant" else {"warmup_steps": 4}
    got = rates(trainer_of(tmp_path, learning_rate=3e-3, **values, **warm))
    assert {step: got[step] for step in expected} == pytest.approx(expected, abs=1e-9)


def test_warmup_steps_take_the_place_of_the_share(tmp_path: Path) -> None:
    from qlora_ui.worker.training.plan import Plan

    assert rates(trainer_of(tmp_path, warmup_share=0.5)).index(1.0) == 10
    assert rates(trainer_of(tmp_path, warmup_share=0.5, warmup_steps=5)).index(1.0) == 5
    assert rates(trainer_of(tmp_path, warmup_share=0.5, warmup_steps=0))[0] == 1
    with pytest.raises(ParameterError, match="10 steps is too long") as caught:
        Plan.of(told(num_train_epochs=1, warmup_steps=10), 160, False)
    assert Plan.of(told(num_train_epochs=1, warmup_steps=9), 160, False).warmup_steps == 9
    assert "warmup_steps" in caught.value.fields


def test_the_second_matrices_learn_faster_with_lora_plus(tmp_path: Path) -> None:
    values: dict[str, Any] = {"learning_rate": 1e-3, "lora_plus_ratio": 16, "warmup_steps": 4, "weight_decay": 0.1}
    trainer = trainer_of(tmp_path, modules_to_save="norm", **values)
    names = {id(weight): name for name, weight in trainer.model.named_parameters()}
    groups = trainer.optimizer.param_groups
    trained = {names[id(weight)]: group["initial_lr"] for group in groups for weight in group["params"]}
    assert len(trained) == sum(weight.requires_grad for weight in trainer.model.parameters())
    assert all(rate == pytest.approx(1.6e-2 if "lora_B" in name else 1e-3) for name, rate in trained.items())
    assert {g["initial_lr"]: g["lr"] for g in groups} == {1e-3: 0, 1.6e-2: 0}, "all are warmed up"
    assert groups[0]["weight_decay"] == 0.1


def test_batches_of_similar_length_unless_chance_is_to_decide() -> None:
    from qlora_ui.data.encoding.tokens import Example
    from qlora_ui.worker.batches import ShuffledRows

    rows = [Example([1] * length, [1] * length) for length in range(2, 66)]
    padded = {by: ShuffledRows(rows, 4, 0, by_length=by).size(0, 16) for by in (True, False)}
    assert padded[True].tokens == padded[False].tokens == sum(range(2, 66))
    assert padded[True].places < 1.1 * padded[True].tokens < 1.3 * padded[True].tokens < padded[False].places


@pytest.mark.parametrize(
    ("values", "layers"),
    [
        ({}, 0),
        ({"activation_checkpointing": True}, 4),
        ({"activation_checkpointing_every": 2}, 2),
        ({"activation_checkpointing": True, "activation_checkpointing_every": 3}, 2),
    ],
)
def test_which_layers_are_computed_twice(tmp_path: Path, values: dict[str, Any], layers: int) -> None:
    import torch
    from transformers.modeling_layers import GradientCheckpointingLayer

    trainer = trainer_of(tmp_path, steps=1, **values)
    trainer.train_dataset = [{"input_ids": torch.arange(5, 25), "labels": torch.arange(5, 25)}] * 16
    trainer.train()
    found = [module for module in trainer.model.modules() if isinstance(module, GradientCheckpointingLayer)]
    assert len(found) == 4 and sum(module.gradient_checkpointing for module in found) == layers


def test_a_processor_has_nowhere_to_move_activations_to(tmp_path: Path) -> None:
    from dataclasses import replace

    from qlora_ui.worker.devices import choose
    from qlora_ui.worker.training.plan import Plan
    from qlora_ui.worker.training.trainer import wanted_training

    with pytest.raises(ParameterError, match="cannot be moved off") as caught:
        trainer_of(tmp_path, activation_offload=True)
    assert "activation_offload" in caught.value.fields
    parameters = told(activation_offload=True)
    gpu = replace(choose("cpu", "float32"), torch_name="cuda:0")
    asked = wanted_training(parameters, Plan.of(parameters, 100, False), gpu)
    assert asked["activation_checkpointing"] and asked["activation_checkpointing_kwargs"]["offload"]
