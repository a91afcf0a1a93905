"""What a training is told."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from qlora_ui.contract.adapter_parameters import Adapted
from qlora_ui.contract.knobs import ConflictError, knob
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source, TrainOn


class TrainingParameters(Adapted):
    """A LoRA fine-tuning, on a base model in 4 bits (NF4, double-quantised) unless it is told otherwise."""

    dataset_path: str = knob(
        ...,
        title="Data",
        help="The examples to learn from: a file, a folder, an archive, or `hub:owner/name` for a dataset of the hub.",
        group="basics",
        min_length=1,
    )
    dataset_weight: float = knob(
        1.0,
        title="Weight",
        help="How often each row goes in where several data are mixed: 2 is twice, 0.5 a random half.",
        group="data",
        gt=0,
        le=100,
    )
    more_data: list[Source] = knob(
        [],
        title="More data",
        help="Further data that are mixed in, such as [{path: other.jsonl, weight: 0.5}].",
        group="data",
        max_length=50,
    )
    output_dir: str = knob(
        "",
        title="Output folder",
        help="Where a copy of the finished adapter goes; the run folder always keeps one.",
        group="basics",
    )
    num_train_epochs: float = knob(
        3.0,
        title="Epochs",
        help="How many times the training goes through all examples; too many and it learns them by heart.",
        group="basics",
        unit="passes",
        gt=0,
        le=1000,
    )
    max_steps: int | None = knob(
        None,
        title="Step limit",
        help="Stop after this many optimiser steps, whatever the epochs say; empty means no limit.",
        group="basics",
        unit="steps",
        ge=1,
        le=10_000_000,
    )
    learning_rate: float = knob(
        2e-4,
        title="Learning rate",
        help="How large each correction is; LoRA bears about ten times what full fine-tuning does.",
        group="basics",
        gt=0,
        le=1,
    )
    batch_size: int = knob(
        4,
        title="Batch size",
        help="How many examples are on the device at once; more is faster and needs more memory.",
        group="basics",
        unit="examples",
        ge=1,
        le=4096,
    )
    gradient_accumulation: int = knob(
        4,
        title="Gradient accumulation",
        help="How many batches make one correction; batch size times this is the effective batch.",
        group="basics",
        unit="batches",
        ge=1,
        le=4096,
    )
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = knob(
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
    optimizer: Literal["adamw_torch", "adamw_torch_fused", "adamw_8bit", "paged_adamw_8bit", "adafactor"] = knob(
        "adamw_torch",
        title="Optimiser",
        help="The method that turns gradients into corrections; the 8-bit ones save memory on a GPU.",
        group="optimiser",
    )
    weight_decay: float = knob(
        0.0,
        title="Weight decay",
        help="Pulls the adapter towards zero by this share of the learning rate at each step.",
        group="optimiser",
        ge=0,
        le=1,
    )
    max_grad_norm: float = knob(
        1.0,
        title="Gradient limit",
        help="Longer gradients are cut to this length, so that one odd batch cannot do damage; 0 switches it off.",
        group="optimiser",
        ge=0,
        le=1000,
    )
    seed: int = knob(
        42,
        title="Seed",
        help="The start of all chance in the run: the same seed, data and settings give the same run.",
        group="optimiser",
        ge=0,
        le=2**32 - 1,
    )
    train_on: TrainOn = knob(
        "completions",
        title="What is trained",
        help="`completions` trains the answers only (with the token that ends them); `all` trains every token.",
        group="data",
    )
    validation_share: float = knob(
        0.1,
        title="Held out",
        help="The share of rows that is never trained and measures the evaluation loss; 0 holds none out.",
        group="data",
        ge=0,
        le=0.5,
    )
    validation_rows: int | None = knob(
        None,
        title="Held-out rows",
        help="How many rows are held out, in place of a share; empty takes the share.",
        group="data",
        unit="rows",
        ge=1,
        le=10_000_000,
    )
    split_column: str = knob(
        "",
        title="Keep together",
        help="A column whose equal values stay on one side, such as a document's or a customer's number.",
        group="data",
        max_length=200,
    )
    validation_path: str = knob(
        "",
        title="Evaluation file",
        help="A file of its own for the evaluation loss, in place of a held-out share.",
        group="data",
    )
    activation_checkpointing: bool | None = knob(
        None,
        title="Activation checkpointing",
        help="Saves memory by computing parts twice, a third slower; empty means on for a GPU and off for a processor.",
        group="memory",
    )
    packing: bool = knob(
        False,
        title="Packing",
        help="Puts several short examples into one row, which do not see each other: no padding, so it is faster.",
        group="data",
    )

    @model_validator(mode="after")
    def _one_evaluation_source(self) -> Self:
        if problem := _explain(self):
            raise ConflictError(problem)
        return self

    @property
    def evaluates(self) -> bool:
        return self.evaluations > 0 and bool(self.validation_share or self.validation_rows or self.validation_path)

    @property
    def recipe(self) -> Recipe:
        """What decides about the tokens and labels."""
        first = Source(path=self.dataset_path, weight=self.dataset_weight)
        return self.recipe_of(first, *self.more_data, train_on=self.train_on)

    @property
    def query(self) -> DataQuery:
        """What the inspector is asked, and what the training prepares."""
        held_out = HeldOut(
            share=self.validation_share if self.evaluations else 0.0,
            rows=self.validation_rows if self.evaluations else None,
            path=self.validation_path,
            column=self.split_column,
            seed=self.seed,
        )
        return DataQuery(recipe=self.recipe, held_out=held_out, model=self.model_name, offline=self.offline)


def _explain(chosen: TrainingParameters) -> str:
    """Why the evaluation data make no sense; empty when they do."""
    if chosen.evaluations == 0 and chosen.validation_path:
        return "an evaluation file is given, but evaluations is 0: set it to 1 or more"
    return ""
