"""How the weights of a base model are packed: by us into NF4, or already in the checkpoint, which is used as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from transformers import BitsAndBytesConfig, PreTrainedConfig, PreTrainedModel
from transformers.integrations.bitsandbytes import Bnb4bitDeserialize
from transformers.pytorch_utils import Conv1D

from qlora_ui.contract.errors import ModelError

BITSANDBYTES = "bitsandbytes"


@dataclass(frozen=True)
class Packing:
    """In what 4-bit format weights lie."""

    kind: str
    """`nf4` or `fp4`."""
    is_double: bool
    """Whether the scales of the blocks are themselves quantised."""

    def __str__(self) -> str:
        return f"{self.kind.upper()}, {'with' if self.is_double else 'without'} double quantisation"


def nf4(dtype: torch.dtype) -> BitsAndBytesConfig:
    """What original weights are packed into: NF4 with double quantisation, computed with in `dtype`."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def stored_packing(config: PreTrainedConfig, model_name: str) -> Packing | None:
    """How a checkpoint is packed already; None for original weights. Raises ModelError where that cannot be trained."""
    stored = getattr(config, "quantization_config", None) or {}
    stored = stored if isinstance(stored, dict) else stored.to_dict()
    if not stored:
        return None
    named = stored.get("quant_method") or BITSANDBYTES
    method = str(getattr(named, "value", named))  # of a loaded model it is an enum
    if method == BITSANDBYTES and stored.get("load_in_4bit"):
        kind = str(stored.get("bnb_4bit_quant_type", "fp4"))
        return Packing(kind, bool(stored.get("bnb_4bit_use_double_quant")))
    raise ModelError(
        f"The model {model_name} is already quantised ({'8-bit ' if method == BITSANDBYTES else ''}{method}).",
        "Choose the model with its original weights, which are put into 4 bits when it is loaded, "
        "or one that was saved in 4 bits by bitsandbytes.",
    )


def kept_packing(model: PreTrainedModel) -> Packing | None:
    """How a loaded model was packed in its checkpoint already; None where we packed it, or nobody did."""
    if not getattr(getattr(model, "hf_quantizer", None), "pre_quantized", False):
        return None
    return stored_packing(model.config, model.name_or_path)


def compute_in(config: PreTrainedConfig, dtype: torch.dtype) -> None:
    """Have a checkpoint that is packed already computed with in `dtype`, whatever it was saved with."""
    stored: Any = config.quantization_config
    name = str(dtype).removeprefix("torch.")
    if isinstance(stored, dict):
        config.quantization_config = stored | {"bnb_4bit_compute_dtype": name}
    else:
        stored.bnb_4bit_compute_dtype = dtype


def dequantised(model: PreTrainedModel, dtype: torch.dtype) -> PreTrainedModel:
    """The model with plain weights in `dtype`, each of the kind of layer that its architecture has.

    Packed, the transposed layers of GPT-2 are ordinary ones; saved like that, nothing could read them.
    """
    transposed = [
        name
        for name, module in model.named_modules()
        if isinstance(module, Linear4bit | Linear8bitLt) and issubclass(getattr(module, "source_cls", object), Conv1D)
    ]
    plain = cast(PreTrainedModel, model.dequantize(dtype))
    # what was done on loading is undone on saving, which cannot be and need not be for weights that were packed
    steps = getattr(plain, "_weight_conversions", None) or []
    plain._weight_conversions = [step for step in steps if not _unpacks(step)]
    for name in transposed:
        linear = plain.get_submodule(name)
        layer = Conv1D(linear.out_features, linear.in_features)
        layer.weight = torch.nn.Parameter(linear.weight.detach().T.contiguous(), requires_grad=False)
        layer.bias = torch.nn.Parameter(linear.bias.detach(), requires_grad=False)
        plain.set_submodule(name, layer)
    return plain


def _unpacks(step: Any) -> bool:
    return any(isinstance(operation, Bnb4bitDeserialize) for operation in getattr(step, "operations", ()))
