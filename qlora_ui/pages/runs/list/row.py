"""One run as a row of the list. It is built once and then follows the run, so that a focus in it survives."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from qlora_ui.components.ago import Ago
from qlora_ui.components.badge import StatusBadge, kind_word
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.events import listen
from qlora_ui.components.forms.row_checks import RowCheck
from qlora_ui.components.layout import row
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.running_card import job_link
from qlora_ui.components.text import Text
from qlora_ui.components.words import percent
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.pages.runs.job.words import queue_words
from qlora_ui.pages.runs.overview import result_of, seconds_of, took


class RunRow:
    """`menu` gives what can be done with the run; it is asked each time that the row's menu is opened."""

    def __init__(self, table: DataTable, job: Job, menu: Callable[[Job], list[MenuItem]], *, is_checked: bool) -> None:
        self.job = job
        self.element = table.row()
        self._shown: tuple[JobStatus, str, str] | None = None
        with self.element.cell(), row(gap=3).classes("qu-run-name"):
            self.check = RowCheck(job.id, _("Select {name}", name=job.name), is_checked=is_checked)
            self.link = job_link(job)
        self.element.cell(kind_word(job.kind)).classes("qu-nowrap")
        self._progress = self.element.cell().classes("qu-progress-cell")
        with self.element.cell():
            Ago(job.created_at, classes="qu-nowrap")
        self._took = self.element.cell().classes("qu-run-took")
        with self.element.cell().classes("qu-run-status"):
            StatusBadge(job)
        with self.element.cell().classes("qu-run-menu") as last:
            last._props.pop("data-label")
            label = _("What can be done with {name}", name=job.name)
            MenuButton(label, icon="ellipsis", ask=lambda: menu(job))
        self.follow()

    def follow(self) -> None:
        """Look whether the run stands differently. How far one at work is follows by itself."""
        job = self.job
        is_at_work = job.status is JobStatus.RUNNING
        shown = job.status, "" if is_at_work else progress_words(job), "" if seconds_of(job) is None else took(job)
        if shown == self._shown:
            return
        self._shown = shown
        self._took.text = shown[2]
        self._progress.clear()
        with self._progress:
            if is_at_work:
                _bar(job)
            elif shown[1]:
                Text(shown[1], classes="qu-break")


def progress_words(job: Job) -> str:
    """What one that waits waits for; what came out of one that is done."""
    return queue_words(job) if job.status is JobStatus.PENDING else result_of(job)


def _bar(job: Job) -> None:
    with ui.element("div").classes("qu-col qu-gap-1 qu-wide"):
        share = Text(percent(job.progress), classes="qu-xs qu-num")
        listen(job.changed, lambda: share.set_text(percent(job.progress)))
        ProgressBar(_("Progress of {name}", name=job.name), thin=True).bind_value_from(job, "progress")
