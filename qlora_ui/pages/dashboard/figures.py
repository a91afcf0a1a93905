"""The figures at the top of the dashboard: what runs, what is there, and what room is left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.device_meter import short_name
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.explain import explain
from qlora_ui.components.layout import Stat
from qlora_ui.components.status_help import StatusHelp
from qlora_ui.components.words import ago, of_total, per_cent, size
from qlora_ui.contract.records import JobStatus, now
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number
from qlora_ui.meters import DeviceReading
from qlora_ui.pages.runs.overview import finished_since

if TYPE_CHECKING:
    from qlora_ui.services import Services

_READ_DEVICE_EVERY_S = 3.0


class Figures(ui.element, default_classes="qu-stats qu-stats-six"):
    """Six cards. Those about runs follow them, the device is read all the time, and `read` looks at everything else."""

    def __init__(self, services: Services) -> None:
        super().__init__("div")
        self._services = services
        self.device: DeviceReading | None = None
        """The last reading of the first device."""
        with self:
            self._running = Stat(_("Running"))
            self._finished = Stat(_("Finished this week"))
            self._adapters = Stat(_("Adapters"), "…")
            self._datasets = Stat(_("Datasets"), "…")
            self._disk = Stat(_("Free disk"), "…")
            self._device = Stat(_("Device load"), "…")
            with self._adapters:
                explain("adapter")
            with self._running:
                StatusHelp()
            changed = services.jobs.jobs_changed
            listen(changed, throttled(self, self._count_jobs))
            listen(changed, self._count_adapters)
            listen(changed, self._show_disk)
            ui.timer(_READ_DEVICE_EVERY_S, self._read_device, immediate=False)
        self._count_jobs()

    async def read(self) -> int:
        """Look at everything that lies on the disk, and at the device. Returns the free bytes."""
        await self._count_adapters()
        await self._count_datasets()
        await self._read_device()
        return await self._show_disk()

    async def _read_device(self) -> None:
        readings = await self._services.devices()
        if not readings:
            return
        first, used = readings[0], of_total(readings[0].memory_used, readings[0].memory_total)
        self._device.value.text = "–" if first.utilisation is None else per_cent(round(first.utilisation))
        self._device.note.text = _("{device}, {memory}", device=short_name(first.name), memory=used)
        self.device = first

    def _count_jobs(self) -> None:
        jobs = self._services.jobs.jobs.values()
        statuses = [job.status for job in jobs]
        waiting = statuses.count(JobStatus.PENDING)
        self._running.value.text = number(statuses.count(JobStatus.RUNNING))
        self._running.note.text = (
            n_("{count} waiting in the queue", "{count} waiting in the queue", waiting)
            if waiting
            else _("nothing waits")
        )
        self._finished.value.text, self._finished.note.text = finished_since(jobs, now() - timedelta(days=7))

    async def _count_adapters(self) -> None:
        adapters = await self._services.adapters()
        self._adapters.value.text = number(len(adapters))
        self._adapters.note.text = (
            _("the newest is {name}", name=adapters[-1].name) if adapters else _("a finished training adds one")
        )

    async def _count_datasets(self) -> None:
        datasets = await self._services.datasets()
        self._datasets.value.text = number(len(datasets))
        self._datasets.note.text = (
            _("the newest came {time}", time=ago(datasets[-1].added_at)) if datasets else _("a file you drop adds one")
        )

    async def _show_disk(self) -> int:
        free, used = await self._services.disk_free(), await self._services.runs_size()
        self._disk.value.text = size(free)
        nothing = "" if self._services.jobs.jobs else _("no runs yet")  # a new run was not measured yet
        self._disk.note.text = _("runs use {size}", size=size(used)) if used else nothing
        return free
