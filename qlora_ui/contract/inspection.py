"""What is known of data before training: made by `qlora_ui.data`, shown by the command line and the pages.

A `Look` is at hand within a moment: the first rows, or any other few. A `Survey` has been through everything.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from qlora_ui.contract.recipe import DataFormat, Step

Role = Literal["system", "user", "assistant", "tool", "text"]
Level = Literal["note", "warning", "error"]


class TokenView(BaseModel):
    """One token of a rendered row, as training sees it."""

    id: int
    text: str
    trained: bool
    """Its label is its id; the label of any other token is −100."""
    special: bool


class TurnView(BaseModel):
    role: Role
    content: str
    trained: bool


class ExampleView(BaseModel):
    """One conversation (or text) that is trained as a whole."""

    turns: list[TurnView]
    rejected: list[TurnView] = Field(default_factory=list)
    """Of a preference pair: the answer that is not wanted, which a supervised training does not see."""
    rendered: str | None = None
    """The text that the template makes of the turns; None without a tokenizer."""
    tokens: list[TokenView] | None = None
    """As far as they are trained: cut at the longest length. None without a tokenizer."""
    length: int | None = None
    """In tokens, before the cut."""
    truncated: bool = False


class RowView(BaseModel):
    """One row: as it was, and the examples that came of it."""

    number: int
    """1 for the first row, counted over all sources."""
    place: str = ""
    """`train.jsonl, line 17`."""
    original: Any = None
    """Its columns as they were; for a row that could not be read, the text that stood there, cut to a page."""
    examples: list[ExampleView] = Field(default_factory=list)
    """Mostly one; none for a row that is left out; several for one that a step splits."""
    problem: str = ""
    """Why it cannot be used, as a sentence; a training stops at it unless bad rows are skipped."""
    hint: str = ""
    left_out: str = ""
    """Which step leaves it out."""


class Mend(BaseModel):
    """A step that would do away with a finding."""

    step: Step
    label: str
    """What the button says: `Remove duplicates`."""


class Finding(BaseModel):
    """Something about the data that a person should know before training."""

    kind: str = ""
    """Which check found it, for programs: `duplicates`, `near_duplicates`, `truncated`, `secrets` …"""
    level: Level
    message: str
    hint: str = ""
    place: str = ""
    """Of a row that cannot be used, and the first of its kind: `train.jsonl, line 17`."""
    rows: list[int] = Field(default_factory=list)
    """The first rows (at most 50) it is true of; `count` says how many there are."""
    count: int = 0
    mends: list[Mend] = Field(default_factory=list)


class PartView(BaseModel):
    """A part that a column can play in the chosen format."""

    name: str
    """`instruction`, `answer`, `turns`, `role_key` …"""
    column: str = ""
    """The column or key that plays it; empty for none."""
    required: bool = False
    options: list[str] = Field(default_factory=list)
    """What can be chosen: columns of the data, or keys of its messages."""


class Understanding(BaseModel):
    """How rows are read."""

    format: DataFormat
    """Never `auto`."""
    sureness: Literal["certain", "likely", "unsure", "chosen"]
    """`chosen`: a person named the format, or every column that it needs; `unsure`: some columns are guessed."""
    seen: str
    """One or two sentences: what spoke for this format."""
    alternatives: list[DataFormat] = Field(default_factory=list)
    """Formats that the columns would fit as well."""
    columns: list[str] = Field(default_factory=list)
    parts: list[PartView] = Field(default_factory=list)
    roles: dict[str, str] = Field(default_factory=dict)
    """Every speaker's name seen in the first rows → the role it is taken as; empty for one that is not known."""


class SourceView(BaseModel):
    """One source, as it was found."""

    path: str
    name: str
    bytes: int | None = None
    files: int = 1
    note: str = ""
    """Such as: taken from what is cached on this machine."""
    format: str = ""
    """The format that its rows were recognised as; empty where nobody has looked yet."""
    seen: str = ""
    """What spoke for that format."""


class TemplateView(BaseModel):
    """The chat template in use."""

    name: str = ""
    """One of `data.templates.named`, `own` (the model's), `plain` (it has none) or `custom`."""
    source: str
    """Where it comes from, as one sentence."""
    text: str = ""
    """Jinja."""
    findings: list[Finding] = Field(default_factory=list)


class Look(BaseModel):
    """A few rows and how they are understood."""

    sources: list[SourceView]
    understanding: Understanding
    views: list[RowView]
    template: TemplateView | None = None
    """None without a tokenizer, and for plain text."""
    has_more: bool = True
    """There are rows after the last view."""


class Histogram(BaseModel):
    """Lengths of examples in tokens, before the cut; the bin i goes from edges[i] up to, but without, edges[i+1]."""

    edges: list[int]
    counts: list[int]
    median: int
    p95: int
    """95 % of the examples are at most so long."""
    longest: int


class Survey(BaseModel):
    """All rows, gone through once."""

    rows: int
    """In the sources, before weights and steps."""
    bytes: int = 0
    rows_left_out: int = 0
    """By steps."""
    rows_bad: int = 0
    """Cannot be used; a training stops at the first of them unless they are skipped."""
    examples: int = 0
    """Conversations or texts after all steps and weights, trained and held out together."""
    examples_train: int = 0
    examples_held_out: int = 0
    tokens: int | None = None
    """Over all examples, after truncation; None without a tokenizer."""
    tokens_trained: int | None = None
    truncated: int | None = None
    """Examples."""
    untrainable: int | None = None
    """Examples in which no token would be trained: they are left out and counted."""
    duplicates: int = 0
    """Rows that are equal to an earlier one."""
    near_duplicates: int = 0
    """Rows that are almost equal to an earlier one, without the equal ones."""
    lengths: Histogram | None = None
    findings: list[Finding] = Field(default_factory=list)
    """The gravest first."""
    fingerprint: str = ""
    """Of the data, the recipe and the tokenizer: the name of the prepared data in the cache."""
    seconds: float = 0.0
    """How long it took to make; that of the first time where it came from the cache."""
    from_cache: bool = False


class SurveyProgress(BaseModel):
    """How far a survey is."""

    rows: int
    bytes: int
    bytes_total: int | None = None
    """None where it cannot be known."""
    findings: list[Finding] = Field(default_factory=list)
    """What is known so far."""


class Inspection(BaseModel):
    """What `qlora-ui data inspect --json` prints."""

    look: Look
    survey: Survey | None = None
