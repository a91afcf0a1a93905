"""A job at work: how far it is, what it has reached, and how to hold it."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.badge import StatusBadge
from qlora_ui.components.button import Button
from qlora_ui.components.chart import TRAINING_LOSS_HELP, end_of, latest, sparkline, start_of
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, row
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss, percent, speed, time_left
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager


class RunningCard(Card):
    """Follows one job live; its name leads to the job's own page."""

    def __init__(self, job: Job, jobs: JobManager) -> None:
        super().__init__()
        self._job, self._jobs = job, jobs
        with self:
            self._head()
            with ui.element("div").classes("qu-col"):
                self._line()
                ProgressBar(f"Progress of {job.name}").bind_value_from(job, "progress")
            if job.kind is JobKind.TRAINING:
                self._figures()
            follow = throttled(self, self._follow, seconds=0.25)
            listen(job.changed, follow)
        self._follow()

    def _head(self) -> None:
        job = self._job
        with ui.element("div").classes("qu-card-head"):
            with row(gap=3, wrap=True), ui.element("div").classes("qu-row qu-gap-3 qu-wrap"):
                StatusBadge(job)
                with Text(tag="h2", classes="qu-break"):
                    ui.link(job.name, f"/activity/{job.id}").classes("qu-title-link")
                    Text(f" · {model_name(job)}", classes="qu-muted")
            with row():
                self._pause = Button("Pause", lambda: self._jobs.pause(job.id), icon="pause", size="sm")
                self._stop = Button("Stop", lambda: self._jobs.stop(job.id), icon="square", size="sm", variant="ghost")

    def _line(self) -> None:
        with row(between=True, wrap=True).classes("qu-sm qu-num"):
            with ui.element("span"):
                self._percent = Text("", "b")
                self._step = Text(classes="qu-muted")
            self._left = Text(classes="qu-muted")

    def _figures(self) -> None:
        with ui.element("div").classes("qu-running-figures"):
            self._curve = ui.element("div").classes("qu-grow")
            values = KeyValues()
            self._loss = values.add("Loss", help=TRAINING_LOSS_HELP)
            self._evaluation = values.add("Evaluation loss", help="The same on rows that are not trained on.")
            self._speed = values.add("Speed", help="Tokens of the examples per second, without padding.")
        draw = throttled(self, self._draw_figures, seconds=1.0)
        listen(self._job.metric_added, lambda _: draw())
        listen(self._job.curves_reset, draw)
        self._draw_figures()

    def _follow(self) -> None:
        job = self._job
        self._percent.text = f"{percent(job.progress)} "
        self._step.text = f"step {job.step:,} of {job.total_steps:,}" if job.total_steps else job.message
        self._left.text = time_left(job.seconds_left)
        self._pause.disable_because("" if job.can_pause else job.message)
        self._stop.disable_because("" if job.can_stop else job.message)

    def _draw_figures(self) -> None:
        curves = self._job.curves
        self._loss.text = loss(latest(curves, "loss"))
        self._evaluation.text = loss(curves.latest("eval_loss"))
        self._speed.text = speed(curves.latest("tokens_per_second"))
        self._curve.clear()
        with self._curve:
            points = curves.points("loss")
            if len(points) > 1:
                sparkline(points, f"Loss, from {loss(start_of(points))} to {loss(end_of(points))}")
            else:
                Text("The curve begins with the first steps.", classes="qu-muted qu-sm")


def model_name(job: Job) -> str:
    """The model of a job without the folders or the owner in front of its name."""
    return job.parameters.model_name.rstrip("/").rpartition("/")[2]


def job_link(job: Job) -> None:
    """The name of a job over its model, both of which lead to its page."""
    with ui.link(target=f"/activity/{job.id}").classes("qu-col").style("gap:0"):
        Text(job.name)
        Text(model_name(job), classes="qu-xs qu-muted qu-break").style("font-weight:400")
