"""What a run has said so far, folded from its events: curves, log, samples, checkpoints, progress."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.log_lines import LogEntry, entry_of, shortened, shown
from qlora_ui.jobs.history.curves import Curves

LOG_LINES_KEPT = 200
"""The newest ones; the log file has all of them."""
ALERTS_KEPT = 200
PHASES_KEPT = 2_000
"""A worker that says the same without end must not fill the memory of those who listen."""

_LONG_TEXTS = ("prompt", "answer", "reference")
"""Of a sample."""


@dataclass
class History:
    """The fold of a run's events, in the order in which they were written."""

    seq: int = 0
    curves: Curves = field(default_factory=Curves)
    logs: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=LOG_LINES_KEPT))
    sampled: dict[tuple[int, str], events.Sample] = field(default_factory=dict)
    """By step and prompt, in the order in which they were told."""
    alerts: list[events.Alert] = field(default_factory=list)
    """The newest ones."""
    alerts_told: int = 0
    """How many there were in all."""
    checkpoints: list[events.CheckpointSaved] = field(default_factory=list)
    phases: list[tuple[str, datetime]] = field(default_factory=list)
    """What it did from when on; an empty name is the end of an attempt, after which it did nothing."""
    resumed_at: list[int] = field(default_factory=list)
    """The steps from which attempts went on."""
    facts: dict[str, Any] = field(default_factory=dict)
    started: events.Started | None = None
    """Of the newest attempt."""
    first_started_at: datetime | None = None
    progress: events.Progress | None = None
    message: str = ""
    last_time: datetime | None = None

    @property
    def samples(self) -> list[events.Sample]:
        """What the model answered to the prompts, in the order in which it did."""
        return list(self.sampled.values())

    def apply(self, event: events.Event) -> LogEntry | None:
        """Take in one event; gives the line that it adds to the log, if it adds one."""
        before, self.last_time = self.last_time, event.time
        self.seq = max(self.seq, event.seq)
        match event:
            case events.Started():
                self._end_phase(before or event.time)
                self.started, self.message = event, ""
                self.first_started_at = self.first_started_at or event.time
                self._back_to(self.progress.step if self.progress else 0)
            case events.Resumed():
                self._back_to(event.step)
                self.resumed_at = [step for step in self.resumed_at if step < event.step] + [event.step]
                self.curves.cut_after(event.step)
                self.sampled = {key: sample for key, sample in self.sampled.items() if sample.step <= event.step}
                self.checkpoints = [c for c in self.checkpoints if c.step <= event.step]
            case events.Phase():
                self.phases = [*self.phases[1 - PHASES_KEPT :], (event.name, event.time)]
                self.message = shown(event.message)
            case events.Facts():
                self.facts.update(event.values)
            case events.Progress():
                self.progress = event
            case events.Metric():
                for name, value in event.values.items():
                    self.curves.add(name, event.step, value)
            case events.Sample():
                event = event.model_copy(update={name: shown(getattr(event, name)) for name in _LONG_TEXTS})
                self.sampled.pop(key := (event.step, event.prompt), None)  # told again by a resume that begins anew
                self.sampled[key] = event
            case events.Alert():
                self.alerts, self.alerts_told = [*self.alerts[1 - ALERTS_KEPT :], event], self.alerts_told + 1
            case events.CheckpointSaved():
                self.checkpoints = [c for c in self.checkpoints if c.step != event.step] + [event]
            case events.Finished() | events.Stopped() | events.Failed():
                self._end_phase(event.time)
            case _:
                pass
        if (entry := entry_of(event)) is not None:
            entry = shortened(entry)
            self.logs.append(entry)
        return entry

    def _end_phase(self, moment: datetime) -> None:
        if self.phases and self.phases[-1][0]:
            self.phases.append(("", moment))

    def outline(self) -> History:
        """How far it came, without all that grew on the way."""
        kept = ("seq", "started", "first_started_at", "progress", "message", "last_time")
        return History(**{name: getattr(self, name) for name in kept})

    def _back_to(self, step: int) -> None:
        """A new attempt begins: what the last one measured of its speed does not hold any more."""
        if self.progress is not None:
            share = step / self.progress.step if self.progress.step else 0.0
            epoch = None if self.progress.epoch is None else self.progress.epoch * share
            self.progress = self.progress.model_copy(update={"step": step, "epoch": epoch, "seconds_left": None})
