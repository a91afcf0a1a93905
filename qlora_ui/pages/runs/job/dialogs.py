"""What is asked before a new run goes on from an old one: how many epochs more, or what is to be different."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.knob_field import error_in_words, in_words
from qlora_ui.components.layout import row
from qlora_ui.components.text import heading, paragraph
from qlora_ui.contract.errors import ParameterError
from qlora_ui.contract.knobs import knobs
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number

_MAY_CHANGE = ("num_train_epochs", "max_steps", "learning_rate", "lr_scheduler_type")
"""What a branch is asked for; `/train` has the rest."""


async def ask_for_more_epochs(jobs: JobManager, job: Job) -> Job | None:
    """Extend a training by what a person says; None when they change their mind."""
    assert isinstance(job.parameters, TrainingParameters)
    epochs = job.parameters.num_train_epochs
    schedule = job.parameters.lr_scheduler_type
    text = _(
        "A new run goes on from the last whole checkpoint of this one, which stays as it is. "
        "So far {epochs} epochs were planned.",
        epochs=in_words(epochs),
    )
    if schedule.startswith("constant"):
        after = _("The learning rate stays constant.")
    else:
        after = _(
            "The learning rate follows its schedule over all epochs together, so it begins higher than where it ended."
        )
    dialog = _StartDialog(_("Train longer"), text, after, action=_("Queue it"))
    field = dialog.ask("epochs", _("Epochs more"), "1")
    field.props("inputmode=decimal")

    async def start(values: dict[str, str]) -> Job:
        return await jobs.extend(job.id, _as_number(values["epochs"]))

    return await dialog.answer(start)


async def ask_for_branch(jobs: JobManager, job: Job, step: int) -> Job | None:
    """A new run from one checkpoint, with other epochs or another learning rate; None for none."""
    known = knobs(type(job.parameters))
    before = {name: in_words(getattr(job.parameters, name)) for name in _MAY_CHANGE}
    text = _(
        "A new run goes on from the checkpoint at step {step}, of which it gets a copy of its own. "
        "Data, batch size and the shape of the adapter stay as they were.",
        step=number(step),
    )
    dialog = _StartDialog(_("Go on from step {step}", step=number(step)), text, action=_("Queue it"))
    dialog.explain = lambda name, given, reason: error_in_words(known[name], given, reason)
    for name in _MAY_CHANGE:
        knob = known[name]
        if knob.choices:
            dialog.choose(name, sentence(knob.title), {c: c.replace("_", " ") for c in knob.choices}, before[name])
        else:
            dialog.ask(name, sentence(knob.title), before[name]).props("inputmode=decimal")

    async def start(values: dict[str, str]) -> Job:
        changed = {name: value or None for name, value in values.items() if value != before[name]}
        return await jobs.branch(job.id, step, changed)

    return await dialog.answer(start)


def _as_number(text: str) -> float:
    """What was typed, also with a comma; ParameterError for anything else."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        problem = "it must be a number above 0"
        raise ParameterError(f"So many epochs cannot be added: {problem}.", fields={"epochs": problem}) from None


class _StartDialog(ui.dialog):
    """A few fields and a button that queues a run; what is wrong with a value is said below its field."""

    def __init__(self, title: str, *texts: str, action: str) -> None:
        super().__init__()
        self._props["aria-label"] = title
        self.on("hide", self.delete, [])
        self._fields: dict[str, Field] = {}
        self._inputs: dict[str, Any] = {}
        self._start: Callable[[dict[str, str]], Awaitable[Job]] | None = None
        self.explain: Callable[[str, str, str], str] = lambda _name, _given, reason: sentence(reason)
        with self, ui.element("div").classes("qu-dialog"):
            heading(title)
            for text in texts:
                paragraph(text, muted=True, size="sm")
            self._room = ui.element("div").classes("qu-col qu-gap-4")
            with row().style("justify-content:flex-end"):
                Button(_("Cancel"), lambda: self.submit(None))
                Button(action, self._take, variant="primary")

    def ask(self, name: str, label: str, value: str) -> ui.input:
        with self._room, Field(label) as field:
            control = field.hold(ui.input(value=value))
        control.props("spellcheck=false autocomplete=off").on("keydown.enter", self._take, [])
        if not self._inputs:
            control.props("autofocus")
        self._fields[name], self._inputs[name] = field, control
        return control

    def choose(self, name: str, label: str, options: dict[str, str], value: str) -> None:
        with self._room, Field(label) as field:
            self._inputs[name] = field.hold(ui.select(options, value=value))
        self._fields[name] = field

    async def answer(self, start: Callable[[dict[str, str]], Awaitable[Job]]) -> Job | None:
        """Show it, and run `start` with what was typed until it raises no ParameterError."""
        self._start = start
        found = await self
        return found if isinstance(found, Job) else None

    async def _take(self) -> None:
        assert self._start is not None
        values = {name: str(control.value or "").strip() for name, control in self._inputs.items()}
        try:
            job = await self._start(values)
        except ParameterError as error:
            if not set(error.fields) <= set(self._fields):
                raise
            for name, field in self._fields.items():
                reason = error.fields.get(name, "")
                field.set_error(self.explain(name, values[name], reason) if reason else "")
            return
        self.submit(job)
