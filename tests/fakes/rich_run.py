"""The folder of a training that measured everything there is, as a worker on a GPU would leave it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from qlora_ui.contract import events
from qlora_ui.contract.checkpoints import Marker, name_of, seal_of
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parameters import PARAMETERS
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths, Workspace
from qlora_ui.contract.process import ProcessIdentity
from qlora_ui.contract.records import EndCause, ExitRecord, JobKind, JobRecord, JobStatus, new_id, now
from qlora_ui.jobs.run_folder import create_run
from tests.fakes.runs import GONE

PROMPTS = ("My invoice is twice as high as last year. Why?", "Write a reply to <b>an angry customer</b>.")
ANSWERS = (
    "There could be many reasons why your invoice is higher, such as usage.",
    "Your consumption rose by 18 %. Please check your invoice and the meter.",
    "Two things changed: your consumption (+18 %) and the grid fee (+0.04 €/kWh). I can send you the comparison.",
)
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "train.py", line 82, in train\n'
    "    loss = model(**batch).loss\n"
    "ValueError: the batch is empty\n"
)


def write_rich_run(
    workspace: Workspace,
    name: str,
    status: JobStatus = JobStatus.COMPLETED,
    *,
    steps: int = 930,
    total_steps: int = 1500,
    process: ProcessIdentity = GONE,
    parameters: dict[str, Any] | None = None,
    alert: bool = False,
) -> RunPaths:
    """Write it; a running one takes a living process, a failed one has a traceback."""
    start = now() - timedelta(minutes=70)
    launched = {"state": "launched", "attempt": 1, "process": process, "device": "cuda:0"}
    record = JobRecord.model_validate(
        {
            "id": new_id(name, start),
            "kind": "training",
            "name": name,
            "created_at": start,
            "queued_at": start,
            **launched,
        }
    )
    given = {"model_name": "starter", "dataset_path": "starter", "name": name, **(parameters or {})}
    paths = create_run(workspace, record, PARAMETERS[JobKind.TRAINING].model_validate(given))
    said = [*_said(steps, total_steps, process), *_ended(status, steps, alert=alert)]
    gap = timedelta(minutes=60) / len(said)
    with paths.events.open("wb") as file:
        for place, event in enumerate(said):
            file.write(events.dump_event(event.model_copy(update={"seq": place + 1, "time": start + gap * place})))
    for step in _saved_at(steps):
        _write_checkpoint(paths, step, is_best=step == _saved_at(steps)[-1])
    paths.console.write_text("Loading weights: 100 %\nA warning of a library.\n", encoding="utf-8")
    if status is not JobStatus.RUNNING:
        _write_exit(paths, status, start + timedelta(minutes=60))
    return paths


def _said(steps: int, total_steps: int, process: ProcessIdentity) -> Iterator[events.Event]:
    yield events.Started(process=process, attempt=1)
    for phase, words in (("starting", "It loads the libraries."), ("data", "It reads the data.")):
        yield events.Phase(name=phase, message=words)
    facts = {"device": "cuda:0", "device_name": "NVIDIA GeForce RTX 4090", "compute_type": "bfloat16"}
    yield events.Facts(values={**facts, "device_memory": 24_000_000_000, "rows_train": 12_000, "rows_validation": 620})
    yield events.Phase(name="loading", message="It loads the base model in 4 bits.")
    yield from _evaluated(0, 0)
    yield events.Phase(name="training", message=f"It trains: {total_steps:,} steps.")
    for step in range(1, steps + 1):
        yield events.Metric(step=step, values=_measured(step, total_steps))
        if step % 300 == 0:
            yield events.Phase(name="evaluating", message="It evaluates.")
            yield from _evaluated(step, step // 300)
            yield events.CheckpointSaved(step=step, folder=name_of(step), bytes=68_000_000, is_best=True)
            yield events.Phase(name="training", message="It trains.")
    epoch = 2 * steps / total_steps
    yield events.Progress(step=steps, total_steps=total_steps, epoch=epoch, seconds_left=2460.0)


def _ended(status: JobStatus, steps: int, *, alert: bool) -> Iterator[events.Event]:
    if alert:
        message = "The evaluation loss has risen for two evaluations, while the training loss still falls."
        hint = "It learns the examples by heart. Stop, and use the checkpoint that is marked as the best."
        yield events.Alert(code=events.AlertCode.OVERFITTING, step=steps, message=message, hint=hint)
    if status is JobStatus.FAILED:
        yield events.Failed(error="The program ran into an error that nobody foresaw.", hint="Try it again.")
    if status is JobStatus.COMPLETED:
        yield events.Finished()


def _measured(step: int, total_steps: int) -> dict[str, float]:
    noise = math.sin(step * 12.9898) * math.cos(step * 4.1414)
    return {
        "loss": 1.1 + 2.1 * math.exp(-step / 180) + 0.09 * noise,
        "learning_rate": 2e-4 * (1 - step / total_steps),
        "grad_norm": 0.41 + 0.1 * noise,
        "tokens_per_second": 9240.0 + 200 * noise,
        "padding": 0.12 + 0.05 * noise,
        "memory": 6.2e9,
        "device_memory": 17.1e9,
        "device_use": 0.97,
        "temperature": 64.0 + 3 * noise,
        "power": 341.0 + 9 * noise,
    }


def _evaluated(step: int, number: int) -> Iterator[events.Event]:
    loss = 1.18 + 2.0 * math.exp(-step / 190)
    accuracy = 0.8 - 0.4 * math.exp(-step / 190)
    values = {"eval_loss": loss, "eval_perplexity": math.exp(loss), "eval_token_accuracy": accuracy}
    yield events.Metric(step=step, values=values)
    for prompt in PROMPTS:
        answer = ANSWERS[min(number, len(ANSWERS) - 1)]
        yield events.Sample(step=step, prompt=prompt, answer=answer, reference="It is the grid fee.")


def _saved_at(steps: int) -> list[int]:
    return list(range(300, steps + 1, 300)) or [steps]


def _write_checkpoint(paths: RunPaths, step: int, *, is_best: bool) -> None:
    folder = paths.checkpoints / name_of(step)
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"\0" * 68_000)
    seals = {file.name: seal_of(file) for file in folder.iterdir()}
    metrics = {"eval_loss": 1.18 + 2.0 * math.exp(-step / 190)}
    marker = Marker(step=step, files=seals, metrics=metrics, is_best=is_best)
    write_atomically(folder / CHECKPOINT_MARKER, marker.model_dump_json())


def _write_exit(paths: RunPaths, status: JobStatus, moment: datetime) -> None:
    failed: dict[str, Any] = {}
    if status is JobStatus.FAILED:
        failed = {"error": "The program ran into an error that nobody foresaw.", "hint": "Try it again."}
        failed |= {"cause": EndCause.PROGRAM, "traceback": TRACEBACK}
    summary = {"seconds": 3600.0, "eval_loss": 1.2, "train_loss": 1.3} if status is JobStatus.COMPLETED else {}
    record = ExitRecord(status=status, attempt=1, time=moment, summary=summary, **failed)
    write_atomically(paths.exit, record.model_dump_json())
