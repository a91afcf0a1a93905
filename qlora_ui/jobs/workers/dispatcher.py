"""Starts the workers of jobs that are ready, one per free device."""

from __future__ import annotations

import contextlib

from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import ExitRecord, JobRecord, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.run_folder import read_record, write_record
from qlora_ui.jobs.workers.launcher import Launcher
from qlora_ui.jobs.workers.leases import free_device, is_held


class Dispatcher:
    """Launches; its caller holds the lock of the queue, so that no run is started twice. Runs in a thread."""

    def __init__(self, workspace: Workspace, launcher: Launcher) -> None:
        self._workspace = workspace
        self._launcher = launcher

    def has_room(self, ready: list[Job], busy: set[str]) -> bool:
        """Whether one of the jobs would find a device that is neither leased nor in `busy`."""
        wanted = {job.parameters.device for job in ready}
        return any(free_device(self._workspace, device, busy) is not None for device in wanted)

    def start_ready(self, ready: list[Job], busy: set[str]) -> bool:
        """Start each of the jobs, in their order, that finds a free device. True when one was started.

        Raises WorkspaceError when nothing can be written; a folder that cannot be read holds up its own job only.
        """
        launched = False
        in_vain: set[str] = set()
        for job in ready:
            wanted = job.parameters.device
            device = None if wanted in in_vain else free_device(self._workspace, wanted, busy)
            if device is None:
                in_vain.add(wanted)
                continue
            if is_held(job.paths.lock):  # a worker that was given up for dead still holds it
                continue
            try:
                record = read_record(job.paths)
            except WorkspaceError:
                continue
            if record.state == "queued":
                busy, launched = busy | {device}, True
                self._launch(job, record, device)
        return launched

    def _launch(self, job: Job, record: JobRecord, device: str) -> None:
        record = record.model_copy(
            update={"state": "launched", "attempt": record.attempt + 1, "device": device, "process": None}
        )
        write_record(job.paths, record)  # before the start: if this process dies now, nobody starts it twice
        try:
            process = self._launcher.launch(job.paths, offline=job.parameters.offline)
        except ProcessLookupError:
            return  # it ended at once: what it wrote, or did not write, tells the rest
        except OSError as error:
            ended = ExitRecord(
                status=JobStatus.FAILED,
                attempt=record.attempt,
                error=f"Its process could not be started: {error.strerror}.",
                hint="Free memory or disk space, then try again.",
            )
            write_atomically(job.paths.exit, ended.model_dump_json())
            return
        with contextlib.suppress(WorkspaceError):  # it is at work, whatever the disk says, and tells who it is itself
            write_record(job.paths, record.model_copy(update={"process": process}))
