"""What the web process asks the inspector's processes, one JSON object a line, and what these answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from qlora_ui.contract.inspection import Look, Survey, SurveyProgress
from qlora_ui.contract.recipe import DataQuery
from qlora_ui.contract.references import HubDataset


class Request(BaseModel):
    """`look`: some rows at once. `survey`: everything, with progress. `fetch`: have what is on the hub on this machine.
    `hub`: what a dataset on the hub offers."""

    ask: Literal["look", "survey", "fetch", "hub"]
    query: DataQuery | None = None
    start: int = 1
    limit: int = 20
    rows: list[int] = Field(default_factory=list)
    """Look at these rows instead."""
    name: str = ""
    """Of the hub's dataset: `owner/name`."""
    offline: bool = False
    cache: str = ""
    """The folder that keeps prepared data; empty keeps none."""


class Complaint(BaseModel):
    """An error on its way through a pipe."""

    kind: Literal["DataError", "ModelError", "ParameterError"]
    message: str
    hint: str = ""
    place: str = ""


class Answer(BaseModel):
    """One line: what was asked for, a step on the way to it, or why it cannot be had."""

    look: Look | None = None
    survey: Survey | None = None
    progress: SurveyProgress | None = None
    note: str | None = None
    """A sentence on what is being waited for."""
    is_fetched: bool | None = None
    hub: HubDataset | None = None
    error: Complaint | None = None
