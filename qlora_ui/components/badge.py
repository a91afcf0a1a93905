"""Small coloured words: where a job stands, how much of something there is."""

from __future__ import annotations

from typing import Literal

from nicegui.binding import BindableProperty, bind_from

from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence

Tone = Literal["info", "success", "warning", "error", "idle"]

_TONES: dict[JobStatus, Tone] = {
    JobStatus.PENDING: "idle",
    JobStatus.RUNNING: "info",
    JobStatus.PAUSED: "warning",
    JobStatus.STOPPED: "idle",
    JobStatus.COMPLETED: "success",
    JobStatus.FAILED: "error",
    JobStatus.INTERRUPTED: "warning",
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
        with self:  # a binding comes from the job, which speaks no language
            self.show(*status_words(self._kind, status))
            self._props["title"] = sentence(status.explanation)


def status_words(kind: JobKind, status: JobStatus) -> tuple[str, Tone]:
    """The word for a job's status and the tone it is said in."""
    word = _at_work(kind) if status is JobStatus.RUNNING else _at_rest(status)
    return word, _TONES[status]


def kind_word(kind: JobKind) -> str:
    """What a job is: `Training`, `Evaluation`, `Merge`."""
    words = {
        JobKind.TRAINING: _("Training", context="a kind of run"),
        JobKind.EVALUATION: _("Evaluation", context="a kind of run"),
        JobKind.MERGE: _("Merge", context="a kind of run"),
        JobKind.EXPORT: _("Export", context="a kind of run"),
        JobKind.PUBLISH: _("Publication", context="a kind of run"),
        JobKind.INFERENCE: _("Serving", context="a kind of run"),
    }
    return words[kind]


def _at_work(kind: JobKind) -> str:
    words = {
        JobKind.TRAINING: _("Training", context="what a run does now"),
        JobKind.EVALUATION: _("Evaluating", context="what a run does now"),
        JobKind.MERGE: _("Merging", context="what a run does now"),
        JobKind.EXPORT: _("Exporting", context="what a run does now"),
        JobKind.PUBLISH: _("Publishing", context="what a run does now"),
        JobKind.INFERENCE: _("Serving", context="what a run does now"),
    }
    return words[kind]


def _at_rest(status: JobStatus) -> str:
    words = {
        JobStatus.PENDING: _("Waiting", context="how a run stands"),
        JobStatus.RUNNING: _("Running", context="how a run stands"),
        JobStatus.PAUSED: _("Paused", context="how a run stands"),
        JobStatus.STOPPED: _("Stopped", context="how a run stands"),
        JobStatus.COMPLETED: _("Finished", context="how a run stands"),
        JobStatus.FAILED: _("Failed", context="how a run stands"),
        JobStatus.INTERRUPTED: _("Interrupted", context="how a run stands"),
    }
    return words[status]


def tag(text: str) -> Text:
    """A count beside a word."""
    return Text(text, classes="qu-tag")
