"""TensorBoard: event files in the run folder. It asks no server and needs no account."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from torch.utils.tensorboard.summary import hparams
from torch.utils.tensorboard.writer import SummaryWriter

from qlora_ui.contract.records import JobStatus
from qlora_ui.worker.trackers.feed import Point, Run


def open_run(run: Run) -> _TensorBoardRun:
    return _TensorBoardRun(run)


class _TensorBoardRun:
    url = ""
    remark = None

    def __init__(self, run: Run) -> None:
        self._folder = run.folder / "tensorboard"
        self._parameters = dict(run.parameters)
        self._writer: SummaryWriter | None = None
        self.command = f"tensorboard --logdir {shlex.quote(str(self._folder))}"

    def log(self, points: Sequence[Point]) -> None:
        writer = self._writer_from(points[0][0])
        for step, values in points:
            for name, value in values.items():
                writer.add_scalar(name, value, step)
        writer.flush()

    def close(self, status: JobStatus, summary: Mapping[str, float]) -> None:
        writer = self._writer_from(0)
        if summary:
            for part in hparams(self._parameters, {f"final/{name}": value for name, value in summary.items()}):
                writer.file_writer.add_summary(part)
            for name, value in summary.items():
                writer.add_scalar(f"final/{name}", value, 0)
        writer.close()

    def _writer_from(self, step: int) -> SummaryWriter:
        """Opened for the first point: TensorBoard then drops what an earlier attempt measured from its step on."""
        if self._writer is None:
            again = self._folder.exists()
            self._writer = SummaryWriter(str(self._folder), purge_step=step if again and step else None)
            if not again:
                table = "\n".join(f"| {name} | {value} |" for name, value in self._parameters.items())
                self._writer.add_text("parameters", f"| setting | value |\n|---|---|\n{table}")
        return self._writer
