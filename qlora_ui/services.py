"""What pages and the HTTP interface work with: settings, the store, the jobs, and what goes over several of them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qlora_ui import clean_up, upload
from qlora_ui.clean_up import Item, Outcome
from qlora_ui.contract.errors import JobError, WorkspaceError
from qlora_ui.contract.inspection import Look, Survey
from qlora_ui.contract.paths import STARTER, Workspace
from qlora_ui.contract.recipe import DataQuery
from qlora_ui.contract.records import Adapter, Dataset, JobKind, JobStatus
from qlora_ui.contract.references import HubDataset
from qlora_ui.inspector import Inspector, OnProgress
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.watchdog import Watchdog
from qlora_ui.jobs.workers.launcher import LocalLauncher
from qlora_ui.jobs.workers.standby import Standby
from qlora_ui.meters import DeviceReading, Meters, free_memory
from qlora_ui.models.scan import FoundModel, hub_cache, scan_models
from qlora_ui.notifications import Notifications
from qlora_ui.people import People
from qlora_ui.settings import AppSettings, prepare_home
from qlora_ui.storage_use import size_of
from qlora_ui.store.credentials import Credentials
from qlora_ui.store.recipes import KeptRecipe
from qlora_ui.store.secret_file import SecretFile
from qlora_ui.store.store import Store

log = logging.getLogger(__name__)

READING_LASTS_S = 1.0
MEASUREMENT_LASTS_S = 15.0


@dataclass
class Services:
    """One per server. Every method keeps the event loop free: files and devices are read in threads."""

    settings: AppSettings
    workspace: Workspace
    store: Store
    jobs: JobManager
    standby: Standby
    notices: list[str] = field(default_factory=list)
    """What the person should know about this start, in sentences: a repair, a disk that is almost full."""
    inspector: Inspector = field(default_factory=Inspector)
    people: People = field(init=False)
    notifications: Notifications = field(init=False)
    watchdog: Watchdog = field(init=False)
    credentials: Credentials = field(init=False)
    _meters: Meters | None = field(default=None, init=False)
    _readings: list[DeviceReading] = field(default_factory=list, init=False)
    _read_at: float = field(default=float("-inf"), init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _runs_size: int = field(default=0, init=False)
    _measured_at: float = field(default=float("-inf"), init=False)
    _measuring: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _indexed: set[str] = field(default_factory=set, init=False)
    _runs_known: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _is_starting: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.people = People(self.store.preferences)
        self.credentials = Credentials(self.workspace)
        address = SecretFile(self.workspace.webhook)
        self.notifications = Notifications(self.store, self.jobs, self.people, address, offline=self.settings.offline)
        self.watchdog = Watchdog(self.jobs, self.devices, self.disk_free)

    @classmethod
    def open(cls, settings: AppSettings) -> Services:
        """Prepare the home folder and open what is in it. Raises WorkspaceError."""
        workspace = settings.workspace
        notices = prepare_home(workspace)
        store = Store(workspace)
        upload.remove_abandoned(workspace)
        if store.recovery:
            notices.insert(0, store.recovery)
        credentials = Credentials(workspace).environment
        inspector = Inspector(cache=workspace.prepared, credentials=credentials)
        standby = Standby(workspace.home, store.instance, allowed=settings.standby, free_memory=free_memory)
        jobs = JobManager(workspace, LocalLauncher(credentials=credentials, reserve=standby))
        return cls(settings, workspace, store, jobs, standby, notices, inspector)

    async def start(self) -> None:
        """Find the jobs, follow them and keep the index of adapters up to date with them."""
        self._is_starting = True
        try:
            self._indexed = {adapter.id for adapter in await self.adapters()}
            self.jobs.jobs_changed.subscribe(self._follow_jobs)
            await self.jobs.start()
        finally:
            self._runs_known.set()
        await self.notifications.start()
        self.watchdog.remarked.subscribe(self.notifications.remark)
        await self.watchdog.start()

    async def until_runs_known(self) -> None:
        """Wait until a start that is under way has found the runs: before, a page would say that there are none."""
        if self._is_starting:
            await self._runs_known.wait()

    async def close(self) -> None:
        """Let go; workers go on."""
        await self.watchdog.close()
        await self.notifications.close()
        await self.inspector.close()
        await self.jobs.close()
        await self.standby.close()

    # ---- data ----

    async def look(self, query: DataQuery, *, start: int = 1, limit: int = 20, rows: Sequence[int] = ()) -> Look:
        """Some rows of the data, as a training with these settings would meet them, and how they are understood.

        No hub is asked when the query or the app itself is offline. Raises DataError (with its place) or ModelError.
        """
        return await self.inspector.look(self._as_offline(query), start=start, limit=limit, rows=rows)

    async def survey(self, query: DataQuery, on_progress: OnProgress = lambda _: None) -> Survey:
        """Go through all rows; what is prepared on the way is kept for the training. Raises as `look` does.

        Cancelling it ends the process that looks.
        """
        return await self.inspector.survey(self._as_offline(query), on_progress)

    async def fetch(self, query: DataQuery, on_note: Callable[[str], None]) -> None:
        """Bring what the query names of the hub onto this machine. Cancelling it ends it. Raises DataError."""
        await self.inspector.fetch(self._as_offline(query), on_note)

    async def hub_dataset(self, name: str, *, offline: bool = False) -> HubDataset:
        """The configurations and splits of a dataset on the hub. Raises DataError."""
        return await self.inspector.hub(name, offline=offline or self.settings.offline)

    async def kept_recipe(self, reference: str) -> KeptRecipe | None:
        """How data of this name were read the last time. Raises WorkspaceError."""
        return await asyncio.to_thread(self.store.recipes.get, reference)

    async def keep_recipe(self, reference: str, recipe: KeptRecipe) -> None:
        """Remember how data of this name are read. Raises WorkspaceError."""
        await asyncio.to_thread(self.store.recipes.keep, reference, recipe)

    def _as_offline(self, query: DataQuery) -> DataQuery:
        return query.model_copy(update={"offline": True}) if self.settings.offline else query

    async def datasets(self) -> list[Dataset]:
        """The data files in the workspace, oldest first."""
        return await asyncio.to_thread(self.store.datasets.list)

    async def add_dataset(self, name: str, chunks: AsyncIterator[bytes], length: int | None = None) -> Dataset:
        """Take in a data file, as `upload.receive` does, and list it."""
        return await self._list_new(await upload.receive(self.workspace, name, chunks, length))

    async def add_text(self, text: str, name: str = "") -> Dataset:
        """Take in a text that somebody pasted, as `upload.receive_text` does, and list it."""
        return await self._list_new(await upload.receive_text(self.workspace, text, name))

    async def finish_upload(
        self, token: str, *, files: int | None = None, sha256: Mapping[str, str] | None = None
    ) -> Dataset:
        """Make a dataset of an upload that came in parts, as `upload.finish` does, and list it."""
        dataset = await upload.finish(self.workspace, token, files=files, sha256=sha256)
        await asyncio.to_thread(self.store.datasets.put, dataset)  # where that fails, asking again lists it
        return dataset

    async def _list_new(self, dataset: Dataset) -> Dataset:
        try:
            await asyncio.to_thread(self.store.datasets.put, dataset)
        except WorkspaceError:
            await asyncio.to_thread(shutil.rmtree, self.workspace.datasets / dataset.id, ignore_errors=True)
            raise
        return dataset

    async def delete_dataset(self, dataset: Dataset) -> None:
        """Delete a data file or folder. Raises JobError while a job that has not ended needs it, WorkspaceError."""
        needed_by = [job.name for job in self.jobs.jobs.values() if not job.status.is_final and _reads(job, dataset)]
        if needed_by:
            raise JobError(f"{dataset.name} is needed by {', '.join(needed_by)}.", "Stop that first.")
        folder = self.workspace.datasets / dataset.id
        try:
            await asyncio.to_thread(shutil.rmtree, folder)
        except FileNotFoundError:
            pass  # it is gone already, which is what was wanted
        except OSError as error:
            raise WorkspaceError(f"The folder {folder} could not be deleted: {error.strerror}.") from error
        await asyncio.to_thread(self.store.datasets.delete, dataset.id)

    async def clean_up(self, items: list[Item]) -> Outcome:
        """Delete what `clean_up.find` found, as far as it may still go, and forget the data files among it.

        Raises WorkspaceError.
        """
        outcome = await clean_up.clean(self.workspace, items)
        self._measured_at = float("-inf")
        await asyncio.to_thread(self.store.datasets.rebuild, self.workspace)
        return outcome

    # ---- models and adapters ----

    async def models(self) -> list[str]:
        """What can be chosen as a base without typing: the starter, then what lies on this machine."""
        return [STARTER, *await self.found_models()]

    async def found_models(self) -> dict[str, FoundModel]:
        """By what a run names it: the workspace's models, and those that were fetched from the hub and can write."""
        folders = (self.workspace.models, hub_cache())
        found = await asyncio.to_thread(scan_models, folders)
        return {model.location: model for model in found if model.facts.writes_text}

    async def adapters(self) -> list[Adapter]:
        """Finished adapters, oldest first."""
        return await asyncio.to_thread(self.store.adapters.list)

    async def index_finished(self, job: Job) -> None:
        """Take over what a completed job has to say: a training's adapter, an evaluation's scores of an adapter."""
        if job.status is JobStatus.COMPLETED and job.kind in {JobKind.TRAINING, JobKind.EVALUATION}:
            await asyncio.to_thread(self.store.adapters.add_run, job.paths)

    # ---- the machine ----

    async def processor(self) -> DeviceReading:
        """What the processor and its memory do now, on a machine with GPUs too."""
        return await asyncio.to_thread(lambda: Meters().read_processor())

    async def devices(self) -> list[DeviceReading]:
        """What the devices do now; at most a second old, however many pages ask."""
        async with self._reading:
            if time.monotonic() - self._read_at >= READING_LASTS_S:
                self._readings = await asyncio.to_thread(self._read_devices)
                self._read_at = time.monotonic()
        return self._readings

    async def disk_free(self) -> int:
        """Bytes that are free on the disk with the home folder."""
        return (await asyncio.to_thread(shutil.disk_usage, self.workspace.home)).free

    async def runs_size(self) -> int:
        """Bytes of all run folders together; measured at most every 15 seconds, however many pages ask."""
        async with self._measuring:
            if time.monotonic() - self._measured_at >= MEASUREMENT_LASTS_S:
                self._runs_size = await asyncio.to_thread(size_of, self.workspace.runs)
                self._measured_at = time.monotonic()
        return self._runs_size

    def _read_devices(self) -> list[DeviceReading]:
        self._meters = self._meters or Meters()
        return self._meters.read()

    async def _follow_jobs(self) -> None:
        """Keep the index of adapters in step with the jobs that are completed, and with those that were deleted."""
        done = {job.id: job for job in self.jobs.jobs.values() if job.status is JobStatus.COMPLETED}
        new, gone = done.keys() - self._indexed, self._indexed - done.keys()
        self._indexed = set(done)
        for job_id in sorted(new):
            try:
                await self.index_finished(done[job_id])
            except WorkspaceError as error:  # the next change of any job tries it anew
                self._indexed.discard(job_id)
                log.error("%s could not be taken into the list of adapters: %s", job_id, error)
        try:
            if gone:
                await asyncio.to_thread(self.store.adapters.rebuild, self.workspace)
        except WorkspaceError as error:
            self._indexed |= gone
            log.error("the list of adapters could not be brought up to date: %s", error)


def _reads(job: Job, dataset: Dataset) -> bool:
    """Whether a job names a data set, or a file inside its folder."""
    named = [getattr(job.parameters, name, "") for name in ("dataset_path", "validation_path")]
    named += [source.path for source in getattr(job.parameters, "more_data", ())]
    place = Path(dataset.path)
    return any(path and (Path(path) == place or place in Path(path).parents) for path in named)
