"""What the home folder takes on the disk, measured while the page is open, and the way to free some of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import background_tasks, ui

from qlora_ui import storage_use
from qlora_ui.components.button import Button
from qlora_ui.components.layout import Skeleton, column
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.section_nav import Section
from qlora_ui.components.text import LiveRegion, Text, heading, paragraph
from qlora_ui.components.words import size
from qlora_ui.locales import _, mark
from qlora_ui.pages.settings.clean_up import CleanUp
from qlora_ui.storage_use import Kind, StorageUse

if TYPE_CHECKING:
    from qlora_ui.services import Services

_KINDS: dict[Kind, tuple[str, str]] = {
    "runs": (mark("Adapters and reports"), mark("What runs have made.")),
    "checkpoints": (mark("Checkpoints"), mark("What runs go on from after a break.")),
    "logs": (mark("Logs and curves"), mark("What runs said while they worked.")),
    "datasets": (mark("Data"), mark("Data files that were added.")),
    "prepared": (
        mark("Prepared data"),
        mark("Tokens of data that were read once, so that the next start is immediate."),
    ),
    "models": (mark("Models"), mark("Base models and merged models in the home folder.")),
    "cache": (
        mark("Opened before"),
        mark("Curves and logs of long runs in a form that opens at once. It is made again when it is needed."),
    ),
    "other": (mark("Everything else"), mark("The database with its backup, and what the app keeps for itself.")),
}


def storage(services: Services) -> Section:
    with Section("storage", _("Storage")) as section:
        measured = _Measured(services)
        with section.head:
            measured.button = Button(_("Measure again"), measured.begin, icon="rotate-ccw", size="sm")
        CleanUp(services, on_cleaned=measured.begin)
        measured.begin()
    return section


class _Measured(ui.element, default_classes="qu-col qu-gap-4"):
    """The figures; skeletons stand in their places until they are there. Ends its work when the page is left."""

    def __init__(self, services: Services) -> None:
        super().__init__("div")
        self._services = services
        self._task: asyncio.Task[None] | None = None
        self.button: Button | None = None
        with self:
            self._said = LiveRegion()
            self._room = column(gap=4)

    def begin(self) -> None:
        self._end()
        self._room.clear()
        with self._room:
            _skeletons()
            Button(_("Stop measuring"), self._give_up, size="sm")
        self._task = background_tasks.create(self._measure(), name="measure the home folder", context=self.client)

    async def _measure(self) -> None:
        if self.button is not None:
            self.button.set_visibility(False)
        use, free = await asyncio.gather(storage_use.measure(self._services.workspace), self._services.disk_free())
        self._show(lambda: _figures(use, free, self._services))
        self._said.say(_("The home folder takes {size}.", size=size(use.total)))

    def _give_up(self) -> None:
        self._end()
        self._show(lambda: paragraph(_("It was not measured to its end."), muted=True, size="sm"))

    def _show(self, build: Callable[[], object]) -> None:
        self._room.clear()
        with self._room:
            build()
        if self.button is not None:
            self.button.set_visibility(True)

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _handle_delete(self) -> None:
        self._end()
        super()._handle_delete()


def _figures(use: StorageUse, free: int, services: Services) -> None:
    paragraph(_("The home folder takes {size}; {free} are free on its disk.", size=size(use.total), free=size(free)))
    with ui.element("ul").classes("qu-uses"):
        for kind, (name, help) in _KINDS.items():
            with ui.element("li"):
                with ui.element("div").classes("qu-row qu-between"):
                    with ui.element("span"):
                        Text(f"{_(name)} ", "b")
                        Text(_(help), classes="qu-xs qu-muted")
                    Text(size(use.kinds[kind]), classes="qu-num qu-nowrap")
                ProgressBar(_(name), use.kinds[kind] / max(use.total, 1), thin=True)
    for link in use.links:
        words = _("{folder} is a link to another place, which is neither measured nor cleaned.", folder=link.name)
        paragraph(words, muted=True, size="sm")
    if use.largest:
        heading(_("Largest runs"), 3)
        with ui.element("ul").classes("qu-list qu-sm"):
            for run_id, taken in use.largest:
                with ui.element("li").classes("qu-row qu-between"):
                    job = services.jobs.jobs.get(run_id)
                    if job is None:
                        Text(run_id, classes="qu-break")
                    else:
                        ui.link(job.name, f"/activity/{run_id}").classes("qu-title-link qu-break")
                    Text(size(taken), classes="qu-num qu-nowrap")


def _skeletons() -> None:
    Skeleton(width="min(360px, 100%)")
    for _place in _KINDS:
        with column(gap=2):
            Skeleton(width="min(240px, 60%)")
            Skeleton(height="6px")
