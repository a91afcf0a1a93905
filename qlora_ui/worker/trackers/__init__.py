"""Sends a training's curves to the trackers that a person chose. Nothing that goes wrong here ends the training.

Each tracker works in a thread of its own, so that one that waits for a network holds up no step. The run folder has
every figure in any case. The secrets of a tracker, and the address of its server, come from its own settings alone.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import Alert, AlertCode
from qlora_ui.contract.monitoring_parameters import Tracker
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.records import JobStatus
from qlora_ui.contract.trackers import DEFAULT_PROJECT, TOOLS, Tool
from qlora_ui.worker.context import Context
from qlora_ui.worker.trackers.feed import Feed, Opened, Place, Run

CLOSE_SECONDS = 30.0
"""So long the end of a training waits for all its trackers together to take the last points."""
PAUSE_SECONDS = 10.0
"""The same where a person asked for the end, and waits for the device."""
_NOT_TOLD = frozenset({"name", "trackers", "tracker_project", "sample_prompts"})
"""Parameters that are no settings of the training, or that a person wrote for their own eyes."""
_MACHINE = frozenset({"memory", "device_memory", "device_use", "temperature", "power"})


class Trackers:
    """The trackers of one attempt. All methods come back at once but `close`, and are called by one thread."""

    def __init__(self, context: Context, feeds: list[Feed]) -> None:
        self._context = context
        self._feeds = feeds
        self._places: dict[str, Place] = {}

    @property
    def note(self) -> str:
        """Where the curves can be seen, a line for each tracker: its address, or the command that shows it."""
        return "\n".join(f"{place['title']}: {place['url'] or place['command']}" for place in self._places.values())

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Pass on figures that were measured at a step, named as in the `Metric` event."""
        grouped = {_grouped(name): value for name, value in values.items() if math.isfinite(value)}
        for feed in self._feeds:
            feed.put(step, grouped)
        self._tell()

    def close(self, status: JobStatus, summary: Mapping[str, Any] | None = None) -> None:
        """Say how the attempt ended, with the figures of its summary, and wait a while for the last points to arrive.

        A paused or stopped run goes on in the same tracker run when it is resumed. Raises nothing.
        """
        figures = {name: float(value) for name, value in (summary or {}).items() if _is_figure(value)}
        for feed in self._feeds:
            feed.end(status, figures)
        is_urgent = status in {JobStatus.PAUSED, JobStatus.STOPPED}
        until = time.monotonic() + (PAUSE_SECONDS if is_urgent else CLOSE_SECONDS)
        for feed in self._feeds:
            feed.wait(max(0.0, until - time.monotonic()))
        with contextlib.suppress(WorkspaceError):  # a full disk: the run has its own words for that
            self._tell()

    def _tell(self) -> None:
        """What the threads found out meanwhile becomes events here, where no other event is being written."""
        for feed in self._feeds:
            for news in feed.news():
                if isinstance(news, Alert):
                    self._context.report(news)
                else:
                    self._places[feed.tool] = news
                    self._context.facts(trackers=dict(self._places))


def open_trackers(context: Context, parameters: TrainingParameters, run_name: str) -> Trackers:
    """Open the trackers that the parameters name; what is missing or fails becomes an Alert. Raises nothing of theirs.

    Their addresses are told as the fact `trackers`: name → `title`, `url` (may be empty) and `command` (may be empty).
    """
    run = Run(
        id=context.paths.id,
        name=run_name,
        project=parameters.tracker_project or DEFAULT_PROJECT,
        parameters=_told(parameters),
        folder=context.paths.trackers,
        shared=context.workspace.trackers,
        is_local=parameters.offline or os.environ.get("QLORA_UI_OFFLINE") == "1",
    )
    feeds = []
    for name in parameters.trackers:
        if TOOLS[name].is_installed:
            feeds.append(Feed(name, TOOLS[name].title, _opener(name, run)))
        else:
            context.report(_missing(TOOLS[name]))
    for feed in feeds:
        feed.start()
    return Trackers(context, feeds)


def _opener(name: Tracker, run: Run) -> Callable[[], Opened]:
    def open_() -> Opened:
        opened: Opened = importlib.import_module(f"{__name__}.{name}").open_run(run)
        return opened

    return open_


def _missing(tool: Tool) -> Alert:
    return Alert(
        code=AlertCode.TRACKER,
        message=f"The curves do not go to {tool.title}, which is not installed.",
        hint=f"Install it with {tool.how_to_install} where qlora-ui runs. This training goes on without it.",
    )


def _grouped(name: str) -> str:
    """`train/loss`, `eval/loss`, `system/power`: as trackers show figures that belong together."""
    if name.startswith("eval_"):
        return f"eval/{name.removeprefix('eval_')}"
    return f"{'system' if name in _MACHINE else 'train'}/{name}"


def _told(parameters: TrainingParameters) -> dict[str, str | int | float | bool]:
    """The settings by name; lists and tables as JSON, and what is empty left out."""
    chosen = parameters.model_dump(mode="json", exclude=set(_NOT_TOLD))
    return {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
        for name, value in chosen.items()
        if value not in (None, "", [], {})
    }


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
