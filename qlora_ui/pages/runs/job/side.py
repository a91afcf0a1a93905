"""The right column of a job's page: the figures of now, and the device that it works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from qlora_ui.components.charts.measures import MEASURES
from qlora_ui.components.charts.smoothing import latest
from qlora_ui.components.device_meter import short_name
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, column, row
from qlora_ui.components.live import Live
from qlora_ui.components.progress_bar import ProgressBar
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss, many, of_total, per_cent, share, size
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.locales.figures import number
from qlora_ui.meters import DeviceReading

if TYPE_CHECKING:
    from qlora_ui.services import Services

_READ_EVERY_S = 2.0
_OF_NOW = {
    "tokens_per_second": "speed",
    "padding": "",
    "learning_rate": "learning-rate",
    "grad_norm": "gradient-norm",
}
"""Figures beside the losses → their terms in the glossary; one without a term is explained by its measure."""


class NowCard(Card):
    """The newest figure of each kind; what was never measured is not there. There must be something."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Now"))
        self._job = job
        with self:
            Live(job.changed, lambda: shown_now(job), self._build, classes="qu-contents")
            draw = throttled(self, self._draw, seconds=0.8)
            listen(job.changed, draw)
            listen(job.metric_added, lambda _metric: draw())
            listen(job.curves_reset, draw)
        self._draw()

    def _build(self) -> None:
        values = KeyValues()
        titles = {"loss": (_("Loss"), "loss"), "eval_loss": (_("Evaluation loss"), "evaluation-loss")}
        self._texts: dict[str, Text] = {}
        for name in shown_now(self._job):
            if name in titles:
                title, term = titles[name]
                self._texts[name] = values.add(title, term=term)
            else:
                measure = MEASURES[name]
                self._texts[name] = values.add(_(measure.title), term=_OF_NOW[name], meaning=_(measure.meaning))
        self._draw()

    def _draw(self) -> None:
        for name, text in self._texts.items():
            value = latest(self._job.curves, name)
            text.text = MEASURES[name].in_words(value) if name in MEASURES else loss(value)
        is_at_work = self._job.status is JobStatus.RUNNING
        self.title.text = _("Now") if is_at_work else _("At the end") if self._job.status.is_final else _("So far")


class DeviceCard(Card):
    """What the device does as long as the run is at work, and what the run found out about it and its data."""

    def __init__(self, services: Services, job: Job) -> None:
        super().__init__(device_name(job.facts))
        self._services, self._job = services, job
        with self.head:
            self._aside = Text(classes="qu-muted qu-xs qu-num qu-nowrap")
        with self:
            with column(gap=3) as self._live:
                self._memory, self._memory_text = _bar(_("Memory"))
                self._busy, self._busy_text = _bar(_("Busy", context="a device"))
            Live(job.changed, self._facts, self._show_facts, classes="qu-contents")
            ui.timer(_READ_EVERY_S, self._read)
        self._live.set_visibility(False)

    def _show_facts(self) -> None:
        self.title.text = device_name(self._job.facts)
        KeyValues(self._facts())

    def _facts(self) -> dict[str, str]:
        job, shown = self._job, known_facts(self._job.facts)
        if job.kind is JobKind.TRAINING and (tokens := job.summary.get("tokens")) is not None:
            shown[_("Tokens worked through")] = number(tokens)
        return shown

    async def _read(self) -> None:
        if self._job.status is not JobStatus.RUNNING:
            self._live.set_visibility(False)
            self._aside.text = ""
            return
        readings = await self._services.devices()
        if not self.is_deleted and (reading := reading_of(self._job, readings)) is not None:
            self._show(reading)

    def _show(self, reading: DeviceReading) -> None:
        self._live.set_visibility(True)
        self._memory.value = reading.memory_used / reading.memory_total if reading.memory_total else 0.0
        self._memory_text.text = of_total(reading.memory_used, reading.memory_total)
        busy = reading.utilisation
        self._busy.value = (busy or 0.0) / 100
        self._busy_text.text = "–" if busy is None else per_cent(busy)
        watts = self._job.curves.latest("power")
        said = [
            "" if reading.temperature is None else MEASURES["temperature"].in_words(reading.temperature),
            "" if watts is None else MEASURES["power"].in_words(watts),
        ]
        self._aside.text = " · ".join(filter(None, said))


def _bar(label: str) -> tuple[ProgressBar, Text]:
    with column(gap=1):
        with row(between=True).classes("qu-sm"):
            Text(label, classes="qu-muted")
            value = Text(classes="qu-num")
        bar = ProgressBar(label)
    return bar, value


def shown_now(job: Job) -> list[str]:
    """The figures of now that were measured."""
    return [name for name in ("loss", "eval_loss", *_OF_NOW) if job.curves.count(name)]


def has_device(job: Job) -> bool:
    """Whether there is something to say about the device: it is at work there, or found something out."""
    return bool(known_facts(job.facts)) or (job.status is JobStatus.RUNNING and bool(job.facts))


def reading_of(job: Job, readings: list[DeviceReading]) -> DeviceReading | None:
    """What its device does now; None for one that nobody can read."""
    device = job.record.device
    if device == "auto":
        device = str(job.facts.get("device") or "")
    if device == "cuda":
        device = "cuda:0"
    return next((reading for reading in readings if reading.id == device), None)


def device_name(facts: dict[str, Any]) -> str:
    """What the run works on, as its maker calls it where the worker could tell."""
    name = str(facts.get("device_name") or facts.get("device") or "")
    if not name:
        return _("This run")
    return _("Processor") if name == "cpu" else short_name(name)


def known_facts(facts: dict[str, Any]) -> dict[str, str]:
    """The worker's facts that a person wants to see, named and in words."""
    shown: dict[str, str] = {}
    if "compute_type" in facts:
        shown[_("Computes in")] = str(facts["compute_type"])
    if "device_memory" in facts:
        shown[_("Memory")] = size(facts["device_memory"])
    if "threads" in facts:
        shown[_("Threads")] = str(facts["threads"])
    if "trainable_parameters" in facts:
        part = share(facts["trainable_parameters"], facts.get("parameters", 0))
        weights = many(facts["trainable_parameters"])
        shown[_("Trained weights")] = _("{count}, {share}", context="weights", count=weights, share=part)
    if facts.get("layers_in_4_bits"):
        shown[_("Layers in 4 bits")] = number(facts["layers_in_4_bits"])
    if facts.get("layers_in_8_bits"):
        shown[_("Layers in 8 bits")] = number(facts["layers_in_8_bits"])
    for name, title in (
        ("rows_train", _("Rows trained")),
        ("rows_validation", _("Rows held out")),
        ("tokens_trained", _("Trainable tokens in the data")),
    ):
        if name in facts:
            shown[title] = number(facts[name])
    if left_out := facts.get("rows_dropped", 0) + facts.get("rows_held_back", 0):
        shown[_("Rows left out")] = number(left_out)
    return shown
