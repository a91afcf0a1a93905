"""The knobs that kinds of jobs share."""

from __future__ import annotations

import unicodedata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from qlora_ui.contract.knobs import knob
from qlora_ui.contract.recipe import DataFormat, Recipe, Source, Step, TrainOn

ComputeType = Literal["auto", "float32", "bfloat16", "float16"]

LONGEST_NAME = 80
"""Characters of a run's name."""
_MOST_CLEANED = 1_000
"""What is longer is too long as well without what cannot be seen in it."""
_JOINERS = "\u200c\u200d"
"""Letters of Persian and many an emoji are put together with these; alone they cannot be seen."""


class JobParameters(BaseModel):
    """The knobs that every kind of job has."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), coerce_numbers_to_str=True)

    name: str = knob(
        "",
        title="Name",
        help="What the run is called in lists; made from the data and the model when left empty.",
        group="basics",
        max_length=LONGEST_NAME,
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

    @field_validator("name", mode="before")
    @classmethod
    def _name_to_be_seen(cls, value: Any) -> Any:
        return clean_name(value) if isinstance(value, str) and len(value) <= _MOST_CLEANED else value

    @field_validator("model_name", mode="before")
    @classmethod
    def _text_not_empty(cls, value: Any) -> Any:
        return value.strip() if isinstance(value, str) else value


class ReadsData(JobParameters):
    """The knobs of every kind of job that turns rows into tokens."""

    data_format: DataFormat = knob(
        "auto",
        title="Data format",
        help="How rows are read; `auto` looks at the columns and says what it saw.",
        group="data",
    )
    data_mapping: dict[str, str] = knob(
        {},
        title="Columns",
        help="Which column plays which part, such as {question: prompt}; what is left out is found by itself.",
        group="data",
        max_length=50,
    )
    data_roles: dict[str, str] = knob(
        {},
        title="Speakers",
        help="What unusual speakers' names mean, such as {bot_2: assistant}: system, user, assistant or tool.",
        group="data",
        max_length=50,
    )
    data_steps: list[Step] = knob(
        [],
        title="Mends",
        help="What is done to the rows on their way, such as [{do: remove_duplicates}]; the file stays as it is.",
        group="data",
        max_length=50,
    )
    chat_template: str = knob(
        "",
        title="Chat template",
        help="How turns become text: empty takes the model's own; a name such as chatml; or Jinja text.",
        group="data",
        max_length=100_000,
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

    def recipe_of(self, *sources: Source, train_on: TrainOn = "completions") -> Recipe:
        """What decides about the tokens and labels of these sources."""
        return Recipe(
            sources=sources,
            data_format=self.data_format,
            mapping=self.data_mapping,
            roles=self.data_roles,
            steps=tuple(self.data_steps),
            chat_template=self.chat_template,
            max_length=self.max_length,
            train_on=train_on,
        )


def clean_name(name: str) -> str:
    """A run's name on one line, without what cannot be seen and what turns the text around it; may be empty."""
    spaced = "".join(" " if character.isspace() else character for character in unicodedata.normalize("NFC", name))
    seen = "".join(c for c in spaced if c in _JOINERS or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    return " ".join(seen.split()).strip(f" {_JOINERS}")
