"""The right column of a job's page: the figures of now, the device, checkpoints and settings."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from qlora_ui.components.badge import Badge
from qlora_ui.components.chart import latest
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.knob_field import in_words
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.words import loss, many, power_of_ten, share, size, speed
from qlora_ui.contract.events import CheckpointSaved
from qlora_ui.contract.knobs import knobs
from qlora_ui.contract.records import JobKind
from qlora_ui.jobs.history import Curves
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import fixed, number


def build(job: Job) -> None:
    if job.kind is JobKind.TRAINING:
        _now(job)
    Live(job.changed, lambda: dict(job.facts), lambda: _facts(job), classes="qu-contents")
    Live(job.changed, lambda: [c.step for c in job.checkpoints], lambda: _checkpoints(job), classes="qu-contents")
    _settings(job)


def _now(job: Job) -> None:
    with Card(_("Now")) as card:
        values = KeyValues()
        figures = {
            "loss": values.add(_("Loss"), term="loss"),
            "eval_loss": values.add(_("Evaluation loss"), term="evaluation-loss"),
            "tokens_per_second": values.add(_("Speed"), term="speed"),
            "learning_rate": values.add(_("Learning rate"), term="learning-rate"),
            "grad_norm": values.add(_("Gradient norm"), term="gradient-norm"),
        }

    def follow() -> None:
        for name, text in figures.items():
            text.text = _figure(name, latest(job.curves, name))
        card.title.text = _("At the end") if job.status.is_final else _("Now")

    draw = throttled(card, follow, seconds=0.5)
    listen(job.changed, draw)
    listen(job.metric_added, lambda _metric: draw())
    listen(job.curves_reset, draw)
    follow()


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    match name:
        case "tokens_per_second":
            return speed(value)
        case "learning_rate":
            return power_of_ten(value)
        case "grad_norm":
            return fixed(value, 2)
        case _:
            return loss(value)


def _facts(job: Job) -> None:
    """What the worker found: nothing is shown before it said so."""
    facts = known_facts(job.facts)
    if facts:
        with Card(device_name(job.facts)):
            KeyValues(facts)


def device_name(facts: dict[str, Any]) -> str:
    """What the run works on, as its maker calls it where the worker could tell."""
    name = str(facts.get("device_name") or facts.get("device") or "")
    if not name:
        return _("This run")
    return _("Processor") if name == "cpu" else name


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
    if "layers_in_4_bits" in facts:
        shown[_("Layers in 4 bits")] = number(facts["layers_in_4_bits"])
    for name, title in (
        ("rows_train", _("Rows trained")),
        ("rows_validation", _("Rows held out")),
        ("tokens_trained", _("Tokens trained")),
    ):
        if name in facts:
            shown[title] = number(facts[name])
    if left_out := facts.get("rows_dropped", 0) + facts.get("rows_held_back", 0):
        shown[_("Rows left out")] = number(left_out)
    return shown


def _checkpoints(job: Job) -> None:
    if not job.checkpoints:
        return
    best = best_checkpoint(job.checkpoints, job.curves)
    kept = int(getattr(job.parameters, "checkpoints_kept", len(job.checkpoints)))
    with Card(_("Checkpoints")), ui.element("ul").classes("qu-list"):
        for saved in reversed(job.checkpoints[-kept:]):
            with ui.element("li"), row(between=True).classes("qu-sm qu-num"):
                with ui.element("span"):
                    Text(f"{_('Step {step}', step=number(saved.step))} ", "b")
                    Text(evaluation_at(job.curves, saved.step), classes="qu-muted")
                if saved.step == best:
                    Badge(_("Best"), "success")
                else:
                    Text(size(saved.bytes), classes="qu-xs qu-muted")


def evaluation_at(curves: Curves, step: int) -> str:
    """The evaluation loss measured at exactly this step, in words; empty when there is none."""
    return next((loss(value) for at, value in curves.points("eval_loss") if at == step), "")


def best_checkpoint(checkpoints: list[CheckpointSaved], curves: Curves) -> int | None:
    """The step of the checkpoint with the lowest evaluation loss; None with fewer than two to compare."""
    measured = dict(curves.points("eval_loss"))
    found = [(measured[c.step], c.step) for c in checkpoints if c.step in measured]
    return min(found)[1] if len(found) > 1 else None


def _settings(job: Job) -> None:
    parameters, known = job.parameters, knobs(type(job.parameters))
    chosen = {
        sentence(knob.title): in_words(getattr(parameters, name))
        for name, knob in known.items()
        if name != "name" and getattr(parameters, name) != knob.default
    }
    with Card(_("Settings")):
        KeyValues(chosen)
        Text(_("Every other setting has its default."), "p", classes="qu-xs qu-muted")
