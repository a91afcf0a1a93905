"""The checkpoints of a training: what each is worth, and what can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import background_tasks, ui

from qlora_ui.components.badge import Badge
from qlora_ui.components.charts.chart import Mark
from qlora_ui.components.charts.measures import MEASURES
from qlora_ui.components.dialog import confirm
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.menu import MenuButton, MenuItem
from qlora_ui.components.text import Text
from qlora_ui.components.words import clock, loss, size
from qlora_ui.contract.parameters import EvaluationParameters, TrainingParameters
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.history.curves import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.reactive import Event
from qlora_ui.jobs.run_checkpoints import CheckpointView
from qlora_ui.locales import _, mark
from qlora_ui.locales.figures import day_of_year, number
from qlora_ui.pages.runs.job.dialogs import ask_for_branch
from qlora_ui.pages.runs.job.next_steps import ask_for_rows

if TYPE_CHECKING:
    from qlora_ui.services import Services


class Kept:
    """The checkpoints that lie on the disk, looked at again whenever the job says that there may be others.

    What a person is asked stands in `place`, which stays when the list is drawn anew.
    """

    def __init__(self, services: Services, job: Job) -> None:
        self._jobs, self._job = services.jobs, job
        self.views: list[CheckpointView] = []
        self.changed: Event[[]] = Event()
        self._seen: Any = None
        with ui.element("div").classes("qu-hidden") as self.place:
            listen(job.changed, self._follow)
        self._follow()

    def _follow(self) -> None:
        seen = self._job.status, [saved.step for saved in self._job.checkpoints]
        if seen != self._seen:
            self._seen = seen
            background_tasks.create(self.look(), name="look at the checkpoints", context=self.place.client)

    async def look(self) -> None:
        views = await self._jobs.checkpoints(self._job)
        if not self.place.is_deleted and views != self.views:
            self.views = views
            self.changed.emit()

    @property
    def marks(self) -> list[Mark]:
        """Where they stand on a curve, and where attempts went on from one."""
        resumed = self._job.history.resumed_at
        marks: list[Mark] = [{"step": step, "kind": "resumed", "label": _("resumed")} for step in resumed]
        if (start := self._job.record.starts_from) is not None and start.step not in resumed:
            marks.append({"step": start.step, "kind": "resumed", "label": _("went on from here")})
        for view in self.views:
            label = _("Checkpoint, the best") if view.is_best else _("Checkpoint")
            marks.append({"step": view.step, "kind": "best" if view.is_best else "checkpoint", "label": label})
        return marks


def build(services: Services, job: Job, kept: Kept) -> None:
    """The card, as soon as there is a checkpoint."""
    Live(kept.changed, lambda: list(kept.views), lambda: _show(services, job, kept), classes="qu-contents")


def _show(services: Services, job: Job, kept: Kept) -> None:
    if not kept.views:
        return
    with Card(_("Checkpoints")) as card, ui.element("ul").classes("qu-list"):
        for view in reversed(kept.views):
            with ui.element("li").classes("qu-row qu-between"):
                _line(view, job.curves)
                _Menu(services, job, kept, view)
    with card.head:
        Text(size(sum(view.bytes for view in kept.views)), classes="qu-xs qu-muted qu-num")


def _line(view: CheckpointView, curves: Curves) -> None:
    with ui.element("div").classes("qu-grow qu-num"):
        with ui.element("div").classes("qu-row qu-wrap qu-sm"):
            Text(_("Step {step}", step=number(view.step)), "b")
            Text(main_figure(view, curves), classes="qu-muted")
            if not view.is_whole:
                Badge(_("Damaged"), "error")
            elif view.is_best:
                Badge(_("Best"), "success")
        saved = _("saved {day}, {time}", day=day_of_year(view.saved_at), time=clock(view.saved_at))
        Text(f"{size(view.bytes)} · {saved}", "div", classes="qu-xs qu-muted")


def main_figure(view: CheckpointView, curves: Curves) -> str:
    """What tells most of a checkpoint: the evaluation loss, else another figure of the evaluation.

    One that was measured at an earlier step says at which; where that is not known, nothing is said.
    """
    name = next((name for name in _FIGURES if name in view.metrics), "")
    measured_at = max((step for step, _value in curves.points(name) if step <= view.step), default=None)
    if measured_at is None:
        return ""
    text = _(_FIGURES[name], value=_in_words(name, view.metrics[name]))
    if measured_at == view.step:
        return text
    return _("{figure} at step {step}", figure=text, step=number(measured_at))


_FIGURES = {
    "eval_loss": mark("evaluation loss {value}"),
    "eval_token_accuracy": mark("token accuracy {value}"),
    "eval_perplexity": mark("perplexity {value}"),
}


def _in_words(name: str, value: float) -> str:
    return loss(value) if name == "eval_loss" else MEASURES[name].in_words(value)


class _Menu:
    """What can be done with one checkpoint."""

    def __init__(self, services: Services, job: Job, kept: Kept, view: CheckpointView) -> None:
        self._services, self._jobs, self._job, self._kept, self._view = services, services.jobs, job, kept, view
        label = _("More to do with the checkpoint at step {step}", step=number(view.step))
        MenuButton(label, icon="ellipsis", ask=self._items)

    def _items(self) -> list[MenuItem]:
        damaged = "" if self._view.is_whole else _("It is damaged. Choose another one.")
        at_work = _("Stop the run first.") if self._job.status is JobStatus.RUNNING else ""
        return [
            MenuItem(_("Go on from here"), "git-branch", action=self._branch, reason=damaged),
            MenuItem(_("Score its adapter"), "chart-column", action=self._evaluate, reason=damaged),
            MenuItem(_("Delete"), "trash-2", action=self._delete, reason=at_work, is_dangerous=True),
        ]

    async def _branch(self) -> None:
        with self._kept.place:
            branched = await ask_for_branch(self._jobs, self._job, self._view.step)
        if branched is not None:
            ui.navigate.to(f"/activity/{branched.id}")

    async def _evaluate(self) -> None:
        training = self._job.parameters
        assert isinstance(training, TrainingParameters)
        with self._kept.place:
            title = _("Score the checkpoint at step {step}", step=number(self._view.step))
            path = await ask_for_rows(self._services, training, title)
        if path:
            name = f"{self._job.name[:60]} step {self._view.step} score"
            parameters = EvaluationParameters.of(
                training, name=name, adapter_path=str(self._view.path), dataset_path=path
            )
            job = await self._jobs.submit(JobKind.EVALUATION, parameters)
            ui.navigate.to(f"/activity/{job.id}")

    async def _delete(self) -> None:
        step = number(self._view.step)
        question = _("Delete the checkpoint at step {step}?", step=step)
        text = _("{size} come free. The adapter and the other checkpoints stay.", size=size(self._view.bytes))
        with self._kept.place:
            is_sure = await confirm(question, text, action=_("Delete"), is_dangerous=True)
        if is_sure:
            try:
                await self._jobs.delete_checkpoint(self._job.id, self._view.step)
            finally:
                await self._kept.look()
