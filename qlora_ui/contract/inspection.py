"""What the inspector says of a data file: made by `qlora_ui.data`, shown by the command line and the pages."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class TokenView(BaseModel):
    """One token of a rendered row, as training sees it."""

    id: int
    text: str
    trained: bool
    """Its label is its id; the label of any other token is −100."""
    special: bool


class TurnView(BaseModel):
    role: Literal["system", "user", "assistant", "tool", "text"]
    content: str
    trained: bool


class RowView(BaseModel):
    """One row: as it was, as a conversation and, where a tokenizer is known, as tokens."""

    number: int
    """1 for the first row of the file."""
    original: dict[str, Any]
    turns: list[TurnView]
    tokens: list[TokenView] | None = None
    truncated: bool = False


class Finding(BaseModel):
    """Something about the file that a person should know before training."""

    level: Literal["note", "warning", "error"]
    message: str
    hint: str = ""
    rows: list[int] = Field(default_factory=list)
    """The first rows (at most 50) it is true of; `count` says how many there are."""
    count: int = 0


class Inspection(BaseModel):
    file: str
    bytes: int
    rows: int
    format: str
    """One of the names of `DataFormat` but `auto`."""
    seen: str
    """One sentence: which columns spoke for this format."""
    columns: list[str]
    findings: list[Finding] = Field(default_factory=list)
    views: list[RowView] = Field(default_factory=list)
    template: str = ""
    """Where the chat template came from; empty without a tokenizer."""
    tokens: int | None = None
    """Over all rows, after truncation."""
    tokens_trained: int | None = None
    rows_truncated: int | None = None
    rows_untrainable: int | None = None
    """Rows in which no token would be trained."""
    duplicates: int = 0
    """Rows that are equal to an earlier one."""
