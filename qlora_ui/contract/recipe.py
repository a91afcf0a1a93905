"""Everything that decides which tokens and labels come of which data: frozen with a run, and the key of its cache."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DataFormat = Literal[
    "auto",
    "alpaca",
    "sharegpt",
    "messages",
    "prompt_completion",
    "question_answer",
    "text",
    "preference",
    "kto",
]
"""`preference`: one prompt with a chosen and a rejected answer; `kto`: one answer with a label, wanted or not."""
TrainOn = Literal["completions", "all"]

StepName = Literal[
    "skip_bad_rows",
    "drop_rows",
    "repair_encoding",
    "trim_space",
    "mend_order",
    "mask_secrets",
    "drop_empty",
    "cut_at_turn",
    "split_long",
    "drop_long",
    "remove_duplicates",
    "remove_near_duplicates",
]
"""What can be done to rows on their way, in the order in which `data.steps` carries it out, whatever the order given.

`skip_bad_rows`: leave out, and count, rows that cannot be read or understood, in place of giving up at the first.
`drop_rows`: leave out the rows with these numbers.
`repair_encoding`: put right text that was decoded with the wrong table (`Ã©` → `é`).
`trim_space`: take white space off both ends of every turn.
`mend_order`: join neighbouring turns of one role; drop turns before the first question and after the last answer.
`mask_secrets`: put a placeholder in the place of e-mail addresses, keys and the like.
`drop_empty`: leave out rows with an empty answer, which can teach nothing.
`cut_at_turn`: take whole turns off the end of a conversation until it fits the longest length.
`split_long`: cut text, or a conversation between its turns, into several examples that fit the longest length.
`drop_long`: leave out what is still longer than the longest length.
`remove_duplicates`: keep the first of equal rows. `remove_near_duplicates`: also of rows that are almost equal.
"""


CHAT_TEMPLATES = ("chatml", "llama3", "mistral", "gemma", "phi", "zephyr", "alpaca", "vicuna", "plain")
"""The templates that travel with the program, by name; `data.templates.named` has them."""


class Reading(BaseModel):
    """How the rows of a source are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_format: DataFormat = "auto"
    mapping: dict[str, str] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)


class Source(Reading):
    """One place that rows come from, and how its own are read; the recipe says that of the first source."""

    path: str = Field(min_length=1)
    """A file, a folder, an archive, `starter`, or `hub:owner/name?config=…&split=train[:1000]`."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """How often each of its rows goes in: 2 = twice, 0.5 = a random half, fixed by the seed."""


class Step(BaseModel):
    """One thing that is done to the rows. The files themselves stay as they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    do: StepName
    rows: tuple[int, ...] = ()
    """`drop_rows` only: row numbers from 1, counted over all sources in their order."""


class Recipe(BaseModel):
    """From sources to token ids and labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: tuple[Source, ...]
    """Each is understood by itself, so that data of different forms can be mixed."""
    data_format: DataFormat = "auto"
    mapping: dict[str, str] = Field(default_factory=dict)
    """Part (`instruction`, `answer`, `turns`, `role_key` …) → the column or key that plays it; what is left out is
    detected. An empty column takes the part away."""
    roles: dict[str, str] = Field(default_factory=dict)
    """What a speaker is called in the data → `system`, `user`, `assistant` or `tool`, where the name is not known."""
    steps: tuple[Step, ...] = ()
    chat_template: str = ""
    """Empty = the model's own; a name of `data.templates.named`; or Jinja text."""
    max_length: int = 1024
    """Tokens."""
    train_on: TrainOn = "completions"

    def reading(self, index: int) -> Reading:
        """How the rows of a source are read; those of the first one as the recipe itself says."""
        told = self if index == 0 else self.sources[index]
        return Reading(data_format=told.data_format, mapping=told.mapping, roles=told.roles)

    def without(self, name: StepName) -> Recipe:
        """The same without one of its steps."""
        return self.model_copy(update={"steps": tuple(step for step in self.steps if step.do != name)})

    def does(self, name: StepName) -> bool:
        return any(step.do == name for step in self.steps)

    @property
    def rows_dropped(self) -> frozenset[int]:
        """The numbers of the rows that a person left out one by one."""
        return frozenset(number for step in self.steps if step.do == "drop_rows" for number in step.rows)

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal: the same for two recipes exactly when they are the same."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


class HeldOut(BaseModel):
    """Which rows are never trained. A `path` goes before `rows`, and these before `share`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float = 0.0
    """Of all rows."""
    rows: int | None = None
    """A count."""
    path: str = ""
    """A source of its own, read with the same recipe."""
    column: str = ""
    """Rows with the same value in this column stay on one side."""
    seed: int = 42


class DataQuery(BaseModel):
    """What is asked of the inspector: the data as a training with these settings would meet it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Recipe
    held_out: HeldOut = HeldOut()
    model: str = ""
    """Whose tokenizer and template; empty shows the data without tokens."""
    offline: bool = False
