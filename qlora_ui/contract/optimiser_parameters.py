"""How the corrections are made: optimiser, schedule of the learning rate, and what is done to gradients and inputs."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from qlora_ui.contract.adapter_parameters import Adapted
from qlora_ui.contract.knobs import ConflictError, knob

Optimizer = Literal[
    "adamw_torch",
    "adamw_torch_fused",
    "adamw_8bit",
    "paged_adamw_8bit",
    "paged_adamw_32bit",
    "adafactor",
    "ademamix",
    "ademamix_8bit",
    "lion_32bit",
    "lion_8bit",
    "paged_lion_8bit",
    "rmsprop",
    "adagrad",
    "sgd",
]
Schedule = Literal[
    "linear",
    "cosine",
    "cosine_with_restarts",
    "cosine_with_min_lr",
    "warmup_stable_decay",
    "polynomial",
    "inverse_sqrt",
    "constant_with_warmup",
    "constant",
]

LR_MIN_SHARE = 0.1
LR_RESTARTS = 2
LR_POWER = 2.0
LR_DECAY_SHARE = 0.2
"""What the schedules take where nothing is given; the help of their knobs says so."""

WITHOUT_BETAS = ("adafactor", "rmsprop", "adagrad", "sgd")
"""The optimisers that keep no two running means."""
WITHOUT_EPSILON = (*WITHOUT_BETAS, "lion_32bit", "lion_8bit", "paged_lion_8bit")
_ONLY_OF: dict[str, tuple[Schedule, ...]] = {
    "lr_min_share": ("cosine_with_min_lr", "warmup_stable_decay", "polynomial"),
    "lr_restarts": ("cosine_with_restarts",),
    "lr_power": ("polynomial",),
    "lr_decay_share": ("warmup_stable_decay",),
}
"""The schedules that a knob belongs to: elsewhere it would do nothing."""

_UNUSED_BY = {"adam_beta1": WITHOUT_BETAS, "adam_beta2": WITHOUT_BETAS, "adam_epsilon": WITHOUT_EPSILON}


class Optimised(Adapted):
    """The knobs of optimiser and schedule."""

    lr_scheduler_type: Schedule = knob(
        "cosine",
        title="Learning-rate schedule",
        help="How the learning rate changes over the run, after the warm-up.",
        group="optimiser",
    )
    warmup_share: float = knob(
        0.03,
        title="Warm-up",
        help="The share of the steps in which the learning rate rises from zero.",
        group="optimiser",
        ge=0,
        le=0.5,
    )
    warmup_steps: int | None = knob(
        None,
        title="Warm-up steps",
        help="The steps in which the learning rate rises from zero, in place of a share; empty takes the share.",
        group="optimiser",
        unit="steps",
        ge=0,
        le=1_000_000,
    )
    lr_min_share: float | None = knob(
        None,
        title="Lowest learning rate",
        help="The share of the learning rate that is left at the end of cosine_with_min_lr (empty: 0.1), "
        "warmup_stable_decay or polynomial (empty: 0).",
        group="optimiser",
        ge=0,
        le=0.99,
    )
    lr_restarts: int | None = knob(
        None,
        title="Restarts",
        help="How many times cosine_with_restarts falls from the full learning rate to zero; empty: 2.",
        group="optimiser",
        unit="times",
        ge=1,
        le=1000,
    )
    lr_power: float | None = knob(
        None,
        title="Power",
        help="How bent the fall of polynomial is: 1 is a straight line, 2 falls faster at first; empty: 2.",
        group="optimiser",
        gt=0,
        le=10,
    )
    lr_decay_share: float | None = knob(
        None,
        title="Decay at the end",
        help="The share of the steps in which warmup_stable_decay falls; before, the rate stays; empty: 0.2.",
        group="optimiser",
        gt=0,
        le=1,
    )
    optimizer: Optimizer = knob(
        "adamw_torch",
        title="Optimiser",
        help="The method that turns gradients into corrections; those of 8 bits and the paged ones save memory on a "
        "GPU. Lion wants a third to a tenth of AdamW's learning rate, SGD far more.",
        group="optimiser",
    )
    adam_beta1: float = knob(
        0.9,
        title="Beta 1",
        help="How slowly the running mean of gradients changes in AdamW, AdEMAMix and Lion.",
        group="optimiser",
        ge=0,
        le=0.999999,
    )
    adam_beta2: float = knob(
        0.999,
        title="Beta 2",
        help="How slowly the running mean of squared gradients changes in AdamW and AdEMAMix; Lion's second mean.",
        group="optimiser",
        ge=0,
        le=0.999999,
    )
    adam_epsilon: float = knob(
        1e-8,
        title="Epsilon",
        help="A small number that keeps AdamW and AdEMAMix from dividing by zero.",
        group="optimiser",
        gt=0,
        le=0.1,
    )
    weight_decay: float = knob(
        0.0,
        title="Weight decay",
        help="Pulls the adapter towards zero by this share of the learning rate at each step.",
        group="optimiser",
        ge=0,
        le=1,
    )
    lora_plus_ratio: float | None = knob(
        None,
        title="LoRA+ ratio",
        help="The adapter's second matrices learn this many times as fast as the first (LoRA+); 16 is usual, with a "
        "learning rate somewhat lower; empty: equally fast.",
        group="optimiser",
        unit="times",
        ge=1,
        le=1000,
    )
    max_grad_norm: float = knob(
        1.0,
        title="Gradient limit",
        help="Longer gradients are cut to this length, so that one odd batch cannot do damage; 0 switches it off.",
        group="optimiser",
        ge=0,
        le=1000,
    )
    neftune_noise_alpha: float | None = knob(
        None,
        title="Noise on the input (NEFTune)",
        help="Random noise on the embeddings in training, against learning by heart: 5 is usual, empty is none.",
        group="optimiser",
        gt=0,
        le=100,
    )
    seed: int = knob(
        42,
        title="Seed",
        help="The start of all chance in the run: the same seed, data and settings give the same run.",
        group="optimiser",
        ge=0,
        le=2**32 - 1,
    )

    @model_validator(mode="after")
    def _every_knob_has_an_effect(self) -> Self:
        for name in (*_ONLY_OF, "warmup_steps", *_UNUSED_BY):
            if problem := _explain(self, name):
                raise ConflictError(problem, name)
        return self


def _explain(chosen: Optimised, name: str) -> str:
    """Why a knob would silently do nothing; empty when it does something, or is as it is by default."""
    value = getattr(chosen, name)
    if value == Optimised.model_fields[name].default:
        return ""
    if chosen.lr_scheduler_type not in (schedules := _ONLY_OF.get(name, (chosen.lr_scheduler_type,))):
        fitting = " or ".join(schedules)
        return f"{name} belongs to {fitting}: set lr_scheduler_type to that, or leave it empty"
    if name == "warmup_steps" and value and chosen.lr_scheduler_type == "constant":
        return "constant has no warm-up: set lr_scheduler_type to constant_with_warmup, or leave it empty"
    if chosen.optimizer in _UNUSED_BY.get(name, ()):
        default = f"{Optimised.model_fields[name].default:g}"
        return f"{chosen.optimizer} does not use it: set it back to {default}, or choose AdamW"
    return ""
