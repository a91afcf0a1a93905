"""What each kind of job is told. The form, the command line, the YAML and the docs all derive from these models."""

from __future__ import annotations

from typing import Any, Literal, Self

from qlora_ui.contract.base_parameters import ComputeType, JobParameters, ReadsData
from qlora_ui.contract.knobs import knob
from qlora_ui.contract.paths import is_starter
from qlora_ui.contract.recipe import Recipe, Source
from qlora_ui.contract.records import JobKind
from qlora_ui.contract.training_parameters import TrainingParameters

__all__ = [
    "PARAMETERS",
    "ComputeType",
    "EvaluationParameters",
    "JobParameters",
    "MergeParameters",
    "TrainingParameters",
]


_ALSO_FOR_SCORING = frozenset(
    {"skip_bad_rows", "repair_encoding", "trim_space", "mend_order", "mask_secrets", "drop_empty"}
)
"""Steps that change how rows read, and that leave out what cannot be scored; not those that choose among good rows."""


class EvaluationParameters(ReadsData):
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

    @property
    def recipe(self) -> Recipe:
        """What decides about the tokens of the rows that are scored."""
        return self.recipe_of(Source(path=self.dataset_path))

    @classmethod
    def of(cls, training: TrainingParameters, *, name: str, adapter_path: str, dataset_path: str) -> Self:
        """What scores the adapter of a training on rows that are read, laid out and cut as the trained ones were.

        The starter's rows are read as what they are, whatever the training's were.
        """
        values: dict[str, Any] = {field: getattr(training, field) for field in ReadsData.model_fields}
        values |= {"name": name, "adapter_path": adapter_path, "dataset_path": dataset_path}
        if is_starter(dataset_path):
            values |= {"data_format": "auto", "data_mapping": {}, "data_roles": {}, "data_steps": []}
        values["data_steps"] = [step for step in values["data_steps"] if step.do in _ALSO_FOR_SCORING]
        return cls(**values)


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
        help="`dequantised`: into the weights as the adapter was trained on them; `original`: into the base's own.",
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
