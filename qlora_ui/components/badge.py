"""Small coloured words: where a job stands, how much of something there is."""

from __future__ import annotations

from typing import Literal

from nicegui.binding import BindableProperty, bind_from

from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job

Tone = Literal["info", "success", "warning", "error", "idle"]

_AT_WORK = {
    JobKind.TRAINING: "Training",
    JobKind.EVALUATION: "Evaluating",
    JobKind.MERGE: "Merging",
    JobKind.EXPORT: "Exporting",
    JobKind.PUBLISH: "Publishing",
    JobKind.INFERENCE: "Serving",
}
_WORDS: dict[JobStatus, tuple[str, Tone]] = {
    JobStatus.PENDING: ("Waiting", "idle"),
    JobStatus.RUNNING: ("Running", "info"),
    JobStatus.PAUSED: ("Paused", "warning"),
    JobStatus.STOPPED: ("Stopped", "idle"),
    JobStatus.COMPLETED: ("Finished", "success"),
    JobStatus.FAILED: ("Failed", "error"),
    JobStatus.INTERRUPTED: ("Interrupted", "warning"),
}


class Badge(Text, default_classes="qu-badge"):
    """A word on a coloured ground; the word alone carries the meaning."""

    def __init__(self, text: str, tone: Tone = "idle") -> None:
        super().__init__(text)
        self._tone = tone
        self.classes(f"qu-tone-{tone}")

    def show(self, text: str, tone: Tone) -> None:
        self.text = text
        self.classes(add=f"qu-tone-{tone}", remove=f"qu-tone-{self._tone}" if tone != self._tone else None)
        self._tone = tone


class StatusBadge(Badge):
    """Where a job stands, kept up to date; its tooltip explains the word."""

    status = BindableProperty(on_change=lambda sender, status: sender._follow(status))

    def __init__(self, job: Job) -> None:
        super().__init__(*status_words(job.kind, job.status))
        self._kind = job.kind
        self.status = job.status
        self._follow(job.status)  # the first value of a bindable property announces no change
        bind_from(self, "status", job, "status")

    def _follow(self, status: JobStatus) -> None:
        self.show(*status_words(self._kind, status))
        self._props["title"] = status.explanation


def status_words(kind: JobKind, status: JobStatus) -> tuple[str, Tone]:
    """The word for a job's status and the tone it is said in."""
    if status is JobStatus.RUNNING:
        return _AT_WORK[kind], "info"
    return _WORDS[status]


def tag(text: str) -> Text:
    """A count beside a word."""
    return Text(text, classes="qu-tag")
