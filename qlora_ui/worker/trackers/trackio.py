"""trackio: a database on this machine, or the Space or the server that its own settings name."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence

import trackio

from qlora_ui.contract.records import JobStatus
from qlora_ui.worker.trackers.feed import Point, Run

_REMOTE = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL")


def open_run(run: Run) -> _TrackioRun:
    if run.is_local:
        for name in _REMOTE:
            os.environ.pop(name, None)
    is_remote = any(os.environ.get(name) for name in _REMOTE)
    if not is_remote:
        trackio.Run._get_username = lambda _: None  # it would ask the hub for the name of whoever has a token
    opened = trackio.init(
        project=run.project,
        name=run.id,  # by which it is found again, so it has to be the only one
        config={"name": run.name, **run.parameters},
        resume="allow",
        embed=False,
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    command = "" if is_remote else f"trackio show --project {shlex.quote(run.project)}"
    return _TrackioRun(opened, command)


class _TrackioRun:
    remark = None

    def __init__(self, run: trackio.Run, command: str) -> None:
        self._run = run
        self.url = ""
        self.command = command

    def log(self, points: Sequence[Point]) -> None:
        for step, values in points:
            self._run.log(dict(values), step=step)

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        if summary:
            self._run.log({f"final/{name}": value for name, value in summary.items()})
        self._run.finish()
