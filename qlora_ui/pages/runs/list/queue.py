"""The queue on top of the list: who is next, what each waits for, and how a person puts it into another order."""

from __future__ import annotations

import asyncio

from qlora_ui.components.badge import tag
from qlora_ui.components.browser.focus import focus_if_lost
from qlora_ui.components.button import Button
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, row
from qlora_ui.components.notice import Notice
from qlora_ui.components.reorder import ReorderList
from qlora_ui.components.text import LiveRegion, muted
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.list.menu import RunMenu
from qlora_ui.pages.runs.list.queue_entry import QueueEntry

ENTRIES_AT_FIRST, MORE_ENTRIES = 8, 25


class QueueCard(Card, default_classes="qu-queue"):
    """There as long as something waits, or the queue is held."""

    def __init__(self, jobs: JobManager, menu: RunMenu) -> None:
        super().__init__(_("Queue"))
        self._jobs, self._menu = jobs, menu
        self._limit = ENTRIES_AT_FIRST
        self._entries: dict[str, QueueEntry] = {}
        self._moving = asyncio.Lock()
        with self.head:
            with row() as beside_title:
                self._count = tag("")
            self.title.move(beside_title, target_index=0)
            self._hold = Button(_("Hold the queue"), lambda: self._set_held(True), icon="pause", size="sm")
            self._go_on = Button(_("Continue the queue"), lambda: self._set_held(False), icon="play", size="sm")
        beside_title.move(target_index=0)
        with self:
            held = _("The queue is held: nothing new is started until it is continued. What is at work goes on.")
            self._held = Notice(held, "warning")
            self._held._props["role"] = "status"
            self._list = ReorderList(label=_("Queue"), on_move=self._move)
            self._foot = row(between=True, wrap=True).classes("qu-queue-foot")
            with self._foot:
                self._more = Button("", self._show_more, size="sm", variant="ghost")
                self._keys = muted(_("Alt and the arrow keys move a run, too."), size="xs").classes("qu-only-mouse")
            self._voice = LiveRegion()
            listen(jobs.jobs_changed, throttled(self, self._follow))
        self._follow()

    def _follow(self) -> None:
        """Bring the entries in step with the queue. Only a run that is new to it gets an entry built."""
        in_place = queue.placed(self._jobs.jobs.values())
        shown = [job for job in in_place if job.status is not JobStatus.RUNNING]
        waiting = [job for job in shown if job.status is JobStatus.PENDING]
        held = self._jobs.queue_held
        self.set_visibility(bool(shown) or held)
        self._count.text = number(len(shown))
        self._hold.set_visibility(not held)
        self._go_on.set_visibility(held)
        self._held.set_visibility(held)
        self._keys.set_visibility(len(waiting) > 1)
        self._bring_in_step(shown[: self._limit])
        places = {job.id: place for place, job in enumerate(waiting, start=1)}
        for job in shown[: self._limit]:
            self._entries[job.id].follow(places.get(job.id), len(waiting), self._jobs.jobs)
        left = len(shown) - self._limit
        self._more.text = n_("Show {count} more", "Show {count} more", min(max(left, 0), MORE_ENTRIES))
        self._more.set_visibility(left > 0)
        self._foot.set_visibility(left > 0 or len(waiting) > 1)

    def _bring_in_step(self, shown: list[Job]) -> None:
        known = {job.id: job for job in shown}
        for job_id, entry in list(self._entries.items()):
            if known.get(job_id) is not entry.job:
                self._entries.pop(job_id).delete()
        for place, job in enumerate(shown):
            if job.id not in self._entries:
                with self._list:
                    self._entries[job.id] = QueueEntry(job, self._menu, self._move)
            if self._list.default_slot.children[place] is not (entry := self._entries[job.id]):
                entry.move(target_index=place)

    def _show_more(self) -> None:
        self._limit += MORE_ENTRIES
        self._follow()

    async def _set_held(self, is_held: bool) -> None:
        """Hold the queue or let it go on; the other button takes the place of the one that was pressed."""
        await (self._jobs.hold_queue() if is_held else self._jobs.continue_queue())
        if not self.is_deleted:
            self._follow()
            focus_if_lost(self._go_on if is_held else self._hold)

    async def _move(self, job_id: str, index: int) -> None:
        """Put a run at a place among those that wait, from 0, and say where it is now."""
        try:
            async with self._moving:  # what is pressed in quick succession happens in that order
                await self._jobs.move(job_id, index + 1)
        except QloraUiError as error:
            with self:
                toast_error(error)
            return
        if self.is_deleted:
            return
        waiting = [job.id for job in self._jobs.queue]
        with self:
            self._follow()
            if job_id in waiting:
                counts = {"place": number(waiting.index(job_id) + 1), "total": number(len(waiting))}
                name = self._jobs.jobs[job_id].name
                self._voice.say(_("{name} is at place {place} of {total} now.", name=name, **counts))
