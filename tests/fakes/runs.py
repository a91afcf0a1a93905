"""Run folders as past and present workers would have left them, for tests and pictures of the app."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import PARAMETERS, JobParameters
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, JobStatus, new_id, now
from qlora_ui.jobs.run_folder import create_run

GONE = ProcessIdentity(pid=1, started="never")
"""A process that does not live."""

EVALUATED: dict[str, Any] = {
    "rows": 400,
    "base": {
        "accuracy": {"value": 0.53, "standard_error": 0.025},
        "loss": {"value": 2.41, "standard_error": 0.03},
        "perplexity": {"value": 11.13},
    },
    "adapter": {
        "accuracy": {"value": 0.71, "standard_error": 0.023},
        "loss": {"value": 1.21, "standard_error": 0.02},
        "perplexity": {"value": 3.35},
    },
    "differences": {"accuracy": {"value": 0.18, "standard_error": 0.02}},
}
"""The summary of an evaluation that found its adapter better than the base."""
MERGED: dict[str, Any] = {
    "rows": 32,
    "tokens": 4096,
    "kl": 2e-5,
    "top1_agreement": 0.9998,
    "loss_adapter": 1.21,
    "loss_merged": 1.21,
    "kl_limit": 1e-3,
    "top1_limit": 0.99,
    "passed": True,
    "output_dir": "models/legal-summaries",
    "save_type": "bfloat16",
    "target": "dequantised",
}
"""The summary of a merge that agrees with its adapter."""


@dataclass
class FakeRun:
    """What one run looks like on the disk."""

    name: str
    status: JobStatus = JobStatus.COMPLETED
    kind: JobKind = JobKind.TRAINING
    parameters: dict[str, Any] = field(default_factory=dict)
    steps: int = 0
    """How far it came; each step has a point in the curve."""
    total_steps: int = 120
    minutes_ago: float = 10
    """Since when it ended, or, when it is at work, since when it runs."""
    minutes: float = 5
    process: ProcessIdentity = GONE
    after: str | None = None
    """The id of the run that it waits for."""
    summary: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    hint: str = ""


def write_run(workspace: Workspace, run: FakeRun) -> RunPaths:
    """Write the folder of a run; `pending` and `paused` ones have not been launched.

    It appears whole: a server that looks meanwhile must not meet one that has not ended yet.
    """
    workspace.runs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.home) as drafts:
        draft = _write_draft(Workspace(Path(drafts)), run)
        draft.folder.rename(workspace.run(draft.id).folder)
    return workspace.run(draft.id)


def _write_draft(workspace: Workspace, run: FakeRun) -> RunPaths:
    end = now() - timedelta(minutes=run.minutes_ago)
    start = end if run.status is JobStatus.RUNNING else end - timedelta(minutes=run.minutes)
    waits = {JobStatus.PENDING: "queued", JobStatus.PAUSED: "held"}.get(run.status)
    record = JobRecord.model_validate(
        {
            "id": new_id(run.name, start),
            "kind": run.kind,
            "name": run.name,
            "created_at": start,
            "queued_at": start,
            "state": waits or "launched",
            "attempt": 0 if run.status is JobStatus.PENDING else 1,
            "process": None if waits else run.process,
            "after": run.after,
        }
    )
    paths = create_run(workspace, record, _parameters(run))
    if run.status is not JobStatus.PENDING:
        _write_events(paths, run, start)
    if run.status in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED}:
        result = ExitRecord(status=run.status, attempt=1, time=end, error=run.error, hint=run.hint, summary=run.summary)
        write_atomically(paths.exit, result.model_dump_json())
    return paths


def _parameters(run: FakeRun) -> JobParameters:
    needed = {"model_name": "starter", "dataset_path": "starter"}
    if run.kind is not JobKind.TRAINING:
        needed["adapter_path"] = "adapter"
    return PARAMETERS[run.kind].model_validate({**needed, "name": run.name, **run.parameters})


def _write_events(paths: RunPaths, run: FakeRun, start: Any) -> None:
    said: list[events.Event] = [
        events.Started(process=run.process, attempt=1),
        events.Phase(name="training", message="It trains."),
        events.Facts(values={"device": "cpu", "rows": 400}),
    ]
    for step in range(1, run.steps + 1):
        loss = 1.1 + 2.1 * math.exp(-step / 25) + 0.09 * math.sin(step * 12.9898) * math.cos(step * 4.1414)
        values = {"loss": loss, "tokens_per_second": 9240.0, "learning_rate": 2e-4, "grad_norm": 0.41}
        if step % 20 == 0:
            values["eval_loss"] = loss + 0.08
        said.append(events.Metric(step=step, values=values))
    if run.steps:
        left = (run.total_steps - run.steps) * 60 * run.minutes / run.total_steps
        saved = run.steps - run.steps % 20
        said.append(events.CheckpointSaved(step=saved, folder=f"checkpoint-{saved}", bytes=68_000_000))
        epoch = 3 * run.steps / run.total_steps
        said.append(events.Progress(step=run.steps, total_steps=run.total_steps, epoch=epoch, seconds_left=left))
    if run.status is JobStatus.PAUSED:
        said.append(events.Stopped(paused=True, step=run.steps))
    gap = timedelta(minutes=run.minutes) / max(len(said), 1)
    lines = [
        events.dump_event(event.model_copy(update={"seq": place + 1, "time": start + gap * place}))
        for place, event in enumerate(said)
    ]
    paths.events.write_bytes(b"".join(lines))


def busy_workspace(home: Path, at_work: ProcessIdentity) -> Workspace:
    """A home in which something of every kind has happened; `at_work` is a living process that the running job has."""
    workspace = Workspace(home)
    trained = {"eval_loss": 1.204, "train_loss": 1.31, "seconds": 6720.0, "steps": 120}
    for run in (
        FakeRun("legal-summaries", steps=120, minutes_ago=64, minutes=112, summary=trained),
        FakeRun("legal-summaries score", kind=JobKind.EVALUATION, minutes_ago=30, minutes=2, summary=EVALUATED),
        FakeRun("legal-summaries merged", kind=JobKind.MERGE, minutes_ago=8, minutes=3, summary=MERGED),
        FakeRun("sql-from-text", JobStatus.INTERRUPTED, steps=82, minutes_ago=200, minutes=34),
        FakeRun(
            "mail-sorting",
            JobStatus.FAILED,
            minutes_ago=1500,
            minutes=1,
            error="The device ran out of memory.",
            hint="Lower the batch size or the longest example, or switch activation checkpointing on; then try again.",
        ),
    ):
        write_run(workspace, run)
    running = FakeRun("support-tone", JobStatus.RUNNING, steps=74, minutes_ago=4, minutes=6, process=at_work)
    before = write_run(workspace, running).id
    write_run(workspace, FakeRun("minutes-of-meetings", JobStatus.PENDING, minutes_ago=1, minutes=0, after=before))
    return workspace
