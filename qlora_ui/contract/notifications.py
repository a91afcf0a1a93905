"""What people are told once, by the bell and beyond it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from qlora_ui.contract.records import Moment, now


class Notification(BaseModel):
    """Something that people are told once: by the bell, and beyond it as each of them likes."""

    id: str
    """What it tells of, such as `<run id>:<attempt>:<status>` or `update:0.3.0`; nothing is told twice."""
    event: str
    """What happened, for programs: `job_completed`, `job_failed`, `job_interrupted`, `job_alert`, `all_done`, `update`,
    `webhook_failed`."""
    code: str = ""
    """What an alert is about, for programs: a value of `AlertCode`, or empty."""
    topic: Literal["job_complete", "errors", "updates"]
    tone: Literal["success", "warning", "error", "info"]
    title: str
    """English, a text of the catalogs, with places for `values`."""
    values: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    """What else is known, as an English sentence of an error or an event; empty when the title says it all."""
    time: Moment = Field(default_factory=now)
    """When it happened."""
    told_at: Moment = Field(default_factory=now)
    """When it was told here, which is later for what happened while no server ran; no two have the same."""
    job_id: str | None = None
    path: str = ""
    """The page of the app that it leads to."""
