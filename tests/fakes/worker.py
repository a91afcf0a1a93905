"""A worker without any machine learning: it reads a run folder and writes what a real one would, within a second.

    python tests/fakes/worker.py RUN_DIR

It keeps the whole contract: events with running numbers, sealed checkpoints, `exit.json` last and in one step, a stop
or pause by command file or signal, resume from the newest whole checkpoint, a last word on a full disk. The name of the
run scripts its fate:

    … fails …     ends with an error after half of the steps
    … crashes …   is gone after half of the steps, without a word
    … breaks …    breaks down after half of the steps, as a library in native code does
    … hungry …    asks for 400 MB of memory after half of the steps
    … deaf …      hears no stop, no pause and no gentle signal
    … slow …      takes a tenth of a second a step

`FAKE_WORKER_STEP_SECONDS` sets the time of a step (default 0.005) for runs that are not slow. In the file that
`FAKE_WORKER_DIARY` names, it notes what it really did, apart from the home folder: a line of JSON when it starts, when
it is about to write its end, and when it has. `FAKE_CLOCK_SECONDS` puts its clock wrong by so much.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock

from qlora_ui.contract import checkpoints
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.events import (
    Alert,
    AlertCode,
    CheckpointSaved,
    Facts,
    Failed,
    Finished,
    Log,
    Metric,
    Phase,
    Progress,
    Resumed,
    Sample,
    Stopped,
)
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import CHECKPOINT_MARKER, RunPaths, Workspace
from qlora_ui.contract.records import (
    Command,
    EndCause,
    EvaluationMetrics,
    EvaluationReport,
    ExitRecord,
    JobKind,
    JobRecord,
    JobStatus,
    MergeReceipt,
    Score,
)
from qlora_ui.worker.beginning import first_words
from qlora_ui.worker.report import EventWriter

STEPS = 20
"""How long a training is when its parameters set no limit."""


RESERVE = 8 << 10


def main(folder: Path) -> int:
    paths = RunPaths(folder)
    record = JobRecord.model_validate_json(paths.job.read_text())
    note(record, "starts")
    with FileLock(paths.lock, timeout=0):
        paths.exit.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            paths.reserve.write_bytes(bytes(RESERVE))
        with EventWriter(paths.events) as report:
            return FakeWorker(paths, record, report).run()


def note(record: JobRecord, what: str, status: str = "") -> None:
    """One line of the diary, in one system call."""
    if file := os.environ.get("FAKE_WORKER_DIARY"):
        entry = {"run": record.id, "attempt": record.attempt, "pid": os.getpid(), "what": what, "status": status}
        with Path(file).open("ab", buffering=0) as diary:
            diary.write(json.dumps(entry).encode() + b"\n")


class FakeWorker:
    def __init__(self, paths: RunPaths, record: JobRecord, report: EventWriter) -> None:
        self.paths, self.record, self.say = paths, record, report
        self.parameters: dict[str, Any] = yaml.safe_load(paths.parameters.read_text())
        self.name = str(self.parameters.get("name") or self.record.name)
        self.epochs = float(self.parameters.get("num_train_epochs", 3))
        self.signalled = False
        slow = 0.1 if "slow" in self.name else float(os.environ.get("FAKE_WORKER_STEP_SECONDS", "0.005"))
        self.step_seconds = slow
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def run(self) -> int:
        """Work, and have a last word when the disk takes no more."""
        try:
            self.say(first_words(self.paths, self.record.attempt))
            return self.work_on_device()
        except (OSError, WorkspaceError) as error:
            self.paths.reserve.unlink(missing_ok=True)
            words = str(error)
            with contextlib.suppress(WorkspaceError):
                self.say(Failed(error=words))
            self.exit(JobStatus.FAILED, error=words, cause=EndCause.DISK)
            return 1

    def work_on_device(self) -> int:
        device = "cpu" if self.record.device == "auto" else self.record.device
        workspace = Workspace(self.paths.folder.parent.parent)
        workspace.devices.mkdir(parents=True, exist_ok=True)
        self.say(Phase(name="waiting", message=f"Waits for {device}."))
        with FileLock(workspace.device_lock(device)):
            self.say(Phase(name="loading", message="Loads the model."))
            return self.work()

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
        if "breaks" in self.name:
            signal.raise_signal(signal.SIGSEGV)
        if "hungry" in self.name:
            len(bytearray(400 << 20))
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
        for folder in reversed(checkpoints.all_of(self.paths.checkpoints)):
            if (fault := next(checkpoints.faults(folder), None)) is not None:
                self.say(Alert(code=AlertCode.DAMAGED_CHECKPOINT, message=fault))
                shutil.rmtree(folder)
        whole = checkpoints.newest(self.paths.checkpoints)
        step = checkpoints.step_of(whole) if whole is not None else 0
        if self.record.attempt > 1 or step:
            self.say(Resumed(step=step))
        return step

    def save(self, step: int) -> None:
        folder = self.paths.checkpoints / checkpoints.name_of(step)
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / "weights.bin"
        weights.write_bytes(bytes([step % 256]) * 64)
        marker = checkpoints.Marker(step=step, files={weights.name: checkpoints.seal_of(weights)})
        write_atomically(folder / CHECKPOINT_MARKER, marker.model_dump_json())
        self.say(CheckpointSaved(step=step, folder=folder.name, bytes=marker.bytes))

    def finish(self, summary: dict[str, Any]) -> int:
        self.say(Finished(summary=summary))
        self.exit(JobStatus.COMPLETED, summary=summary)
        return 0

    def exit(self, status: JobStatus, **rest: Any) -> None:
        record = ExitRecord(status=status, attempt=self.record.attempt, **rest)
        self.paths.reserve.unlink(missing_ok=True)
        note(self.record, "ends", status)
        write_atomically(self.paths.exit, record.model_dump_json())
        note(self.record, "ended", status)

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


if __name__ == "__main__":
    if wrong_by := os.environ.get("FAKE_CLOCK_SECONDS"):
        from tests.fakes.clock import shift  # whoever sets the clock wrong puts these tests on the path

        shift(float(wrong_by))
    sys.exit(max(0, main(Path(sys.argv[1]))))
