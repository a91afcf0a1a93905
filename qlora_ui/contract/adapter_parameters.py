"""What is trained on the frozen base model: how the base is held, and the shape of the adapter."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from qlora_ui.contract.knobs import ConflictError, knob
from qlora_ui.contract.monitoring_parameters import Monitored

Method = Literal["qlora", "int8", "lora"]
LoraInit = Literal["kaiming", "gaussian", "orthogonal"]


class Adapted(Monitored):
    """The knobs of the base's number format and of the adapter on it."""

    method: Method = knob(
        "qlora",
        title="Method",
        help="How the base model is held: `qlora` in 4 bits (NF4, double-quantised), `int8` in 8, `lora` as computed.",
        group="LoRA",
    )
    lora_rank: int = knob(
        16,
        title="Rank",
        help="How much the adapter can hold: its matrices have this many columns.",
        group="LoRA",
        ge=1,
        le=1024,
    )
    lora_alpha: float = knob(
        32.0,
        title="Alpha",
        help="How strongly the adapter acts; its output is scaled by alpha divided by rank.",
        group="LoRA",
        gt=0,
        le=4096,
    )
    lora_dropout: float = knob(
        0.0,
        title="Dropout",
        help="The share of adapter inputs left out at random in training; above 0 it costs memory and speed.",
        group="LoRA",
        ge=0,
        le=0.9,
    )
    target_modules: str = knob(
        "all-linear",
        title="Where adapters go",
        help="`all-linear`: every linear layer but the output head; `attention`: those of the attention; or name "
        "layers: q_proj, v_proj.",
        group="LoRA",
        min_length=1,
    )
    modules_to_save: str = knob(
        "",
        title="Layers trained whole",
        help="Layers that are trained themselves and kept with the adapter, such as embed_tokens, lm_head; or none.",
        group="LoRA",
    )
    use_rslora: bool = knob(
        False,
        title="Rank-stabilised scaling",
        help="Scale by alpha divided by the square root of rank (rsLoRA), which keeps large ranks learning.",
        group="LoRA",
    )
    use_dora: bool = knob(
        False,
        title="Direction and length apart (DoRA)",
        help="Train the length of each row of weights apart from its direction: can be better at small ranks, "
        "and slower.",
        group="LoRA",
    )
    lora_init: LoraInit = knob(
        "kaiming",
        title="Start of the adapter",
        help="The random numbers it begins with; `orthogonal` needs the method lora. All begin without any effect.",
        group="LoRA",
    )

    @model_validator(mode="after")
    def _fits_the_method(self) -> Self:
        for name in ("use_dora", "lora_init", "modules_to_save"):
            if problem := _explain(self, name):
                raise ConflictError(problem, name)
        return self


def names_in(listed: str) -> list[str]:
    """The names in a line such as `q_proj, v_proj`, each once."""
    return list(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))


def _explain(chosen: Adapted, name: str) -> str:
    """Why a knob cannot be used together with others; empty when it can."""
    if name == "use_dora" and chosen.use_dora and chosen.method == "int8":
        return "use_dora does not work on a base in 8 bits: set method to qlora or lora, or use_dora to false"
    if name == "lora_init" and chosen.lora_init == "orthogonal":
        if chosen.method != "lora":
            return "orthogonal cannot begin on quantised weights: set method to lora, or lora_init to kaiming"
        return "orthogonal needs an even rank: set lora_rank to an even number" if chosen.lora_rank % 2 else ""
    both = [n for n in names_in(chosen.modules_to_save) if n in names_in(chosen.target_modules)]
    if name == "modules_to_save" and both:
        names = ", ".join(both)
        return f"{names} would be trained twice: name it in modules_to_save or in target_modules"
    return ""
