"""The live job: what pages bind to. Its run folder is the truth; this object follows it."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from datetime import datetime
from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.log_lines import LogEntry
from qlora_ui.contract.parameters import JobParameters
from qlora_ui.contract.paths import RunPaths
from qlora_ui.contract.records import EndCause, ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.jobs.concerns import Concern
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.history.history import History
from qlora_ui.jobs.reactive import Event, bindable_dataclass

_BINDABLE = ("status", "progress", "message")
"""Each costs every job of a home some microseconds at the start, so only what pages bind to is among them."""
_ANNOUNCED = (
    "status",
    "progress",
    "step",
    "total_steps",
    "epoch",
    "seconds_left",
    "message",
    "error",
    "hint",
    "cause",
    "started_at",
    "ended_at",
    "updated_at",
    "queue_position",
    "is_next",
    "can_stop",
    "can_pause",
    "can_resume",
    "can_retry",
    "can_extend",
    "can_duplicate",
)
"""Scalars whose change is told by `changed`."""


@bindable_dataclass(bindable_fields=_BINDABLE, eq=False)
class Job:  # type: ignore[call-arg]  # NiceGUI passes `eq` on to dataclass, which its annotation does not tell
    """One job, past, waiting or at work. Changes of its scalars and what grows are announced by the events at the end.

    `status`, `progress` and `message` can be bound to as well.
    """

    paths: RunPaths
    record: JobRecord
    parameters: JobParameters

    status: JobStatus = JobStatus.PENDING
    progress: float = 0.0
    """0 to 1."""
    step: int = 0
    total_steps: int = 0
    epoch: float | None = None
    seconds_left: float | None = None
    message: str = ""
    """One sentence: what it does now, what it waits for, or how it ended."""
    error: str = ""
    hint: str = ""
    cause: EndCause | None = None
    """Why it ended without its result; None while it did not, and for causes that older versions did not note."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime = field(init=False)
    queue_position: int | None = None
    """Its place among all that wait, from 1, as `JobManager.move` takes it; None when it does not wait."""
    is_next: bool = False
    """It is the first of those that wait for nothing but a device; who stands before it waits for another run."""
    can_stop: bool = False
    can_pause: bool = False
    can_resume: bool = False
    can_retry: bool = False
    """It ended early, and can go back into the queue from its last whole checkpoint."""
    can_extend: bool = False
    """It is a training that came somewhere, so that a new run can go on from where it ended."""
    can_duplicate: bool = True

    traceback: str = ""
    """What Python said of a failure, for those who can read that."""
    concerns: list[Concern] = field(default_factory=list)
    """What the server sees of it while it is at work. Whoever changes the list tells it by `tell(always=True)`."""
    summary: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    history_loaded: bool = False
    """False for a run of the past whose events were not read yet: `JobManager.load_history` reads them."""

    asked_to: str = ""
    """`stop` or `pause`, while its worker has not yet obeyed; a log line or a metric meanwhile changes no wish."""
    _told: tuple[Any, ...] = ()

    changed: Event[[]] = field(default_factory=Event)
    """Some scalar changed."""
    metric_added: Event[events.Metric] = field(default_factory=Event)
    """Emitted with each new point of the curves."""
    log_added: Event[LogEntry] = field(default_factory=Event)
    """Emitted with each new line of the log."""
    curves_reset: Event[[]] = field(default_factory=Event)
    """Points were taken back, or the whole history was read: draw the curves anew."""

    def __post_init__(self) -> None:
        self.updated_at = self.record.created_at

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def kind(self) -> JobKind:
        return self.record.kind

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def created_at(self) -> datetime:
        return self.record.created_at

    @property
    def curves(self) -> Curves:
        return self.history.curves

    @property
    def logs(self) -> deque[LogEntry]:
        return self.history.logs

    @property
    def samples(self) -> list[events.Sample]:
        return self.history.samples

    @property
    def alerts(self) -> list[events.Alert]:
        return self.history.alerts

    @property
    def checkpoints(self) -> list[events.CheckpointSaved]:
        return self.history.checkpoints

    @property
    def phases(self) -> list[tuple[str, datetime]]:
        return self.history.phases

    @property
    def facts(self) -> dict[str, Any]:
        return self.history.facts

    def take_in(self, new_events: list[events.Event]) -> None:
        """Follow the worker: fold events into the history, and tell listeners what is new."""
        for event in new_events:
            entry = self.history.apply(event)
            if isinstance(event, events.Metric):
                self.metric_added.emit(event)
            if isinstance(event, events.Resumed):
                self.curves_reset.emit()
            if entry is not None:
                self.log_added.emit(entry)
        if new_events:
            self._follow_history()
            self.tell(always=True)

    def replace_history(self, history: History, *, whole: bool = True) -> None:
        """Show a history that was read as a whole, or the outline of one."""
        self.history, self.history_loaded = history, whole
        self._follow_history()
        self.curves_reset.emit()
        self.tell(always=True)

    def forget_history(self) -> None:
        """Keep only how far it came, as for a run of the past whose events were not read yet."""
        self.history, self.history_loaded = self.history.outline(), False

    def tell(self, *, always: bool = False) -> None:
        """Announce that a scalar changed, if one did since the last time."""
        scalars = tuple(getattr(self, name) for name in _ANNOUNCED)
        if always or scalars != self._told:
            self._told = scalars
            self.changed.emit()

    def settle(
        self,
        record: JobRecord,
        status: JobStatus,
        ended: ExitRecord | None,
        *,
        asked_to: str = "",
        has_checkpoint: bool = False,
    ) -> bool:
        """Take over where the run stands, as read from its folder. True when the status changed; `tell` it after."""
        was, self.record = self.status, record
        self.status, self.asked_to = status, asked_to
        self._follow_history()
        self.can_stop = status in {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED} and not asked_to
        self.can_pause = status in {JobStatus.PENDING, JobStatus.RUNNING} and not asked_to
        self.can_resume = status.can_resume
        self.can_retry = status in {JobStatus.FAILED, JobStatus.STOPPED, JobStatus.INTERRUPTED}
        self.can_extend = status.is_final and self.kind is JobKind.TRAINING and self.step > 0
        current = ended if ended is not None and ended.attempt == record.attempt else None
        self._explain_end(current if record.state == "launched" else None)
        if current is not None:
            self.summary, self.ended_at, self.updated_at = current.summary, current.time, current.time
        if status in {JobStatus.PENDING, JobStatus.RUNNING}:
            self.ended_at = None
        elif self.ended_at is None:
            self.ended_at = self.history.last_time
        if status is JobStatus.COMPLETED:
            self.progress = 1.0
        if status is not JobStatus.RUNNING:
            self.seconds_left, self.concerns = None, []
            self.message = self.error or _at_rest(record, status, has_checkpoint)
        return status is not was

    def _explain_end(self, ended: ExitRecord | None) -> None:
        """What the run itself says of its end; of one that could say nothing, the launcher may know more."""
        self.error, self.hint = (ended.error, ended.hint) if ended else ("", "")
        self.cause, self.traceback = (ended.cause, ended.traceback) if ended else (None, "")

    def _follow_history(self) -> None:
        history = self.history
        if history.started is not None:
            self.started_at = history.first_started_at
        if history.last_time is not None:
            self.updated_at = max(self.updated_at, history.last_time)
        if history.progress is not None:
            self.step, self.total_steps = history.progress.step, history.progress.total_steps
            self.epoch = history.progress.epoch
            share = self.step / self.total_steps if self.total_steps else 0.0
            self.progress = 1.0 if self.status is JobStatus.COMPLETED else min(share, 1.0)
        if self.status is JobStatus.RUNNING:
            self.seconds_left = history.progress.seconds_left if history.progress else None
            self.message = history.message or self.status.explanation
            if self.asked_to:
                self.message = (
                    "It was asked to pause, and does so at the next step that can be saved."
                    if self.asked_to == "pause"
                    else "It was asked to stop, and does so at the next step that can be saved."
                )


def _at_rest(record: JobRecord, status: JobStatus, has_checkpoint: bool) -> str:
    """How a run stands that is not at work, and what a resume would do."""
    if status is not JobStatus.STOPPED:
        return status.explanation
    if has_checkpoint:
        return "A person stopped it; resume goes on from its last checkpoint."
    if record.attempt:
        return "A person stopped it before it had a checkpoint; resume begins anew."
    return "A person took it out of the queue before it began; resume puts it back."
