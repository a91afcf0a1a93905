"""The head of a job's page: name, status, and what can be done. What can do nothing says why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.browser.focus import focus_if_lost
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.dialog import confirm
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.page_header import PageHeader, name_tab
from qlora_ui.components.status_help import StatusHelp
from qlora_ui.components.toast import toast
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark
from qlora_ui.pages.runs import pausing
from qlora_ui.pages.runs.job.dialogs import ask_for_more_epochs
from qlora_ui.pages.runs.job.reasons import (
    delete_reason,
    duplicate_reason,
    extend_reason,
    failed_on_data,
    pause_reason,
    pause_words,
    stop_reason,
)
from qlora_ui.pages.runs.job.words import tab_title

if TYPE_CHECKING:
    from qlora_ui.services import Services


class JobHeader:
    """Pause and stop while it is under way, the way on where it ended, and the rest in a menu.

    Deleting is in the menu, so that it never comes under a pointer that was about to stop.
    """

    def __init__(self, services: Services, job: Job) -> None:
        self._jobs, self._job = services.jobs, job
        header = PageHeader(job.name, crumbs=[(_("Activity"), "/activity")])
        self._title = header.title
        with header.beside_title:
            StatusBadge(job)
            StatusHelp(job.kind)
        with header.actions.classes("qu-job-actions"):
            self._build_actions()
        self._is_left = False
        self._pressed_at: JobStatus | None = None
        listen(job.changed, throttled(header, self._follow, seconds=0.5))
        listen(services.jobs.jobs_changed, self._leave_when_deleted)
        self._follow()

    def _build_actions(self) -> None:
        jobs, job = self._jobs, self._job
        mend = f"/train?from={job.id}&step=data"
        self._mend = link_button(_("Change and start again"), mend, icon="sliders-horizontal", variant="primary")
        self._resume = Button(_("Resume"), self._doing(jobs.resume), icon="play", variant="primary")
        self._retry = Button(_("Try again"), self._doing(jobs.retry), icon="rotate-ccw", variant="primary")
        self._change = link_button(_("Change and start again"), f"/train?from={job.id}", icon="sliders-horizontal")
        self._extend = Button(_("Train longer"), self._ask_for_more_epochs, icon="fast-forward")
        self._pause = Button("", self._ask_to_pause, icon="pause")
        self._stop = Button(_("Stop", context="verb"), self._doing(jobs.stop), icon="square")
        MenuButton(_("More to do with this run"), icon="ellipsis", ask=self._more)

    def _follow(self) -> None:
        job = self._job
        is_open, is_about_data = not job.status.is_final, failed_on_data(job)
        self._resume.set_visibility(job.can_resume and job.status is not JobStatus.FAILED)
        self._retry.set_visibility(job.status is JobStatus.FAILED)
        self._retry.classes(
            add="qu-btn-secondary" if is_about_data else "qu-btn-primary",
            remove="qu-btn-primary" if is_about_data else "qu-btn-secondary",
        )
        self._mend.set_visibility(is_about_data)
        is_failed_training = job.status is JobStatus.FAILED and job.kind is JobKind.TRAINING
        self._change.set_visibility(is_failed_training and not is_about_data)
        self._extend.set_visibility(job.status is JobStatus.COMPLETED and job.kind is JobKind.TRAINING)
        self._pause.set_visibility(is_open and job.status is not JobStatus.PAUSED)
        self._stop.set_visibility(is_open)
        self._pause.text = pause_words(job)
        self._pause.disable_because(pause_reason(job))
        self._stop.disable_because(stop_reason(job))
        self._extend.disable_because(extend_reason(job))
        name_tab(tab_title(job))
        if self._pressed_at not in {None, job.status}:
            self._pressed_at = None
            focus_if_lost(self._title)  # the button that was pressed may be gone

    def _more(self) -> list[MenuItem]:
        job, is_training = self._job, self._job.kind is JobKind.TRAINING
        items = []
        if is_training:
            address = f"/train?from={job.id}"
            items.append(MenuItem(_("Change and start again"), "sliders-horizontal", target=address))
        items.append(
            MenuItem(
                _("Start once more, from the beginning"),
                "copy-plus",
                action=self._duplicate,
                reason=duplicate_reason(job),
            )
        )
        if is_training:
            reason = extend_reason(job)
            items.append(MenuItem(_("Train longer"), "fast-forward", action=self._ask_for_more_epochs, reason=reason))
        reason = delete_reason(job)
        items.append(MenuItem(_("Delete"), "trash-2", action=self._ask_delete, reason=reason, is_dangerous=True))
        return items

    def _doing(self, action: Callable[[str], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            self._pressed_at = self._job.status
            await action(self._job.id)

        return do

    async def _ask_to_pause(self) -> None:
        self._pressed_at = self._job.status
        await pausing.pause(self._jobs, self._job)

    async def _duplicate(self) -> None:
        ui.navigate.to(f"/activity/{(await self._jobs.duplicate(self._job.id)).id}")

    async def _ask_for_more_epochs(self) -> None:
        if (extended := await ask_for_more_epochs(self._jobs, self._job)) is not None:
            ui.navigate.to(f"/activity/{extended.id}")

    async def _ask_delete(self) -> None:
        text = _(_WHAT_GOES.get(self._job.kind, _WHAT_GOES[JobKind.TRAINING]))
        question = _("Delete {name}?", name=self._job.name)
        if await confirm(question, text, action=_("Delete"), is_dangerous=True):
            await self._jobs.delete(self._job.id)

    def _leave_when_deleted(self) -> None:
        if self._job.id not in self._jobs.jobs and not self._is_left:
            self._is_left = True  # other news may come until the browser has gone
            toast(_("{name} was deleted.", name=self._job.name), "info")
            ui.navigate.to("/activity")


_WHAT_GOES = {
    JobKind.TRAINING: mark(
        "Its checkpoints, adapter, curves and log are removed from the disk. This cannot be undone."
    ),
    JobKind.EVALUATION: mark("Its scores, answers and log are removed from the disk. This cannot be undone."),
    JobKind.MERGE: mark(
        "Its receipt and log are removed from the disk, which cannot be undone. The merged model stays where it is."
    ),
}
