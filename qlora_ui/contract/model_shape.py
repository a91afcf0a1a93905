"""How large the parts of a model are, read from its `config.json` alone: no weight is loaded, and no torch needed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LLAMA_LIKE = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3"})
"""Built from the same parts: RMS norms, attention with grouped keys, and a gated block after it."""


@dataclass(frozen=True)
class Linear:
    """The linear layers of one name, one in each block of the model."""

    name: str
    inputs: int
    outputs: int

    @property
    def weights(self) -> int:
        return self.inputs * self.outputs


@dataclass(frozen=True)
class ModelShape:
    """The sizes that decide about memory. Counts are of numbers, not of bytes."""

    kind: str
    """`model_type` of the config."""
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    is_tied: bool
    """Input and output share one table of words."""
    linears: tuple[Linear, ...]
    """Of one block: what goes to 4 bits, and what adapters are attached to."""
    extras: int
    """Norms, biases, places: everything that is no linear weight and no table of words."""
    is_float32: bool = False
    """The weights are stored in 32 bits."""

    @property
    def linear_weights(self) -> int:
        """Over all blocks, without the output head."""
        return self.layers * sum(linear.weights for linear in self.linears)

    @property
    def embeddings(self) -> int:
        return self.vocabulary * self.hidden

    @property
    def head(self) -> int:
        """Of the output head's own; 0 where it is the table of the input."""
        return 0 if self.is_tied else self.embeddings

    @property
    def parameters(self) -> int:
        return self.linear_weights + self.embeddings + self.head + self.extras


def shape_of_folder(folder: Path) -> ModelShape | None:
    """The shape of the model in a folder; None where its config cannot be read or is of an unknown kind."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return shape_of(config) if isinstance(config, dict) else None


def shape_of(config: Mapping[str, Any]) -> ModelShape | None:
    """The shape that a `config.json` describes; None for a kind that is not known here, or for values that are none."""
    known = {"gpt2": _gpt2, "gpt_neox": _gpt_neox} | dict.fromkeys(LLAMA_LIKE, _llama_like)
    read = known.get(str(config.get("model_type")))
    if read is None:
        return None
    try:
        shape = read(config)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    sizes = (shape.layers, shape.hidden, shape.intermediate, shape.heads, shape.kv_heads, shape.vocabulary)
    return shape if min(sizes) > 0 else None


def _llama_like(config: Mapping[str, Any]) -> ModelShape:
    kind, hidden, wide = str(config["model_type"]), int(config["hidden_size"]), int(config["intermediate_size"])
    layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
    kv_heads = int(config.get("num_key_value_heads") or heads)
    head = int(config.get("head_dim") or hidden // heads)
    queries, keys = heads * head, kv_heads * head
    if kind == "phi3":
        linears = [Linear("qkv_proj", hidden, queries + 2 * keys), Linear("gate_up_proj", hidden, 2 * wide)]
    else:
        linears = [Linear("q_proj", hidden, queries), Linear("k_proj", hidden, keys), Linear("v_proj", hidden, keys)]
        linears += [Linear("gate_proj", hidden, wide), Linear("up_proj", hidden, wide)]
    linears += [Linear("o_proj", queries, hidden), Linear("down_proj", wide, hidden)]
    extras = (4 if kind == "gemma3_text" else 2) * hidden
    if kind in {"qwen3", "gemma3_text"}:
        extras += 2 * head  # a norm for queries and one for keys
    if kind == "qwen2":
        extras += queries + 2 * keys
    elif config.get("attention_bias"):
        extras += sum(linear.outputs for linear in linears if linear.name in {"q_proj", "k_proj", "v_proj", "o_proj"})
    if kind == "llama" and config.get("mlp_bias"):
        extras += 2 * wide + hidden
    is_tied = bool(config.get("tie_word_embeddings", kind == "gemma3_text"))
    return _shape(config, (layers, hidden, wide, heads, kv_heads, head), linears, layers * extras + hidden, is_tied)


def _gpt2(config: Mapping[str, Any]) -> ModelShape:
    hidden, layers, heads = int(config["n_embd"]), int(config["n_layer"]), int(config["n_head"])
    wide = int(config.get("n_inner") or 4 * hidden)
    linears = [Linear("c_attn", hidden, 3 * hidden), Linear("attn.c_proj", hidden, hidden)]
    linears += [Linear("c_fc", hidden, wide), Linear("mlp.c_proj", wide, hidden)]
    extras = layers * (4 * hidden + sum(linear.outputs for linear in linears)) + 2 * hidden
    extras += int(config["n_positions"]) * hidden
    sizes = (layers, hidden, wide, heads, heads, hidden // heads)
    return _shape(config, sizes, linears, extras, bool(config.get("tie_word_embeddings", True)))


def _gpt_neox(config: Mapping[str, Any]) -> ModelShape:
    hidden, wide = int(config["hidden_size"]), int(config["intermediate_size"])
    layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
    linears = [Linear("query_key_value", hidden, 3 * hidden), Linear("dense", hidden, hidden)]
    linears += [Linear("dense_h_to_4h", hidden, wide), Linear("dense_4h_to_h", wide, hidden)]
    biased = linears if config.get("attention_bias", True) else linears[2:]
    extras = layers * (4 * hidden + sum(linear.outputs for linear in biased)) + 2 * hidden
    sizes = (layers, hidden, wide, heads, heads, hidden // heads)
    return _shape(config, sizes, linears, extras, bool(config.get("tie_word_embeddings", False)))


def _shape(
    config: Mapping[str, Any], sizes: tuple[int, ...], linears: list[Linear], extras: int, is_tied: bool
) -> ModelShape:
    layers, hidden, intermediate, heads, kv_heads, head_dim = sizes
    stored = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return ModelShape(
        kind=str(config["model_type"]),
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        vocabulary=int(config["vocab_size"]),
        is_tied=is_tied,
        linears=tuple(linears),
        extras=extras,
        is_float32=stored == "float32",
    )
