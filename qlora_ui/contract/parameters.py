"""What each kind of job is told. The form, the command line, the YAML and the docs all derive from these models."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from qlora_ui.contract.knobs import knob
from qlora_ui.contract.records import JobKind

DataFormat = Literal["auto", "alpaca", "sharegpt", "messages", "prompt_completion", "question_answer", "text"]
TrainOn = Literal["completions", "all"]
ComputeType = Literal["auto", "float32", "bfloat16", "float16"]


class JobParameters(BaseModel):
    """The knobs that every kind of job has."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), coerce_numbers_to_str=True)

    name: str = knob(
        "",
        title="Name",
        help="What the run is called in lists; made from the data and the model when left empty.",
        group="basics",
        max_length=80,
    )
    model_name: str = knob(
        ...,
        title="Model",
        help="The base model: a folder here, a name on the hub, or `starter`, the small one that comes along.",
        group="basics",
        min_length=1,
    )
    device: str = knob(
        "auto",
        title="Device",
        help="Where it computes: `auto` takes a GPU where there is one; `cpu`, `cuda:0`, `cuda:1` name one.",
        group="memory",
        pattern=r"^(auto|cpu|cuda:\d+)$",
    )
    compute_type: ComputeType = knob(
        "auto",
        title="Compute precision",
        help="The number format of the arithmetic: `auto` takes bfloat16 where the device is fast at it, else float32.",
        group="memory",
    )
    offline: bool = knob(
        False,
        title="Offline",
        help="Never ask the model hub; only folders and files that are already here are used.",
        group="basics",
    )

    @field_validator("model_name", mode="before")
    @classmethod
    def _text_not_empty(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value


class TrainingParameters(JobParameters):
    """A 4-bit (NF4, double-quantised) LoRA fine-tuning."""

    dataset_path: str = knob(
        ...,
        title="Data",
        help="The file with the examples to learn from: JSONL, JSON, CSV, TSV, Parquet or text.",
        group="basics",
        min_length=1,
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
    max_length: int = knob(
        1024,
        title="Longest example",
        help="Examples are cut after this many tokens; memory grows with it.",
        group="basics",
        unit="tokens",
        ge=8,
        le=1_048_576,
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
        help="`all-linear` adapts every linear layer but the output head; or name layers: q_proj, v_proj.",
        group="LoRA",
        min_length=1,
    )
    use_rslora: bool = knob(
        False,
        title="Rank-stabilised scaling",
        help="Scale by alpha divided by the square root of rank (rsLoRA), which keeps large ranks learning.",
        group="LoRA",
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
    data_format: DataFormat = knob(
        "auto",
        title="Data format",
        help="How rows are read; `auto` looks at the columns and says what it saw.",
        group="data",
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
    evaluations: int = knob(
        4,
        title="Evaluations",
        help="How many times the evaluation loss is measured, evenly spread and at the end, besides once at the start.",
        group="monitoring",
        unit="times",
        ge=0,
        le=1000,
    )
    save_steps: int | None = knob(
        None,
        title="Checkpoint every",
        help="Steps between two checkpoints; empty means ten over the run, and never fewer than every 10 minutes.",
        group="monitoring",
        unit="steps",
        ge=1,
        le=10_000_000,
    )
    checkpoints_kept: int = knob(
        2,
        title="Checkpoints kept",
        help="How many of the newest checkpoints stay on the disk.",
        group="monitoring",
        ge=1,
        le=1000,
    )
    logging_steps: int = knob(
        1,
        title="Report every",
        help="Steps between two points of the loss curve.",
        group="monitoring",
        unit="steps",
        ge=1,
        le=10_000,
    )

    @model_validator(mode="after")
    def _one_evaluation_source(self) -> Self:
        if self.evaluations == 0 and self.validation_path:
            raise ValueError("an evaluation file is given, but evaluations is 0: set it to 1 or more")
        return self


class EvaluationParameters(JobParameters):
    """Base and adapter are scored on the same rows."""

    dataset_path: str = knob(
        ...,
        title="Data",
        help="The file with the rows to score: ones that were not trained.",
        group="basics",
        min_length=1,
    )
    adapter_path: str = knob(
        "",
        title="Adapter",
        help="The folder of the adapter to compare with its base; empty scores the base alone.",
        group="basics",
    )
    max_rows: int | None = knob(
        None,
        title="Row limit",
        help="Score only this many rows, chosen evenly over the file; empty means all of them.",
        group="data",
        unit="rows",
        ge=1,
    )
    data_format: DataFormat = knob(
        "auto",
        title="Data format",
        help="How rows are read; `auto` looks at the columns and says what it saw.",
        group="data",
    )
    max_length: int = knob(
        1024,
        title="Longest example",
        help="Examples are cut after this many tokens.",
        group="data",
        unit="tokens",
        ge=8,
        le=1_048_576,
    )
    max_new_tokens: int = knob(
        256,
        title="Longest answer",
        help="Answers are cut after this many tokens; 0 writes no answers and measures only loss and token accuracy.",
        group="data",
        unit="tokens",
        ge=0,
        le=65_536,
    )
    batch_size: int = knob(
        16,
        title="Batch size",
        help="How many rows are on the device at once.",
        group="memory",
        unit="rows",
        ge=1,
        le=4096,
    )


class MergeParameters(JobParameters):
    """An adapter is merged into its base, and the result is compared with the adapter."""

    adapter_path: str = knob(
        ...,
        title="Adapter",
        help="The folder of the adapter to merge.",
        group="basics",
        min_length=1,
    )
    output_dir: str = knob(
        "",
        title="Output folder",
        help="Where the merged model goes; empty puts it under the models of the home folder.",
        group="basics",
    )
    target: Literal["dequantised", "original"] = knob(
        "dequantised",
        title="Merge into",
        help="`dequantised`: into the 4-bit weights that the adapter was trained on; `original`: into the base's own.",
        group="basics",
    )
    save_type: Literal["bfloat16", "float16", "float32"] = knob(
        "bfloat16",
        title="Number format",
        help="How the merged weights are stored.",
        group="memory",
    )
    dataset_path: str = knob(
        "",
        title="Rows for the proof",
        help="The file whose rows are run through adapter and merged model; empty uses sentences that come along.",
        group="data",
    )
    max_rows: int = knob(
        64,
        title="Row limit",
        help="How many rows the proof uses.",
        group="data",
        unit="rows",
        ge=1,
    )
    max_length: int = knob(
        512,
        title="Longest example",
        help="Rows are cut after this many tokens.",
        group="data",
        unit="tokens",
        ge=8,
        le=1_048_576,
    )


PARAMETERS: dict[JobKind, type[JobParameters]] = {
    JobKind.TRAINING: TrainingParameters,
    JobKind.EVALUATION: EvaluationParameters,
    JobKind.MERGE: MergeParameters,
}
"""The parameter model of each kind of job that can be run."""
