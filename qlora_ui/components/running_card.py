"""A job at work: how far it is, what it has reached, and how to hold it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button
from qlora_ui.components.charts.small_curve import SmallCurve
from qlora_ui.components.charts.smoothing import latest
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, row
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss, percent, speed, time_left
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number


class RunningCard(Card):
    """Follows one job live; its name leads to the job's own page."""

    def __init__(self, job: Job, jobs: JobManager, pause: Callable[[Job], Awaitable[None]]) -> None:
        """`pause` is called for its button: whether other runs may have the device is asked by the page."""
        super().__init__()
        self._job, self._jobs, self._pause_it = job, jobs, pause
        with self:
            actions = self._head()
            with ui.element("div").classes("qu-col"):
                self._line()
                ProgressBar(_("Progress of {name}", name=job.name)).bind_value_from(job, "progress")
                self._wish = Text(tag="p", classes="qu-xs qu-muted qu-break")
            if job.kind is JobKind.TRAINING:
                curve = self._figures()
                with actions:
                    curve.table_button().move(target_index=0)
            follow = throttled(self, self._follow, seconds=0.25)
            listen(job.changed, follow)
        self._follow()

    def _head(self) -> ui.element:
        """Gives the room for what can be done."""
        job = self._job
        with ui.element("div").classes("qu-card-head"):
            with row(gap=3, wrap=True), ui.element("div").classes("qu-row qu-gap-3 qu-wrap"):
                StatusBadge(job)
                with Text(tag="h2", classes="qu-break"):
                    ui.link(job.name, f"/activity/{job.id}").classes("qu-title-link")
                    Text(f" · {model_name(job)}", classes="qu-muted")
            with row() as actions:
                pause, stop = _("Pause", context="verb"), _("Stop", context="verb")
                self._pause = Button(pause, lambda: self._pause_it(job), icon="pause", size="sm")
                self._stop = Button(stop, lambda: self._jobs.stop(job.id), icon="square", size="sm", variant="ghost")
        return actions

    def _line(self) -> None:
        with row(between=True, wrap=True).classes("qu-sm qu-num"):
            with ui.element("span"):
                self._percent = Text("", "b")
                self._step = Text(classes="qu-muted")
            self._left = Text(classes="qu-muted")

    def _figures(self) -> SmallCurve:
        with ui.element("div").classes("qu-running-figures"):
            curve = SmallCurve(self._job).classes("qu-grow")
            values = KeyValues()
            self._loss = values.add(_("Loss"), term="loss")
            self._evaluation = values.add(_("Evaluation loss"), term="evaluation-loss")
            self._speed = values.add(_("Speed"), term="speed")
        draw = throttled(self, self._draw_figures, seconds=1.0)
        listen(self._job.metric_added, lambda _metric: draw())
        listen(self._job.curves_reset, draw)
        self._draw_figures()
        return curve

    def _follow(self) -> None:
        job = self._job
        self._percent.text = f"{percent(job.progress)} "
        self._step.text = step_of(job) if job.total_steps else sentence(job.message)
        self._left.text = "" if job.asked_to else time_left(job.seconds_left)
        self._wish.text = sentence(job.message) if job.asked_to else ""
        self._wish.set_visibility(bool(job.asked_to))
        self._pause.disable_because("" if job.can_pause else sentence(job.message))
        self._stop.disable_because("" if job.can_stop else sentence(job.message))

    def _draw_figures(self) -> None:
        curves = self._job.curves
        self._loss.text = loss(latest(curves, "loss"))
        self._evaluation.text = loss(curves.latest("eval_loss"))
        self._speed.text = speed(curves.latest("tokens_per_second"))


def step_of(job: Job) -> str:
    """How far it came: `step 74 of 120`, and rows where a job goes through rows."""
    places = {"step": number(job.step), "total": number(job.total_steps)}
    if job.kind is JobKind.TRAINING:
        return _("step {step} of {total}", **places)
    return _("row {step} of {total}", **places)


def model_name(job: Job) -> str:
    """The model of a job without the folders or the owner in front of its name."""
    return job.parameters.model_name.rstrip("/").rpartition("/")[2]


def job_link(job: Job) -> ui.link:
    """The name of a job over its model, both of which lead to its page."""
    with ui.link(target=f"/activity/{job.id}").classes("qu-col").style("gap:0") as link:
        Text(job.name)
        Text(model_name(job), classes="qu-xs qu-muted qu-break").style("font-weight:400")
    return link
