"""What a training is told."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from qlora_ui.contract.knobs import ConflictError, knob
from qlora_ui.contract.optimiser_parameters import Optimised
from qlora_ui.contract.recipe import DataQuery, HeldOut, Recipe, Source, TrainOn

DATA_KNOBS = (
    "dataset_path",
    "dataset_weight",
    "more_data",
    "data_format",
    "data_mapping",
    "data_roles",
    "data_steps",
    "chat_template",
    "validation_share",
    "validation_rows",
    "validation_path",
    "split_column",
)
"""The knobs that choose data, say how they are read, and hold rows out."""


class TrainingParameters(Optimised):
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
    activation_checkpointing_every: int = knob(
        1,
        title="Checkpointing every",
        help="Every how many layers parts are computed twice: 1 is all of them; more trades memory back for speed, and "
        "switches it on.",
        group="memory",
        unit="layers",
        ge=1,
        le=1000,
    )
    activation_offload: bool = knob(
        False,
        title="Activations in main memory",
        help="Keeps what checkpointing remembers in the computer's memory, not on the GPU: for long examples; slower.",
        group="memory",
    )
    group_by_length: bool = knob(
        True,
        title="Similar lengths together",
        help="Makes batches of examples of similar length, which leaves less padding; off leaves it to chance.",
        group="data",
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

    @model_validator(mode="after")
    def _checkpointing_has_an_effect(self) -> Self:
        if self.activation_checkpointing is False:
            for name in ("activation_checkpointing_every", "activation_offload"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    problem = f"activation_checkpointing is off, so {name} would do nothing: set it to on or to empty"
                    raise ConflictError(problem, name)
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.warmup_steps and self.max_steps and self.warmup_steps >= self.max_steps:
            problem = f"max_steps is {self.max_steps:,}, so the warm-up would never end: set it lower"
            raise ConflictError(problem, "warmup_steps")
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
