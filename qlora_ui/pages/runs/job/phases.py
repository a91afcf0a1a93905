"""Where the time of a run went: how long it loaded, read, trained and evaluated. No widget in the first part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nicegui import ui

from qlora_ui.components.events import listen, throttled
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.words import clock, duration
from qlora_ui.contract.records import JobStatus, now
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark
from qlora_ui.locales.figures import day_of_year, number

_SAID_ANEW_S = 1.0
WORDS = {
    "starting": mark("Libraries"),
    "waiting": mark("Waiting for the device"),
    "data": mark("Data"),
    "loading": mark("Model"),
    "training": mark("Training"),
    "evaluating": mark("Evaluation"),
    "merging": mark("Merging"),
    "verifying": mark("Verification"),
    "saving": mark("Saving"),
}
_COLOURS = {
    "starting": 0,
    "waiting": 5,
    "data": 1,
    "loading": 2,
    "training": 3,
    "evaluating": 4,
    "merging": 3,
    "verifying": 4,
    "saving": 5,
}
"""The same in every run, and as the curves have them."""


@dataclass(frozen=True)
class Stretch:
    """All the time that went into one kind of work, over all attempts."""

    name: str
    seconds: float
    is_now: bool = False


def stretches(phases: Sequence[tuple[str, datetime]], until: datetime | None) -> list[Stretch]:
    """The kinds of work in the order in which they first came; `until` ends the last one where it is still going on.

    A clock that was set back meanwhile makes no stretch shorter than nothing.
    """
    ends = [*(moment for _name, moment in phases), until][1:]
    seconds: dict[str, float] = {}
    for (name, start), end in zip(phases, ends, strict=True):
        if name and end is not None:
            seconds[name] = seconds.get(name, 0.0) + max(0.0, (end - start).total_seconds())
    present = phases[-1][0] if phases and until is not None else ""
    return [Stretch(name, spent, name == present) for name, spent in seconds.items()]


class PhasesCard(Card):
    """A bar of all stretches, and each with its time, up to now while it is at work."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Where the time went"))
        self._job = job
        with self:
            self._bar = ui.element("div").classes("qu-phases")
            self._bar._props["aria-hidden"] = "true"  # the list below it says the same
            Live(job.changed, lambda: [one.name for one in self._found()], self._build_list)
            Live(job.changed, lambda: _times(job), self._build_times)
            draw = throttled(self, self._draw, seconds=_SAID_ANEW_S)
            listen(job.changed, draw)
        self._draw()

    def _found(self) -> list[Stretch]:
        return stretches(self._job.phases, now() if self._job.status is JobStatus.RUNNING else None)

    def _build_list(self) -> None:
        self._rows: dict[str, Text] = {}
        self._bar.clear()
        self._parts: dict[str, ui.element] = {}
        for one in self._found():
            colour = f"qu-phase-{_COLOURS.get(one.name, 5)}"
            with self._bar:
                self._parts[one.name] = ui.element("i").classes(colour)
            with ui.element("div").classes("qu-row qu-between qu-sm qu-num"):
                with ui.element("span").classes("qu-row"):
                    ui.element("i").classes(f"qu-phase-key {colour}")._props["aria-hidden"] = "true"
                    Text(_(WORDS[one.name]) if one.name in WORDS else one.name)
                self._rows[one.name] = Text("", classes="qu-strong")

    def _build_times(self) -> None:
        KeyValues(_times(self._job))

    def _draw(self) -> None:
        for one in self._found():
            if one.name in self._rows:
                self._rows[one.name].text = _brief(one.seconds)
                self._parts[one.name].style(f"flex-grow:{max(one.seconds, 0.01):.2f}")


def _brief(seconds: float) -> str:
    """`1.2 s` for what takes less than ten seconds."""
    return _("{count} s", context="seconds", count=number(seconds, 1)) if seconds < 10 else duration(seconds)


def _times(job: Job) -> dict[str, str]:
    """When it began and ended."""
    moments = {_("Started"): job.started_at, _("Ended"): job.ended_at if job.status.is_final else None}
    return {
        name: _("{day}, {time}", context="a moment", day=day_of_year(moment), time=clock(moment))
        for name, moment in moments.items()
        if moment is not None
    }
