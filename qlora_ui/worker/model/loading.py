"""The base model, in few bits or as it is computed with, and a finished adapter on it."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from bitsandbytes.nn import Linear4bit
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from qlora_ui.contract.adapter_parameters import Method
from qlora_ui.contract.errors import ModelError, ParameterError
from qlora_ui.contract.paths import model_location
from qlora_ui.worker.devices import Device
from qlora_ui.worker.model.base_format import BITS, layers_held, quantisation_of
from qlora_ui.worker.model.loading_errors import explain
from qlora_ui.worker.model.quantisation import compute_in, stored_packing


def load_base(model_name: str, device: Device, *, offline: bool, method: Method = "qlora") -> PreTrainedModel:
    """The frozen base model on its device, in the number format of the method, or in 4 bits as it was saved.

    Raises ModelError and ParameterError with what to do about it.
    """
    config = check_model(model_name, offline=offline)
    if stored_packing(config, model_name):
        _require_4_bits(model_name, method)
        compute_in(config, device.dtype)
        model = load_weights(model_name, device, offline=offline, config=config)
    else:
        model = load_weights(model_name, device, offline=offline, **quantisation_of(method, device))
    if method in BITS and not layers_held(model, method):
        raise ModelError(
            f"No layer of {model_name} could be put into {BITS[method]} bits.",
            "Choose a model that is built from linear layers, such as one of the Llama or Qwen families.",
        )
    keep_layout(model)
    # Not peft's prepare_model_for_kbit_training: it would turn embeddings and head into float32, a quarter more memory.
    model.requires_grad_(False)
    return model


def load_weights(model_name: str, device: Device, *, offline: bool, **options: Any) -> PreTrainedModel:
    """A causal language model from safetensors, without any code of its own. Raises ModelError."""
    location = model_location(model_name)
    check_model(model_name, offline=offline)
    try:
        model, report = AutoModelForCausalLM.from_pretrained(
            location,
            dtype=device.dtype,
            device_map={"": device.torch_name},
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=offline or Path(location).is_dir(),
            output_loading_info=True,
            **options,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        if "out of memory" in str(error):
            raise
        raise explain(model_name, error) from error
    if absent := sorted(report["missing_keys"]):
        # The library fills them with random numbers and only logs it: everything after that would be nonsense.
        raise ModelError(
            f"The model {model_name} lacks {len(absent):,} of its weights, such as {absent[0]}.",
            "Download or copy the model again.",
        )
    return cast(PreTrainedModel, model)


def _require_4_bits(model_name: str, method: Method) -> None:
    if method != "qlora":
        raise ParameterError(
            f"{model_name} is stored in 4 bits, so it cannot be held in another number format.",
            "Set method to qlora, or choose the model with its original weights.",
            fields={"method": "this model is stored in 4 bits: set it to qlora"},
        )


def load_adapter(model: PreTrainedModel, folder: Path) -> PeftModel:
    """The base with a finished adapter, for reading only. Raises ModelError."""
    if not (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{folder} holds no adapter: it has no adapter_config.json.",
            "Choose the folder of a finished adapter, such as `adapter` in a run folder.",
        )
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(
            f"The adapter in {folder} has no adapter_model.safetensors.",
            "Adapters are read from safetensors only; convert this one, or train it anew.",
        )
    try:
        with warnings.catch_warnings():
            # peft only warns of absent weights and goes on with random ones
            warnings.filterwarnings("error", message="Found missing adapter keys")
            adapted: PeftModel = PeftModel.from_pretrained(model, str(folder), is_trainable=False)
    except (RuntimeError, ValueError, OSError, KeyError, TypeError, UserWarning, SafetensorError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"The adapter in {folder} does not fit this base model: {first}",
            "Choose the base model that the adapter was trained on; adapter_config.json names it.",
        ) from error
    return adapted


def check_model(model_name: str, *, offline: bool) -> PreTrainedConfig:
    """A model's config, looked at before its weights are read. Raises ModelError for what can be known from it."""
    location = model_location(model_name)
    folder = Path(location)
    if folder.is_dir():
        _check_folder(folder)
    elif _looks_like_path(model_name):
        raise ModelError(f"The model folder {model_name} does not exist.", "Check the path.")
    try:
        config: PreTrainedConfig = AutoConfig.from_pretrained(
            location, trust_remote_code=False, local_files_only=offline or folder.is_dir()
        )
    except (OSError, ValueError, KeyError) as error:
        raise explain(model_name, error) from error
    stored_packing(config, model_name)
    return config


def count_parameters(model_name: str, *, offline: bool) -> int:
    """How many weights a model has, from its config alone. Raises ModelError."""
    config = check_model(model_name, offline=offline)
    with torch.device("meta"):
        return int(AutoModelForCausalLM.from_config(config).num_parameters())


def close_hub() -> None:
    """Ask the hub nothing more: peft would, at each checkpoint, to learn what is known since the model was loaded."""
    os.environ["HF_HUB_OFFLINE"] = "1"


def keep_layout(model: torch.nn.Module) -> None:
    """Stop bitsandbytes from repacking 4-bit weights for its AVX512-BF16 kernel.

    On such processors the first forward pass in eval mode repacks them for good, and from then on the layer passes no
    gradient back: training goes on, silently wrong. Evaluation in between would do exactly that.
    """
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def share_in_4_bits(model: torch.nn.Module) -> float:
    """The share of the weights, embeddings and output head aside, that is packed into 4 bits.

    Only linear layers are. The experts of a mixture may be one large tensor instead, which stays as it is.
    """
    quantised = {name: module for name, module in model.named_modules() if isinstance(module, Linear4bit)}
    packed: int = sum(module.in_features * module.out_features for module in quantised.values())
    ends = (getattr(model, name)() for name in ("get_input_embeddings", "get_output_embeddings"))
    vocabulary = {id(end.weight) for end in ends if end is not None}
    plain: int = sum(
        weight.numel()
        for name, weight in model.named_parameters()
        if name.rpartition(".")[0] not in quantised and id(weight) not in vocabulary
    )
    return packed / max(1, packed + plain)


def _check_folder(folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        hint = "It holds an adapter; choose its base model here." if (folder / "adapter_config.json").is_file() else ""
        raise ModelError(
            f"The model folder {folder} has no config.json.",
            hint or "Choose the folder that holds config.json, the tokenizer and the safetensors files of a model.",
        )
    try:
        json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{config} cannot be read: {error}.", "Download or copy the model again.") from None
    if not any(folder.glob("*.safetensors")):
        unsafe = any(folder.glob("*.bin")) or any(folder.glob("*.pth")) or any(folder.glob("*.pt"))
        raise ModelError(
            f"The model folder {folder} has no safetensors file"
            + (", only pickled weights, which may run code when they are read." if unsafe else "."),
            "Choose a model that is stored as safetensors, or convert this one.",
        )


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~", "\\")) or name.count("/") > 1
