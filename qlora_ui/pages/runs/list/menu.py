"""What can be done with one run from the list: the lines of its menu, as it stands at that moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from qlora_ui.components.browser.focus import focus_if_lost
from qlora_ui.components.menu import MenuItem
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.toast import toast
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _
from qlora_ui.pages.runs import pausing
from qlora_ui.pages.runs.job.dialogs import ask_for_more_epochs
from qlora_ui.pages.runs.job.reasons import delete_reason, duplicate_reason, pause_reason, stop_reason
from qlora_ui.pages.runs.list.delete import ask_to_delete


class RunMenu:
    """`header` outlives the rows: what is done with a run is asked and said in there."""

    def __init__(self, jobs: JobManager, header: PageHeader) -> None:
        self._jobs, self._header = jobs, header

    def items(self, job: Job) -> list[MenuItem]:
        """What fits the run as it stands; what will fit later is greyed, with the reason."""
        items = [MenuItem(_("Open"), "chart-column", target=f"/activity/{job.id}"), *self._how_it_goes_on(job)]
        if job.kind is JobKind.TRAINING:
            address = f"/train?from={job.id}"
            items.append(MenuItem(_("Change and start again"), "sliders-horizontal", target=address))
        again, reason = _("Start once more, from the beginning"), duplicate_reason(job)
        items.append(MenuItem(again, "copy-plus", action=lambda: self._duplicate(job), reason=reason))
        if job.can_extend:
            items.append(MenuItem(_("Train longer"), "fast-forward", action=lambda: self._extend(job)))
        reason = delete_reason(job)
        delete = MenuItem(
            _("Delete"), "trash-2", action=lambda: self._delete(job), reason=reason, is_dangerous=not reason
        )
        return [*items, delete]

    def _how_it_goes_on(self, job: Job) -> list[MenuItem]:
        jobs = self._jobs
        stop = self._item(_("Stop", context="verb"), "square", jobs.stop, job, reason=stop_reason(job))
        match job.status:
            case JobStatus.RUNNING | JobStatus.PENDING:
                pause = _("Pause", context="verb")
                return [MenuItem(pause, "pause", action=lambda: self._pause(job), reason=pause_reason(job)), stop]
            case JobStatus.PAUSED:
                return [self._item(_("Resume"), "play", jobs.resume, job), stop]
            case JobStatus.STOPPED | JobStatus.INTERRUPTED:
                return [self._item(_("Resume"), "play", jobs.resume, job)]
            case JobStatus.FAILED:
                return [self._item(_("Try again"), "rotate-ccw", jobs.retry, job)]
            case _:
                return []

    def _item(
        self, text: str, icon: str, do: Callable[[str], Awaitable[object]], job: Job, *, reason: str = ""
    ) -> MenuItem:
        return MenuItem(text, icon, action=lambda: do(job.id), reason=reason)

    async def _pause(self, job: Job) -> None:
        with self._header:
            await pausing.pause(self._jobs, job)

    async def _duplicate(self, job: Job) -> None:
        made = await self._jobs.duplicate(job.id)
        with self._header:
            toast(_("{name} is in the queue.", name=made.name))

    async def _extend(self, job: Job) -> None:
        with self._header:
            if (made := await ask_for_more_epochs(self._jobs, job)) is not None:
                toast(_("{name} is in the queue.", name=made.name))

    async def _delete(self, job: Job) -> None:
        with self._header:
            if await ask_to_delete([job]):
                await self._jobs.delete(job.id)
                toast(_("{name} was deleted.", name=job.name))
                focus_if_lost(self._header.title)  # the row with the button is gone
