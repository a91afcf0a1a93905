"""What a run has said so far, folded from its events: curves, log, samples, checkpoints, progress."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.log_lines import LogEntry, entry_of

LOG_LINES_KEPT = 5_000


class Curves:
    """Figures over steps, by name. Steps rise within a curve; a step that is measured again replaces its old value."""

    def __init__(self) -> None:
        self._steps: dict[str, list[int]] = {}
        self._values: dict[str, list[float]] = {}

    @property
    def names(self) -> list[str]:
        return list(self._steps)

    def points(self, name: str) -> list[tuple[int, float]]:
        """The curve as (step, value) pairs, empty for a name that was never measured."""
        return list(zip(self._steps.get(name, ()), self._values.get(name, ()), strict=True))

    def latest(self, name: str) -> float | None:
        values = self._values.get(name)
        return values[-1] if values else None

    def add(self, name: str, step: int, value: float) -> None:
        if not math.isfinite(value):
            return  # no place on a curve; the worker says in an event of its own what became of it
        steps, values = self._steps.setdefault(name, []), self._values.setdefault(name, [])
        if not steps or step > steps[-1]:
            steps.append(step)
            values.append(value)
            return
        place = bisect_left(steps, step)
        if steps[place] == step:
            values[place] = value
        else:
            steps.insert(place, step)
            values.insert(place, value)

    def cut_after(self, step: int) -> None:
        """Drop every point after `step`: a resumed run measures them anew."""
        for name, steps in self._steps.items():
            end = bisect_right(steps, step)
            del steps[end:], self._values[name][end:]


@dataclass
class History:
    """The fold of a run's events, in the order in which they were written."""

    seq: int = 0
    curves: Curves = field(default_factory=Curves)
    logs: deque[LogEntry] = field(default_factory=lambda: deque(maxlen=LOG_LINES_KEPT))
    samples: list[events.Sample] = field(default_factory=list)
    alerts: list[events.Alert] = field(default_factory=list)
    checkpoints: list[events.CheckpointSaved] = field(default_factory=list)
    phases: list[tuple[str, datetime]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    started: events.Started | None = None
    """Of the newest attempt."""
    first_started_at: datetime | None = None
    progress: events.Progress | None = None
    message: str = ""
    last_time: datetime | None = None

    def apply(self, event: events.Event) -> LogEntry | None:
        """Take in one event; gives the line that it adds to the log, if it adds one."""
        self.seq, self.last_time = max(self.seq, event.seq), event.time
        match event:
            case events.Started():
                self.started, self.message = event, ""
                self.first_started_at = self.first_started_at or event.time
                self._back_to(self.progress.step if self.progress else 0)
            case events.Resumed():
                self._back_to(event.step)
                self.curves.cut_after(event.step)
                self.samples = [s for s in self.samples if s.step <= event.step]
                self.checkpoints = [c for c in self.checkpoints if c.step <= event.step]
            case events.Phase():
                self.phases.append((event.name, event.time))
                self.message = event.message
            case events.Facts():
                self.facts.update(event.values)
            case events.Progress():
                self.progress = event
            case events.Metric():
                for name, value in event.values.items():
                    self.curves.add(name, event.step, value)
            case events.Sample():
                same = (event.step, event.prompt)  # told again by a resume that begins anew
                self.samples = [s for s in self.samples if (s.step, s.prompt) != same] + [event]
            case events.Alert():
                self.alerts.append(event)
            case events.CheckpointSaved():
                self.checkpoints = [c for c in self.checkpoints if c.step != event.step] + [event]
            case _:
                pass
        if (entry := entry_of(event)) is not None:
            self.logs.append(entry)
        return entry

    def _back_to(self, step: int) -> None:
        """A new attempt begins: what the last one measured of its speed does not hold any more."""
        if self.progress is not None:
            share = step / self.progress.step if self.progress.step else 0.0
            epoch = None if self.progress.epoch is None else self.progress.epoch * share
            self.progress = self.progress.model_copy(update={"step": step, "epoch": epoch, "seconds_left": None})
