"""The runs that belong to a run: what was made from its adapter, or the training that made the adapter it used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.badge import StatusBadge, kind_word
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.running_card import job_link
from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.overview import result_of

if TYPE_CHECKING:
    from qlora_ui.services import Services

MOST = 10


def build(services: Services, job: Job) -> None:
    """A card with links to them, kept up to date; nothing where there are none."""

    def found() -> list[Job]:
        return kin_of(job, services.jobs.jobs.values())

    def key() -> list[tuple[str, str, str]]:
        return [(other.id, other.status, result_of(other)) for other in found()]

    Live(services.jobs.jobs_changed, key, lambda: _show(found()), classes="qu-contents")


def origin(services: Services, job: Job) -> None:
    """A line that says from which checkpoint it went on, with a link to that run as long as it is there."""
    if (start := job.record.starts_from) is None:
        return

    def show() -> None:
        before, step = services.jobs.jobs.get(start.run), number(start.step)
        name = before.name if before is not None else start.run
        words = _("Goes on from step {step} of {name}", step=step, name=name)
        if before is None:
            Text(words, "p", classes="qu-xs qu-muted qu-break")
        else:
            ui.link(words, f"/activity/{before.id}").classes("qu-xs qu-break")

    Live(services.jobs.jobs_changed, lambda: start.run in services.jobs.jobs, show, classes="qu-contents")


def kin_of(job: Job, jobs: Iterable[Job]) -> list[Job]:
    """All runs around the same adapter but this one, the one it goes on from, and those that go on from it.

    Trainings come first, then the newest.
    """
    adapter = _adapter(job)
    others = (other for other in jobs if other is not job)
    kin = [
        one for one in others if (adapter and _adapter(one) == adapter) or _continues(one, job) or _continues(job, one)
    ]
    newest_first = sorted(kin, key=lambda other: other.created_at, reverse=True)
    return sorted(newest_first, key=lambda other: other.kind is not JobKind.TRAINING)[:MOST]


def _continues(job: Job, other: Job) -> bool:
    start = job.record.starts_from
    return start is not None and start.run == other.id


def _adapter(job: Job) -> str:
    """The folder of the adapter that it makes or uses, whatever way it is written."""
    if job.kind is JobKind.TRAINING:
        return str(job.paths.adapter)
    return str(getattr(job.parameters, "adapter_path", "")).rstrip("/")


def _show(kin: list[Job]) -> None:
    if not kin:
        return
    with Card(_("Related runs")):
        table = DataTable([_("Run", context="noun"), _("Kind"), _("Result"), _("Status")], label=_("Related runs"))
        for other in kin:
            cells = table.row()
            with cells.cell():
                job_link(other)
            cells.cell(kind_word(other.kind)).classes("qu-nowrap")
            cells.cell(result_of(other))
            with cells.cell():
                StatusBadge(other)
