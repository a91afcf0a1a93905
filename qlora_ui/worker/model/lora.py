"""The adapter on the base model."""

from __future__ import annotations

from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from qlora_ui.contract.adapter_parameters import LoraInit, names_in
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.parameters import TrainingParameters

_INITS: dict[LoraInit, Any] = {"kaiming": True, "gaussian": "gaussian", "orthogonal": "orthogonal"}
_ATTENTION = ("attn", "attention")


def attach_lora(model: PreTrainedModel, parameters: TrainingParameters) -> PeftModel:
    """The base with a fresh adapter, whose weights alone are trained, in float32.

    Raises ParameterError for layers that the model does not have, or that cannot be trained so.
    """
    whole = _whole(model, names_in(parameters.modules_to_save))
    config = LoraConfig(
        r=parameters.lora_rank,
        lora_alpha=parameters.lora_alpha,
        lora_dropout=parameters.lora_dropout,
        use_rslora=parameters.use_rslora,
        use_dora=parameters.use_dora,
        init_lora_weights=_INITS[parameters.lora_init],
        target_modules=_targets(model, parameters.target_modules),
        modules_to_save=whole or None,
        ensure_weight_tying=_are_tied(model, whole),
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()  # small corrections are lost in 16 bits
    return adapted


def linear_names(model: torch.nn.Module) -> list[str]:
    """The last parts of the names of all linear layers, such as `q_proj`, without the output head."""
    return sorted({name.rpartition(".")[2] for name in _linear(model) if not name.endswith("lm_head")})


def _linear(model: torch.nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear | Conv1D)]


def _targets(model: PreTrainedModel, wanted: str) -> str | list[str]:
    if wanted.strip() == "all-linear":
        return "all-linear"
    layers = _linear(model)
    if wanted.strip() == "attention":
        names = sorted({".".join(layer.split(".")[-2:]) for layer in layers if _is_of_attention(layer)})
        problem = "" if names else "none of its linear layers belongs to an attention"
    else:
        names = names_in(wanted)
        absent = [name for name in names if not any(_is_called(layer, name) for layer in layers)]
        problem = f"this model has no linear layer called {', '.join(absent)}" if absent else ""
        problem = problem if names else "no layer is named"
    if problem:
        raise ParameterError(
            f"The adapter cannot be attached: {problem}.",
            f"Its linear layers are {', '.join(linear_names(model))}; or write all-linear.",
            fields={"target_modules": problem},
        )
    return names


def _is_of_attention(layer: str) -> bool:
    """`model.layers.0.self_attn.q_proj`: told by what the layer is a direct part of."""
    return any(word in layer.rpartition(".")[0].rpartition(".")[2].lower() for word in _ATTENTION)


def _is_called(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _whole(model: PreTrainedModel, names: list[str]) -> list[str]:
    """The names (or their ends) of layers that are to be trained themselves. Raises ParameterError unless they can."""
    modules = dict(model.named_modules())
    problem = ""
    for name in names:
        weights = [
            weight for place, module in modules.items() if place.endswith(name) for weight in module.parameters()
        ]
        if not weights:
            problem = f"this model has no layer with weights called {name}"
        elif not all(weight.is_floating_point() for weight in weights):
            problem = f"{name} is held in few bits, and only numbers of 16 bits and more can be trained"
        if problem:
            raise ParameterError(
                f"The layers to train whole cannot be: {problem}.",
                "Name others, such as embed_tokens, lm_head or norm; or set method to lora.",
                fields={"modules_to_save": problem},
            )
    return names


def _are_tied(model: PreTrainedModel, whole: list[str]) -> bool:
    """Whether embeddings and output head are one, and trained: then they have to stay one."""
    ends = {id(end) for end in (model.get_input_embeddings(), model.get_output_embeddings())}
    trained = any(id(module) in ends for place, module in model.named_modules() if place.endswith(tuple(whole) or " "))
    return trained and bool(getattr(model.config, "tie_word_embeddings", False))
