"""Starts the workers of jobs that are ready, one per free device."""

from __future__ import annotations

from filelock import FileLock, Timeout

from qlora_ui.contract.files import write_atomically
from qlora_ui.contract.paths import Workspace
from qlora_ui.contract.records import ExitRecord, JobRecord, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.launcher import Launcher
from qlora_ui.jobs.leases import free_device
from qlora_ui.jobs.run_folder import read_record, write_record


class Dispatcher:
    """Launches under a lock that all managers of the home share, so that no run is started twice. Runs in a thread."""

    def __init__(self, workspace: Workspace, launcher: Launcher) -> None:
        self._workspace = workspace
        self._launcher = launcher

    def start_ready(self, ready: list[Job], busy: set[str]) -> bool:
        """Start each of the jobs, in their order, that finds a device which is neither leased nor in `busy`.

        True when one was started. Raises WorkspaceError when a run folder cannot be read.
        """
        try:
            lock = FileLock(self._workspace.queue_lock).acquire(blocking=False)
        except Timeout:
            return False  # another manager is at it; there will be a next time
        launched = False
        with lock:
            for job in ready:
                device = free_device(self._workspace, job.parameters.device, busy)
                if device is None or (record := read_record(job.paths)).state != "queued":
                    continue
                busy, launched = busy | {device}, True
                self._launch(job, record, device)
        return launched

    def _launch(self, job: Job, record: JobRecord, device: str) -> None:
        record = record.model_copy(
            update={"state": "launched", "attempt": record.attempt + 1, "device": device, "process": None}
        )
        write_record(job.paths, record)  # before the start: if this process dies now, nobody starts it twice
        try:
            process = self._launcher.launch(job.paths)
            write_record(job.paths, record.model_copy(update={"process": process}))
        except ProcessLookupError:
            pass  # it ended at once: what it wrote, or did not write, tells the rest
        except OSError as error:
            ended = ExitRecord(
                status=JobStatus.FAILED,
                attempt=record.attempt,
                error=f"Its process could not be started: {error.strerror}.",
                hint="Free memory or disk space, then resume it.",
            )
            write_atomically(job.paths.exit, ended.model_dump_json())
