"""What a training will need, before anything of it runs: memory term by term, and the disk.

The terms are those of the QLoRA paper (arXiv 2305.14314) for weights, adapter and optimiser, and of "Reducing
Activation Recomputation in Large Transformer Models" (arXiv 2205.05198) for what the backward pass needs. The factors
for a processor are measured: `benchmarks/estimate.py` compares the sum with real trainings. Time is not estimated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from qlora_ui.contract.adapter_parameters import names_in
from qlora_ui.contract.model_shape import Linear, ModelShape
from qlora_ui.contract.training_parameters import TrainingParameters

DeviceKind = Literal["cpu", "gpu"]
TermName = Literal["libraries", "weights", "vocabulary", "adapter", "activations", "logits", "dequantised"]

NF4_BYTES = 0.5 + 8.125 / 512
"""A weight: 4 bits, and its share of the constants, which are quantised too (QLoRA paper, section 3)."""
LIBRARIES = {"cpu": 540e6, "gpu": 0.6 * 2**30}
"""Bytes before any model is there. A processor: torch, transformers, PEFT and bitsandbytes, measured with torch 2.13.
A GPU: the context that CUDA keeps and the work space of its matrix kernels."""
LOGITS_BYTES = 16
"""A number of the logits: in 32 bits they are there up to four times, as they are, as log-probabilities, and with the
gradients of both."""
KEPT_BY_C_LIBRARY = 2.0
"""Of a processor's memory: the C library gives little of what was freed within a step back, so that the process holds
so many times what the backward pass needs (measured: 1.6 to 2.6, not the same from run to run)."""
KEPT_WITH_CHECKPOINTING = 1.0
"""The same with activation checkpointing: what each layer leaves while it is computed anew stays with the process too,
so that a processor gains half by it and not nearly all, as a GPU does (measured: 0.5 to 1.1)."""
ADAPTER_FILE_BYTES = 4
_AFTER_ATTENTION = ("gate", "up_proj", "down", "mlp", "c_fc", "4h")
"""Parts of the names of linear layers that belong to no attention."""


@dataclass(frozen=True)
class Lengths:
    """Examples in tokens, as far as they are known."""

    longest: int | None = None
    """Before the cut."""
    tokens: int | None = None
    """Of all examples that are trained, after the cut: what an epoch goes through."""


@dataclass(frozen=True)
class Term:
    """One part of the memory at its peak."""

    name: TermName
    bytes: int


@dataclass(frozen=True)
class Estimate:
    """What a training needs. All sizes are in bytes."""

    terms: tuple[Term, ...]
    disk: int
    """Checkpoints that are kept, the best one beside them, and the finished adapter."""
    adapter_parameters: int
    tokens_per_epoch: int | None
    """None as long as the rows are not counted."""

    @property
    def memory(self) -> int:
        """At the peak: of the worker's process on a processor, of the device on a GPU."""
        return sum(term.bytes for term in self.terms)


def estimate(shape: ModelShape, parameters: TrainingParameters, lengths: Lengths, device: DeviceKind) -> Estimate:
    """What the training needs: the sum of its terms, and no measurement.

    A batch is taken to be full: `batch_size` rows of the longest example, or of `max_length` where none is that short.
    A processor computes in 32 bits, a GPU in 16, unless `compute_type` says otherwise.
    """
    trained = trained_parameters(shape, parameters)
    sizes = {
        "libraries": LIBRARIES[device],
        "weights": _weights(shape, parameters, device),
        "vocabulary": (shape.embeddings + shape.head + shape.extras) * _compute_bytes(parameters, device),
        "adapter": trained * (8 + state_bytes(parameters.optimizer)),  # weights and gradients in 32 bits
        "activations": _activations(shape, parameters, lengths, device),
        "logits": _tokens(parameters, lengths) * shape.vocabulary * LOGITS_BYTES,
        "dequantised": max(linear.weights for linear in shape.linears) * _compute_bytes(parameters, device),
    }
    return Estimate(
        terms=tuple(Term(name, round(size)) for name, size in sizes.items()),  # type: ignore[arg-type]  # its own keys
        disk=round(_disk(trained, parameters)),
        adapter_parameters=trained,
        tokens_per_epoch=lengths.tokens,
    )


def trained_parameters(shape: ModelShape, parameters: TrainingParameters) -> int:
    """How many numbers are trained: two matrices beside each adapted layer, and the layers that are trained whole."""
    adapted = sum(
        parameters.lora_rank * (linear.inputs + linear.outputs) + (linear.outputs if parameters.use_dora else 0)
        for linear in _adapted(shape, parameters)
    )
    return shape.layers * adapted + _trained_whole(shape, names_in(parameters.modules_to_save))


def state_bytes(optimizer: str) -> float:
    """Bytes that an optimiser keeps for each number that is trained.

    AdamW keeps two averages in 32 bits (arXiv 1711.05101), its 8-bit kinds the same two in 8 (arXiv 2110.02861), and
    Adafactor only sums over rows and columns (arXiv 1804.04235), which are small beside the rest.
    """
    if "adafactor" in optimizer:
        return 0.0
    return 2.0 if "8bit" in optimizer else 8.0


def _adapted(shape: ModelShape, parameters: TrainingParameters) -> Iterator[Linear]:
    """The layers of one block that have an adapter."""
    wanted = names_in(parameters.target_modules)
    for linear in shape.linears:
        is_in_attention = not any(part in linear.name for part in _AFTER_ATTENTION)
        is_named = any(linear.name == name or linear.name.endswith(f".{name}") for name in wanted)
        if is_named or wanted == ["all-linear"] or (wanted == ["attention"] and is_in_attention):
            yield linear


def _trained_whole(shape: ModelShape, names: list[str]) -> int:
    counts = {linear.name: shape.layers * linear.weights for linear in shape.linears}
    counts |= dict.fromkeys(("embed_tokens", "wte", "embed_in", "lm_head", "embed_out"), shape.embeddings)
    return sum(counts.get(name, 0) for name in names)


def _weights(shape: ModelShape, parameters: TrainingParameters, device: DeviceKind) -> float:
    """The linear layers; on a processor the file stays in memory beside them where it is not converted on the way."""
    compute = _compute_bytes(parameters, device)
    held = {"qlora": NF4_BYTES, "int8": 1.0, "lora": float(compute)}[parameters.method] * shape.linear_weights
    is_mapped = device == "cpu" and compute == 4 and shape.is_float32 and parameters.method != "lora"
    return held + (4 * shape.linear_weights if is_mapped else 0)


def _activations(shape: ModelShape, parameters: TrainingParameters, lengths: Lengths, device: DeviceKind) -> float:
    """What the forward pass leaves for the backward pass."""
    tokens, layer = _tokens(parameters, lengths), _layer_bytes(shape, parameters, device)
    dropped = _dropped_bytes(shape, parameters)
    kept = KEPT_BY_C_LIBRARY if device == "cpu" else 1.0
    if not _checkpoints(parameters, device):
        return tokens * shape.layers * (layer * kept + dropped)
    anew = math.ceil(shape.layers / parameters.activation_checkpointing_every)
    boundaries = 0 if parameters.activation_offload and device == "gpu" else anew * shape.hidden
    at_once = anew * KEPT_WITH_CHECKPOINTING if device == "cpu" else 1
    whole = (shape.layers - anew) * (layer * kept + dropped)
    return tokens * (boundaries * _compute_bytes(parameters, device) + at_once * layer + dropped + whole)


def _checkpoints(parameters: TrainingParameters, device: DeviceKind) -> bool:
    wanted = parameters.activation_checkpointing
    asks = parameters.activation_checkpointing_every > 1 or parameters.activation_offload
    return (device == "gpu" or asks) if wanted is None else wanted


def _layer_bytes(shape: ModelShape, parameters: TrainingParameters, device: DeviceKind) -> float:
    """Of one token in one layer: counted from the tensors that the backward pass of a Llama layer keeps.

    In 32 bits: both norms' inputs and outputs, the attention's output, queries, keys and values, and four widths of the
    gated block. In 16 bits the adapters, which are in 32, keep copies of their own inputs: 30 bytes for each number of
    the hidden size and 8.2 for each of the inner one. Beside them what the adapters have between their two matrices.
    """
    between = 4 * parameters.lora_rank * len(list(_adapted(shape, parameters)))
    if _compute_bytes(parameters, device) == 4:
        attention = (shape.heads + 2 * shape.kv_heads) * shape.head_dim
        return 4 * (5 * shape.hidden + attention + 4 * shape.intermediate) + between
    return 30 * shape.hidden + 8.2 * shape.intermediate + between


def _dropped_bytes(shape: ModelShape, parameters: TrainingParameters) -> int:
    """Of one token in one layer: each adapter's input after dropout, and what was dropped of it."""
    if not parameters.lora_dropout:
        return 0
    return (4 + 1) * sum(linear.inputs for linear in _adapted(shape, parameters))


def _tokens(parameters: TrainingParameters, lengths: Lengths) -> int:
    """On the device at once, at most."""
    longest = min(parameters.max_length, lengths.longest or parameters.max_length)
    return parameters.batch_size * (parameters.max_length if parameters.packing else longest)


def _compute_bytes(parameters: TrainingParameters, device: DeviceKind) -> int:
    is_wide = parameters.compute_type == "float32" or (parameters.compute_type == "auto" and device == "cpu")
    return 4 if is_wide else 2


def _disk(trained: int, parameters: TrainingParameters) -> float:
    """A checkpoint holds the adapter and what the optimiser keeps; the finished adapter comes once more."""
    checkpoint = trained * (ADAPTER_FILE_BYTES + state_bytes(parameters.optimizer))
    copies = 2 if parameters.output_dir else 1
    return (parameters.checkpoints_kept + 1) * checkpoint + copies * trained * ADAPTER_FILE_BYTES
