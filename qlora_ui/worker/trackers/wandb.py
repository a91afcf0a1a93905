"""Weights & Biases: on its server where it is set up, else in files that can be sent there later."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import wandb

from qlora_ui.contract.records import JobStatus
from qlora_ui.worker.trackers.feed import Point, Run, reason_of

ANSWER_SECONDS = 15
"""So long its server may take to answer before the run is kept in files."""
FILES_SECONDS = 90
"""So long it may take to open files, which a busy machine needs."""
_STEP = "step"


def open_run(run: Run) -> _WandbRun:
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # its own crash reports go to its makers otherwise
    run.folder.mkdir(parents=True, exist_ok=True)
    mode = "offline" if run.is_local else os.environ.get("WANDB_MODE", "online")
    if mode != "online":
        return _WandbRun(_init(run, mode))
    try:
        return _WandbRun(_init(run, mode))
    except wandb.Error as error:
        wandb.teardown()  # else the run that could not be opened stands in the way of the one in files
        return _WandbRun(
            _init(run, "offline"),
            (
                f"Weights & Biases keeps the curves in files, because its server cannot be used: {reason_of(error)}.",
                "Log in with wandb login where qlora-ui runs; wandb sync sends what was kept.",
            ),
        )


def _init(run: Run, mode: str) -> Any:
    """Nothing of the machine or the program is sent but what a training tells: no code, no console, no hardware."""
    return wandb.init(
        project=run.project,
        name=run.name,
        id=run.id,
        resume="allow",
        dir=str(run.folder),
        mode=cast(Any, mode),  # a person's own setting may be any word: it says which ones it knows
        config=dict(run.parameters),
        settings=wandb.Settings(
            console="off",
            disable_code=True,
            disable_git=True,
            disable_job_creation=True,
            init_timeout=ANSWER_SECONDS if mode == "online" else FILES_SECONDS,
            silent=True,
            x_disable_meta=True,
            x_disable_stats=True,
        ),
    )


class _WandbRun:
    def __init__(self, run: Any, remark: tuple[str, str] | None = None) -> None:
        self._run = run
        self.remark = remark
        self.url = run.url or ""
        self.command = "" if self.url else f"wandb sync {shlex.quote(str(Path(run.dir).parent))}"
        run.define_metric(_STEP, hidden=True)
        run.define_metric("*", step_metric=_STEP)  # a resumed run measures steps anew, which its own count refuses

    def log(self, points: Sequence[Point]) -> None:
        for step, values in points:
            self._run.log({_STEP: step, **values})

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        self._run.summary.update(dict(summary))
        self._run.finish(exit_code=1 if status is JobStatus.FAILED else 0)
