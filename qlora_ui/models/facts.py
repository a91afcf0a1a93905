"""What the config.json of a model says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")


@dataclass(frozen=True)
class ModelFacts:
    """Everything in it was written by somebody else: shown, and never trusted."""

    architecture: str
    """Such as `llama`; empty where the config does not say."""
    dtype: str
    """The number format in which it is meant to be used, such as `bfloat16`; empty where the config does not say."""
    quantisation: str
    """`bitsandbytes nf4`, `bitsandbytes fp4`, `bitsandbytes int8`, or the name of another method; empty without."""
    is_mixture: bool
    """Whether it is a mixture of experts."""
    writes_text: bool = True
    """Whether it is said to be a model that writes; one that says nothing of it may be."""

    @property
    def can_be_loaded(self) -> bool:
        """Whether its number format is one that can be trained here: original weights, or 4 bits of bitsandbytes."""
        return self.quantisation in ("", "bitsandbytes nf4", "bitsandbytes fp4")


def facts_of(config: Mapping[str, Any]) -> ModelFacts:
    """Read a parsed config.json, whatever types its values have."""
    text = config.get("text_config")
    parts: list[Mapping[str, Any]] = [config, *([text] if isinstance(text, dict) else [])]
    return ModelFacts(
        architecture=_word(config.get("model_type")),
        dtype=next((word for part in parts if (word := _word(part.get("dtype") or part.get("torch_dtype")))), ""),
        quantisation=_quantisation(config.get("quantization_config")),
        writes_text=_writes_text(config.get("architectures")),
        is_mixture=any(_count(part.get(name)) > 1 for part in parts for name in _EXPERTS),
    )


def _writes_text(classes: object) -> bool:
    """By the names of the classes that it was saved from, such as `LlamaForCausalLM`."""
    if not isinstance(classes, list) or not classes:
        return True
    ends = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
    return any(isinstance(name, str) and name.endswith(ends) for name in classes)


def _quantisation(stored: object) -> str:
    if not isinstance(stored, dict) or not stored:
        return ""
    method = _word(stored.get("quant_method")) or "bitsandbytes"
    if method != "bitsandbytes":
        return method
    kind = _word(stored.get("bnb_4bit_quant_type")) or "fp4"
    return f"{method} {kind if stored.get('load_in_4bit') else 'int8'}"


def _word(value: object) -> str:
    return value[:64] if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
