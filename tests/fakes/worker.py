"""A worker without any machine learning: it reads a run folder and writes what a real one would, within a second.

    python tests/fakes/worker.py RUN_DIR

It keeps the whole contract: events with running numbers, checkpoints with a marker, `exit.json` last and in one step,
stop and pause by command file or signal, resume from the newest checkpoint. The name of the run scripts its fate:

    … fails …     ends with an error after half of the steps
    … crashes …   is gone after half of the steps, without a word
    … deaf …      hears no stop, no pause and no gentle signal
    … slow …      takes a tenth of a second a step

`FAKE_WORKER_STEP_SECONDS` sets the time of a step (default 0.005) for runs that are not slow.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from qlora_ui.contract.events import (
    CheckpointSaved,
    Event,
    Facts,
    Failed,
    Finished,
    Log,
    Metric,
    Phase,
    Progress,
    Resumed,
    Sample,
    Started,
    Stopped,
    dump_event,
    parse_event,
)
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import RunPaths, Workspace
from qlora_ui.contract.records import (
    Command,
    EvaluationMetrics,
    EvaluationReport,
    ExitRecord,
    JobKind,
    JobRecord,
    JobStatus,
    MergeReceipt,
    ProcessIdentity,
    Score,
)

STEPS = 20
"""How long a training is when its parameters set no limit."""


def main(folder: Path) -> int:
    worker = FakeWorker(RunPaths(folder))
    workspace = Workspace(folder.parent.parent)
    with FileLock(worker.paths.lock, timeout=0):
        worker.say(Started(process=ProcessIdentity.of(), attempt=worker.record.attempt))
        device = "cpu" if worker.record.device == "auto" else worker.record.device
        workspace.devices.mkdir(parents=True, exist_ok=True)
        worker.say(Phase(name="waiting", message=f"Waits for {device}."))
        with FileLock(workspace.device_lock(device)):
            worker.say(Phase(name="loading", message="Loads the model."))
            return worker.work()


class FakeWorker:
    def __init__(self, paths: RunPaths) -> None:
        self.paths = paths
        self.record = JobRecord.model_validate_json(paths.job.read_text())
        self.parameters: dict[str, Any] = yaml.safe_load(paths.parameters.read_text())
        self.name = str(self.parameters.get("name") or self.record.name)
        self.epochs = float(self.parameters.get("num_train_epochs", 3))
        self.seq = _last_seq(paths.events)
        self.signalled = False
        slow = 0.1 if "slow" in self.name else float(os.environ.get("FAKE_WORKER_STEP_SECONDS", "0.005"))
        self.step_seconds = slow
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def work(self) -> int:
        match self.record.kind:
            case JobKind.TRAINING:
                return self.train()
            case JobKind.EVALUATION:
                return self.evaluate()
            case _:
                return self.merge()

    def train(self) -> int:
        total = int(self.parameters.get("max_steps") or STEPS)
        every = int(self.parameters.get("save_steps") or max(1, total // 4))
        first = self.resume_step()
        facts = {"device": "cpu", "device_name": "Scripted processor", "rows_train": 432, "rows_validation": 48}
        self.say(Facts(values=facts))
        self.say(Phase(name="training", message="Trains the adapter."))
        for step in range(first + 1, total + 1):
            time.sleep(self.step_seconds)
            self.report(step, total)
            if step % every == 0:
                self.save(step)
            if ended := self.fate(step, total) or self.obey(step):
                return ended
        if total % every:
            self.save(total)
        self.paths.adapter.mkdir(exist_ok=True)
        (self.paths.adapter / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
        summary = {"train_loss": loss_at(total), "eval_loss": loss_at(total) + 0.1, "steps": total, "seconds": 1.0}
        return self.finish({**summary, "tokens_per_second": 9000.0, "adapter": str(self.paths.adapter)})

    def report(self, step: int, total: int) -> None:
        values = {"loss": loss_at(step), "learning_rate": 2e-4 * (1 - step / total), "grad_norm": 0.4}
        self.say(Metric(step=step, values={**values, "tokens_per_second": 9000.0}))
        left = (total - step) * self.step_seconds
        self.say(Progress(step=step, total_steps=total, epoch=self.epochs * step / total, seconds_left=left))
        if step % max(1, total // 4) == 0:
            self.say(Metric(step=step, values={"eval_loss": loss_at(step) + 0.1}))
            self.say(Sample(step=step, prompt="What is 2 + 2?", answer=f"After {step} steps: 4.", reference="4."))
            self.say(Log(message=f"step {step}: evaluation loss {loss_at(step) + 0.1:.4f}"))

    def evaluate(self) -> int:
        rows = 40
        for row in range(1, rows + 1):
            time.sleep(self.step_seconds / 4)
            self.say(Progress(step=row, total_steps=rows))
            if ended := self.fate(row, rows) or self.obey(row):
                return ended
        adapter = scores(0.9, 0.4) if self.parameters.get("adapter_path") else None
        gain, fall = Score(value=0.85, standard_error=0.05), Score(value=-2.6, standard_error=0.1)
        differences = {"accuracy": gain, "loss": fall} if adapter else {}
        report = EvaluationReport(rows=rows, base=scores(0.05, 3.0), adapter=adapter, differences=differences)
        self.paths.report.mkdir(exist_ok=True)
        write_atomically(self.paths.evaluation, report.model_dump_json())
        return self.finish({"rows": rows})

    def merge(self) -> int:
        receipt = MergeReceipt(
            rows=8,
            tokens=512,
            kl=2.1e-6,
            top1_agreement=0.999,
            loss_adapter=0.41,
            loss_merged=0.41,
            kl_limit=1e-3,
            top1_limit=0.99,
            passed=True,
            output_dir=str(self.paths.folder / "merged"),
            save_type="bfloat16",
            target="dequantised",
        )
        self.paths.report.mkdir(exist_ok=True)
        write_atomically(self.paths.receipt, receipt.model_dump_json())
        return self.finish({"output_dir": receipt.output_dir})

    def fate(self, step: int, total: int) -> int:
        """What the run's name has in store: 0 to go on."""
        if step < total / 2:
            return 0
        if "crashes" in self.name:
            os._exit(137)
        if "fails" in self.name:
            error, hint = "The device ran out of memory.", "Choose a smaller batch size."
            self.say(Failed(error=error, hint=hint))
            self.exit(JobStatus.FAILED, error=error, hint=hint)
            return 1
        return 0

    def obey(self, step: int) -> int:
        """End with a checkpoint when a person asked for it: 0 to go on, else −1 (which `main` makes exit code 0)."""
        action = "stop" if self.signalled else self.asked()
        if action is None or "deaf" in self.name:
            return 0
        if self.record.kind is JobKind.TRAINING:
            self.save(step)
        self.say(Stopped(paused=action == "pause", step=step))
        self.exit(JobStatus.PAUSED if action == "pause" else JobStatus.STOPPED)
        return -1

    def asked(self) -> str | None:
        if not self.paths.command.exists():
            return None
        command = Command.model_validate_json(self.paths.command.read_text())
        return command.action if command.attempt == self.record.attempt else None

    def resume_step(self) -> int:
        """The step of the newest whole checkpoint, 0 when there is none."""
        markers = self.paths.checkpoints.glob("*/complete.json")
        newest = max((int(marker.parent.name.rpartition("-")[2]) for marker in markers), default=0)
        if self.record.attempt > 1:
            self.say(Resumed(step=newest))
        return newest

    def save(self, step: int) -> None:
        folder = self.paths.checkpoints / f"checkpoint-{step}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights.bin").write_bytes(b"\0" * 64)
        write_atomically(folder / "complete.json", json.dumps({"weights.bin": 64}))
        self.say(CheckpointSaved(step=step, folder=folder.name, bytes=64))

    def finish(self, summary: dict[str, Any]) -> int:
        self.say(Finished(summary=summary))
        self.exit(JobStatus.COMPLETED, summary=summary)
        return 0

    def exit(self, status: JobStatus, **rest: Any) -> None:
        record = ExitRecord(status=status, attempt=self.record.attempt, **rest)
        write_atomically(self.paths.exit, record.model_dump_json())

    def say(self, event: Event) -> None:
        self.seq += 1
        event.seq = self.seq
        with self.paths.events.open("ab") as file:
            file.write(dump_event(event))

    def _hear(self, *_: object) -> None:
        self.signalled = True


def loss_at(step: int) -> float:
    """A curve that falls and wobbles a little, the same in every run."""
    return round(0.4 + 2.6 * math.exp(-step / 12) + 0.05 * math.sin(step * 1.7), 4)


def scores(accuracy: float, loss: float) -> EvaluationMetrics:
    return EvaluationMetrics(
        accuracy=Score(value=accuracy, standard_error=0.04),
        loss=Score(value=loss, standard_error=0.1),
        perplexity=Score(value=round(math.exp(loss), 3)),
        bleu_score=Score(value=100 * accuracy * 0.9, standard_error=2.0),
        token_accuracy=Score(value=min(1.0, accuracy + 0.08), standard_error=0.02),
    )


def _last_seq(events: Path) -> int:
    lines = events.read_bytes().splitlines() if events.exists() else []
    return parse_event(lines[-1]).seq if lines else 0


if __name__ == "__main__":
    sys.exit(max(0, main(Path(sys.argv[1]))))
