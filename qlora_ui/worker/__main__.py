"""One job, from its run folder to its end: `python -m qlora_ui.worker RUN_DIR`.

Reads `job.json` and `parameters.yaml`; writes `events.jsonl` and, last of all, `exit.json`. Exit code 0 means that the
job was done or ended as asked, 1 that it failed, which `exit.json` explains.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from filelock import FileLock, Timeout

from qlora_ui.contract.errors import JobError
from qlora_ui.contract.events import Alert, Failed, Finished, Stopped
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.parsing import read_frozen_parameters
from qlora_ui.contract.paths import RunPaths, Workspace, model_location
from qlora_ui.contract.records import ExitRecord, JobKind, JobRecord, JobStatus
from qlora_ui.worker.beginning import first_words
from qlora_ui.worker.context import Context
from qlora_ui.worker.control import Control, StopRequested
from qlora_ui.worker.environment import ask_hub_no_more, set_environment
from qlora_ui.worker.errors import explain, traceback_of
from qlora_ui.worker.quiet import hush_known_noise
from qlora_ui.worker.report import EventWriter, Report
from qlora_ui.worker.trackers.feed import is_one_at_work

RESERVE = 64 << 10
"""Bytes kept free for the last event and the exit record."""


def main(arguments: list[str]) -> int:
    """Do the run that the arguments name."""
    if len(arguments) != 1:
        print("usage: python -m qlora_ui.worker RUN_DIR", file=sys.stderr)  # noqa: T201  # there is no run to tell
        return 2
    return work_on(RunPaths(Path(arguments[0]).resolve()))


def work_on(paths: RunPaths) -> int:
    """Take the run, do its job, write down how it ended; gives the exit code."""
    lock = FileLock(paths.lock)
    try:
        lock.acquire(blocking=False)
        record = JobRecord.model_validate_json(paths.job.read_bytes())
    except Timeout:
        return _refuse(f"Another worker is at work on {paths.folder}.")
    except (OSError, ValueError) as error:
        return _refuse(f"{paths.folder} is no run folder: {error}")
    with lock, EventWriter(paths.events) as report:
        paths.exit.unlink(missing_ok=True)
        _keep_room(paths)
        control = Control(paths.command, record.attempt)
        control.listen()
        report(first_words(paths, record.attempt))
        ending = perform(paths, record, report, control)
        paths.reserve.unlink(missing_ok=True)
        write_atomically(paths.exit, ending.model_dump_json(indent=1))
    return 1 if ending.status is JobStatus.FAILED else 0


def perform(paths: RunPaths, record: JobRecord, report: Report, control: Control) -> ExitRecord:
    """Do the job; whatever happens becomes a last event and an exit record."""
    attempt = record.attempt
    try:
        summary = _work(paths, record, report, control)
        report(Finished(summary=summary))
        return ExitRecord(status=JobStatus.COMPLETED, attempt=attempt, summary=summary)
    except StopRequested as request:
        report(Stopped(paused=request.paused, step=request.step))
        return ExitRecord(status=JobStatus.PAUSED if request.paused else JobStatus.STOPPED, attempt=attempt)
    except BaseException as error:
        traceback.print_exc()
        cause, message, hint = explain(error, paths.folder)
        paths.reserve.unlink(missing_ok=True)  # so that these last words find room on a full disk
        try:
            report(Failed(error=message, hint=hint))
        except Exception:
            traceback.print_exc()  # a full disk takes no event; the exit record below is tried all the same
        ended = ExitRecord(status=JobStatus.FAILED, attempt=attempt, error=message, hint=hint, cause=cause)
        return ended.model_copy(update={"traceback": traceback_of(error)})


def _work(paths: RunPaths, record: JobRecord, report: Report, control: Control) -> dict[str, Any]:
    """Load the libraries, take the device, run the kind of job that is asked for; returns its summary."""
    parameters = read_frozen_parameters(paths, record)
    offline = set_environment(model_location(parameters.model_name), offline=parameters.offline)
    context = Context(paths, Workspace(paths.folder.parents[1]), record, parameters, report, control, offline)

    wanted = record.device if record.device != "auto" else parameters.device
    context.phase("starting", "It loads the libraries.")
    hush_known_noise()
    if not offline:
        _leave_silent_hub(context)
    from qlora_ui.worker import devices

    devices.hide_other_gpus(wanted)
    device = devices.choose(wanted, parameters.compute_type, must=parameters.device != "auto")
    if wanted.startswith("cuda") and not device.is_cuda:
        report(Alert(message="PyTorch cannot use the GPU here, so this runs on the processor.", hint=_DOCTOR))
    with devices.lease(context, device):
        from qlora_ui.worker.versions import versions

        context.facts(**device.describe(), versions=versions())
        if record.kind is JobKind.TRAINING:
            from qlora_ui.worker.training.train import train

            return train(context, device)
        if record.kind is JobKind.EVALUATION:
            from qlora_ui.worker.scores.evaluate import evaluate

            return evaluate(context, device)
        if record.kind is JobKind.MERGE:
            from qlora_ui.worker.merge import merge

            return merge(context, device)
        raise JobError(f"A worker cannot do jobs of the kind {record.kind}.")


_DOCTOR = "`qlora-ui doctor` says what to do about it."


def _leave_silent_hub(context: Context) -> None:
    """Where the hub does not answer, let the libraries ask it nothing more: each question would be tried for long."""
    from qlora_ui.data.encoding.tokenizer import hub_answers

    if not hub_answers(context.parameters.model_name):
        context.warn("The model hub does not answer, so only what was fetched from it before can be used.")
        ask_hub_no_more()


def _keep_room(paths: RunPaths) -> None:
    """Take room for the last words. Where there is none already, the first event says that the disk is full."""
    with contextlib.suppress(OSError):
        paths.reserve.write_bytes(bytes(RESERVE))


def leave(code: int) -> NoReturn:
    """End the process; at once where a tracker hangs, whose library would wait for its server before it lets go."""
    if is_one_at_work():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):  # a full disk; how the job ended is written down by now
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201  # the run's events are not this process's to write
    return 1


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
