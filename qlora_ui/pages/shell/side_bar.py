"""The side bar: the way to every page, how many jobs are under way, and what the device does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.badge import tag
from qlora_ui.components.device_meter import DeviceMeter
from qlora_ui.components.events import listen
from qlora_ui.components.text import Text
from qlora_ui.components.words import size
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.contract.records import JobStatus
from qlora_ui.locales import _, mark
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

LINKS = [
    ("/", mark("Dashboard"), "house"),
    ("/train", mark("Train"), "sliders-horizontal"),
    ("/playground", mark("Playground"), "message-square"),
    ("/evaluate", mark("Evaluate"), "chart-column"),
    ("/publish", mark("Publish"), "package"),
    ("/activity", mark("Activity"), "activity"),
    ("/settings", mark("Settings"), "settings"),
]
"""Path, word and icon of each section of the app."""
_READ_EVERY_S = 3.0


class SideBar(ui.element, default_classes="qu-side"):
    """The navigation. Below 720 px it is a popover, which the menu button of the top bar opens."""

    def __init__(self, services: Services, visitor: Visitor, path: str) -> None:
        super().__init__("nav")
        self._services, self._visitor = services, visitor
        self._props.update({"aria-label": _("Main"), "popover": "auto"})
        self._set_collapsed(visitor.preferences.sidebar_collapsed)
        with self:
            with ui.link(target="/").classes("qu-brand"):
                Text("4b", classes="qu-brand-mark")._props["aria-hidden"] = "true"
                Text("qlora-ui")
            with ui.element("ul"):
                self._links = {target: self._link(target, _(word), icon) for target, word, icon in LINKS}
            self._meter = DeviceMeter()
            self._meter.set_visibility(False)
            with self._meter, ui.element("span").classes("qu-muted qu-xs qu-num") as self._standby_line:
                self._standby = ui.link(target="/settings#standby").classes("qu-title-link")
            self._standby.on("click", js_handler=f"() => {{ {_close(self)} }}")
            listen(services.standby.changed, self._show_standby)
            listen(services.jobs.jobs_changed, self._count)
            listen(services.people.changed, self._follow)
            ui.timer(_READ_EVERY_S, self._read_device)
        self._count()
        self._show_standby()
        self.show_open(path)

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person == self._visitor.person:
            self._set_collapsed(preferences.sidebar_collapsed)

    def _set_collapsed(self, collapsed: bool) -> None:
        self.classes(add="qu-collapsed" if collapsed else None, remove=None if collapsed else "qu-collapsed")

    def show_open(self, path: str) -> None:
        """Show which page is open."""
        path = path.partition("?")[0].partition("#")[0]
        for target, link in self._links.items():
            if path == target or (target != "/" and path.startswith(f"{target}/")):
                link._props["aria-current"] = "page"
            else:
                link._props.pop("aria-current", None)

    def _link(self, target: str, word: str, icon: str) -> ui.link:
        with ui.element("li"), ui.link(word, target).classes("qu-nav") as link:
            Icon(icon)
            if target == "/activity":
                self._running = tag("")
        link.on("click", js_handler=f"() => {{ {_close(self)} }}")
        return link

    def _count(self) -> None:
        statuses = [job.status for job in self._services.jobs.jobs.values()]
        running, waiting = statuses.count(JobStatus.RUNNING), statuses.count(JobStatus.PENDING)
        self._running.text = str(running + waiting)
        self._running._props["title"] = _("{running} running, {waiting} waiting", running=running, waiting=waiting)
        self._running.set_visibility(bool(running + waiting))

    def _show_standby(self) -> None:
        """What the worker that waits takes of the machine's memory; nothing while none does."""
        memory = self._services.standby.memory
        self._standby_line.set_visibility(memory is not None)
        if memory is not None:
            self._standby.text = _("Standby worker: {size}", size=size(memory))

    async def _read_device(self) -> None:
        readings = await self._services.devices()
        if readings and not self.is_deleted:
            self._meter.show(readings[0])
            self._meter.set_visibility(True)


def _close(side_bar: SideBar) -> str:
    """JavaScript that closes the side bar where it is a popover."""
    element = f"getHtmlElement({side_bar.id})"
    return f"if ({element}?.matches(':popover-open')) {element}.hidePopover();"
