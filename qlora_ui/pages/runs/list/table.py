"""The page of the list that is open: its rows in their order, and which of them are chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

from nicegui import background_tasks, ui

from qlora_ui.components.ago import keep_true
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.forms.row_checks import listen_to_checks
from qlora_ui.components.menu import MenuItem
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.pages.runs.list.row import RunRow

ROWS_AT_ONCE = 8
"""More of them in one go would keep the event loop from everyone else for more than some 20 ms."""


class RunTable(ui.element):
    """Only runs that are shown have a row, and only a run that is new to the page gets one built.

    As long as a person points at a row or has the focus in one, `is_in_use` holds; `on_leave` is called when that ends.
    """

    def __init__(
        self,
        menu: Callable[[Job], list[MenuItem]],
        *,
        on_check: Callable[[list[str], bool], Any],
        on_leave: Callable[[], Any],
    ) -> None:
        super().__init__("div")
        self._menu, self._on_leave = menu, on_leave
        self._rows: dict[str, RunRow] = {}
        self._wanted: list[Job] = []
        self._chosen: Collection[str] = ()
        self._is_building = False
        self._is_pointed_at = self._has_focus = False
        with self:
            names = [_("Run", context="noun"), _("Kind"), _("Progress or result"), _("Made", context="when"), _("Took")]
            actions = _("Actions")
            self._table = DataTable([*names, _("Status"), actions], label=_("Runs"), right={actions})
        self._table.classes("qu-runs")
        listen_to_checks(self._table, on_check)
        self._watch_over()
        keep_true(self)

    @property
    def is_in_use(self) -> bool:
        return bool(self._wanted) and (self._is_pointed_at or self._has_focus)  # nobody is in what is hidden

    @property
    def shown(self) -> list[Job]:
        """The runs of the page, from top to bottom; those of its end may still be on their way."""
        return self._wanted

    def show(self, jobs: Sequence[Job], chosen: Collection[str]) -> None:
        """These runs, in this order. The first of them are there at once, the others a moment later."""
        self._wanted, self._chosen = list(jobs), chosen
        wanted = {job.id: job for job in jobs}
        for job_id, entry in list(self._rows.items()):
            if wanted.get(job_id) is not entry.job:  # it is not wanted, or was read anew and is another object
                self._rows.pop(job_id).element.delete()
        if self._build_some() and not self._is_building:
            self._is_building = True
            background_tasks.create(self._build_rest(), name="rows of runs", context=self)

    def follow(self) -> None:
        """Look at each run whether it stands differently; no row is moved."""
        for entry in self._rows.values():
            entry.follow()

    def drop(self, known: Collection[str]) -> None:
        """Take away the rows of runs that are no more."""
        self._wanted = [job for job in self._wanted if job.id in known]
        for job_id in self._rows.keys() - set(known):
            self._rows.pop(job_id).element.delete()

    def check(self, chosen: Collection[str]) -> None:
        """Show which runs are chosen."""
        self._chosen = chosen
        for job_id, entry in self._rows.items():
            entry.check.show(job_id in chosen)

    def _build_some(self) -> bool:
        """Build some of the rows that are wanted, and bring all into order. True when some are still missing."""
        missing = [job for job in self._wanted if job.id not in self._rows]
        for job in missing[:ROWS_AT_ONCE]:
            self._rows[job.id] = RunRow(self._table, job, self._menu, is_checked=job.id in self._chosen)
        there = [self._rows[job.id] for job in self._wanted if job.id in self._rows]
        children = self._table.body.default_slot.children
        for place, entry in enumerate(there):
            if children[place] is not entry.element:
                entry.element.move(target_index=place)
            entry.follow()
        return len(missing) > ROWS_AT_ONCE

    async def _build_rest(self) -> None:
        is_missing = True
        while is_missing:
            await asyncio.sleep(0)  # what is in sight is sent first, and other people's pages get their turn
            is_missing = not self.is_deleted and self._build_some()
        self._is_building = False

    def _watch_over(self) -> None:
        """A finger points at nothing before it presses, and would never leave."""
        mouse = "(event) => event.pointerType === 'mouse' && emit()"
        self.on("pointerenter", lambda: self._use(pointed_at=True), [], js_handler=mouse)
        self.on("pointerleave", lambda: self._use(pointed_at=False), [], js_handler=mouse)
        from_outside = "(event) => event.currentTarget.contains(event.relatedTarget) || emit()"
        self.on("focusin", lambda: self._use(focused=True), [], js_handler=from_outside)
        self.on("focusout", lambda: self._use(focused=False), [], js_handler=from_outside)

    def _use(self, *, pointed_at: bool | None = None, focused: bool | None = None) -> None:
        was_in_use = self.is_in_use
        self._is_pointed_at = self._is_pointed_at if pointed_at is None else pointed_at
        self._has_focus = self._has_focus if focused is None else focused
        if was_in_use and not self.is_in_use:
            self._on_leave()
