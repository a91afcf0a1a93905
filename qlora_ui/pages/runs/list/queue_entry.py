"""One run in the queue: its place, what it waits for, and the ways to another place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui

from qlora_ui.components.badge import kind_word
from qlora_ui.components.button import icon_button
from qlora_ui.components.layout import row
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.reorder import ReorderEntry
from qlora_ui.components.running_card import model_name
from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.list.menu import RunMenu
from qlora_ui.theme import Icon


class QueueEntry(ReorderEntry):
    """`move(id, index)` puts it at a place among those that wait, from 0."""

    def __init__(self, job: Job, menu: RunMenu, move: Callable[[str, int], Awaitable[None]]) -> None:
        super().__init__()
        self.job = job
        self._menu, self._move_to = menu, move
        self._place: int | None = None
        self._waiting = 0
        with self:
            self._number = Text(classes="qu-queue-place qu-num")
            with ui.element("div").classes("qu-grow qu-queue-run"):
                with row(wrap=True):
                    ui.link(job.name, f"/activity/{job.id}").classes("qu-title-link qu-strong qu-break")
                    Text(f"{kind_word(job.kind)} · {model_name(job)}", classes="qu-xs qu-muted qu-break")
                with row(gap=1) as self._second_line:
                    self._chain = Icon("corner-down-right", size=14)
                    self._waits_for = Text(classes="qu-xs qu-muted qu-break")
            with row(gap=1):
                up, down = _("Move {name} up", name=job.name), _("Move {name} down", name=job.name)
                self._up = icon_button(up, "arrow-up", lambda: self._by(-1), size="sm")
                self._down = icon_button(down, "arrow-down", lambda: self._by(1), size="sm")
                MenuButton(_("What can be done with {name}", name=job.name), icon="ellipsis", ask=self._items)

    def follow(self, place: int | None, waiting: int, jobs: Mapping[str, Job]) -> None:
        """Show it at this place of so many that wait, from 1; None for one that is paused."""
        self._place, self._waiting = place, waiting
        can_move = place is not None and waiting > 1
        self.set_key(self.job.id if can_move else "")
        self._number.text = number(place) if place is not None else "–"
        self._chain.set_visibility(self.job.record.after is not None)
        self._waits_for.text = waits_for(self.job, jobs)
        self._second_line.set_visibility(bool(self._waits_for.text))
        for button in (self._up, self._down):
            button.set_visibility(can_move)
        self._up.disable_because(_("It is the first one.") if place == 1 else "")
        self._down.disable_because(_("It is the last one.") if place == waiting else "")

    async def _by(self, steps: int) -> None:
        if self._place is not None:
            await self._move_to(self.job.id, self._place - 1 + steps)

    def _items(self) -> list[MenuItem]:
        items = self._menu.items(self.job)
        if self._place is None or self._waiting < 2:
            return items
        is_first, is_last = self._place == 1, self._place == self._waiting
        to_front = MenuItem(
            _("Move to the front"),
            "arrow-up-to-line",
            action=lambda: self._move_to(self.job.id, 0),
            reason=_("It is the first one.") if is_first else "",
        )
        to_end = MenuItem(
            _("Move to the end"),
            "arrow-down-to-line",
            action=lambda: self._move_to(self.job.id, self._waiting - 1),
            reason=_("It is the last one.") if is_last else "",
        )
        return [items[0], to_front, to_end, *items[1:]]


def waits_for(job: Job, jobs: Mapping[str, Job]) -> str:
    """What its place does not tell of its turn: what else it waits for, or that those before it let it pass."""
    if job.status is JobStatus.PAUSED:
        return _("It is paused: it keeps its place, and starts only after it was resumed.")
    before = jobs.get(job.record.after or "")
    if before is not None and before.status in {JobStatus.RUNNING, JobStatus.PENDING}:
        return _("after {name}", name=before.name)
    if job.is_next and job.queue_position != 1:
        return _("next in the queue")
    return sentence(queue.obstacle(job, jobs))
