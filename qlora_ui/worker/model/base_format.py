"""The number formats in which a base model is held: 4 bits (NF4), 8 bits, or that of the arithmetic."""

from __future__ import annotations

from typing import Any

import torch
from bitsandbytes.nn import Linear4bit, Linear8bitLt
from transformers import BitsAndBytesConfig

from qlora_ui.contract.adapter_parameters import Method
from qlora_ui.contract.errors import DeviceError
from qlora_ui.worker.devices import Device
from qlora_ui.worker.model.quantisation import nf4

LAYERS: dict[Method, type[torch.nn.Module]] = {"qlora": Linear4bit, "int8": Linear8bitLt}
"""What the linear layers become; with `lora` they stay what they are."""
BITS: dict[Method, int] = {"qlora": 4, "int8": 8}


def loading_words(method: Method) -> str:
    """What the log says while the base is loaded."""
    return f"It loads the base model in {BITS[method]} bits." if method in BITS else "It loads the base model."


def quantisation_of(method: Method, device: Device) -> dict[str, Any]:
    """Options for loading. Raises DeviceError where the device cannot compute in this format."""
    match method:
        case "qlora":
            config = nf4(device.dtype)
        case "int8":
            _try_8_bits(device)
            config = BitsAndBytesConfig(load_in_8bit=True)
        case "lora":
            return {}
    return {"quantization_config": config}


def layers_held(model: torch.nn.Module, method: Method) -> int:
    """How many layers are held in few bits."""
    kind = LAYERS.get(method)
    return sum(isinstance(module, kind) for module in model.modules()) if kind else 0


def _try_8_bits(device: Device) -> None:
    """Take one small step through a layer: which processors and GPUs can is known to the library alone."""
    try:
        layer = Linear8bitLt(64, 64, bias=False, has_fp16_weights=False).to(device.torch_name)
        given = torch.ones(16, 64, dtype=device.dtype, device=device.torch_name, requires_grad=True)
        with torch.enable_grad():
            layer(given).sum().backward()
        works = given.grad is not None and bool(given.grad.isfinite().all())
    except (RuntimeError, ValueError, AttributeError):
        works = False
    if not works:
        raise DeviceError(
            f"Layers in 8 bits do not work on {device.name} with the bitsandbytes that is installed.",
            "Set method to qlora (4 bits), or to lora where the memory suffices.",
        )
