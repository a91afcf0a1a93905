"""The fourth step of /train: everything that will happen, and everything that stands in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nicegui import background_tasks, ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.knob_field import in_words
from qlora_ui.components.layout import Card, Skeleton
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.words import many, size
from qlora_ui.contract.records import JobStatus
from qlora_ui.contract.training_parameters import DATA_KNOBS
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.findings import finding_in_words
from qlora_ui.pages.train.data.words import format_name, source_name
from qlora_ui.pages.train.differing import DifferingCard
from qlora_ui.pages.train.plan import ENOUGH_STEPS, epochs_for_enough_steps, plan
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.contract.inspection import Look, Survey
    from qlora_ui.meters import DeviceReading

Verdict = Literal["good", "remark", "problem"]
_ICONS: dict[Verdict, tuple[str, str]] = {
    "good": ("circle-check", "qu-success"),
    "remark": ("info", "qu-muted"),
    "problem": ("circle-alert", "qu-error"),
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at, in a sentence; `step` is where a problem is mended."""

    verdict: Verdict
    text: str
    hint: str = ""
    step: int | None = None
    epochs: float | None = None
    """How many epochs would mend it."""


def build(session: TrainSession) -> None:
    form = session.form
    with Card(_("Check", context="step")):
        room = ui.element("div")
    readings: list[DeviceReading] = []
    free: list[int] = []

    async def look() -> None:
        readings.extend(await session.services.devices())
        free.append(await session.services.disk_free())
        if room.is_deleted:
            return
        room.clear()
        with room:
            live = Live(
                form.changed, lambda: checks(session, readings, free[0]), lambda: _list(session, readings, free[0])
            )
            listen(session.services.jobs.jobs_changed, live.follow)  # what is before it in the queue

    with room:
        Skeleton(height="160px")
        background_tasks.create(look(), name="look at the devices", context=ui.context.client)
    DifferingCard(form)


def checks(session: TrainSession, devices: list[DeviceReading], free: int) -> list[Check]:
    """What was looked at, in the order of the steps. Nothing in it is estimated."""
    return [
        _model(session),
        _data(session),
        *_warnings(session),
        *_settings(session),
        *_steps(session),
        *_evaluation(session),
        *_scoring(session),
        *_device(session, devices),
        _queue(session),
        Check(
            "good" if free > 2e9 else "problem",
            _("{size} are free on the disk with the home folder.", size=size(free)),
        ),
    ]


def _model(session: TrainSession) -> Check:
    note = session.form.model_note
    if note is None:
        return Check("problem", _("No model is chosen."), step=0)
    return Check("problem" if note.is_problem else "good", note.text, note.hint, step=0 if note.is_problem else None)


def _data(session: TrainSession) -> Check:
    form, data = session.form, session.form.data
    if not form.sources:
        return Check("problem", _("No data is chosen."), step=1)
    if data.problem is not None:
        message, hint = data.problem
        return Check("problem", sentence(message), sentence(hint), step=1)
    if obstacle := form.obstacle_at(1):
        hint = sentence(data.errors[0].hint) if data.errors and obstacle == sentence(data.errors[0].message) else ""
        return Check("problem", obstacle, hint, step=1)
    if data.look is None:
        return Check("remark", _("The data is still being read."))
    if data.survey is not None:
        return Check("good", _what_was_read(data.survey, data.look))
    if data.was_given_up:
        hint = _("The training goes through all of them itself, and stops at the first that cannot be used.")
        return Check("remark", _("Not all rows were counted."), hint, step=1)
    hint = _("The start need not wait for it: a training goes through all rows itself.")
    return Check("remark", _("The rows are still being counted."), hint)


def _warnings(session: TrainSession) -> list[Check]:
    """What is odd in the data and does not stop a training: rows that are cut, duplicates, secrets …"""
    survey = session.form.data.survey
    found = survey.findings if survey is not None else []
    return [
        Check("remark", finding_in_words(finding), sentence(finding.hint))
        for finding in found
        if finding.level == "warning"
    ]


def _what_was_read(survey: Survey, look: Look) -> str:
    formats = [source.format for source in look.sources if source.format] or [look.understanding.format]
    rows, form = survey.rows, ", ".join(format_name(name) for name in dict.fromkeys(formats))
    if survey.tokens_trained is None:
        return n_("{count} row was read as {form}.", "{count} rows were read as {form}.", rows, form=form)
    return n_(
        "{count} row was read as {form}; {part} of {total} tokens in it are trained.",
        "{count} rows were read as {form}; {part} of {total} tokens in all rows are trained.",
        rows,
        form=form,
        part=many(survey.tokens_trained),
        total=many(survey.tokens or 0),
    )


def _settings(session: TrainSession) -> list[Check]:
    form = session.form
    elsewhere = {"model_name", *DATA_KNOBS}
    problems = {name: reason for name, reason in form.problems.items() if name not in elsewhere}
    if problems:
        return [
            Check("problem", form.in_a_sentence(name, reason), step=4 if name == "name" else 2)
            for name, reason in problems.items()
        ]
    usable = n_(
        "All settings can be used; {count} setting changed.",
        "All settings can be used; {count} settings changed.",
        len(form.differing),
    )
    return [Check("good", usable)]


def _steps(session: TrainSession) -> list[Check]:
    """A word where the run is too short to teach much."""
    form = session.form
    if form.problems or form.data.survey is None or not form.data.survey.examples_train:
        return []
    parameters = form.parameters()
    made = plan(parameters, form.data.survey)
    epochs = epochs_for_enough_steps(parameters, made)
    if epochs is None:
        return []
    return [
        Check(
            "remark",
            n_(
                "{count} step teaches little. About {epochs} epochs make {enough} steps.",
                "{count} steps teach little. About {epochs} epochs make {enough} steps.",
                made.steps,
                epochs=number(epochs),
                enough=ENOUGH_STEPS,
            ),
            _("More rows are better than more epochs: with many passes over few rows they are learned by heart."),
            epochs=epochs,
        )
    ]


def _scoring(session: TrainSession) -> list[Check]:
    form = session.form
    if not form.score_after:
        return [Check("remark", _("Base and adapter are not scored afterwards."), step=4)]
    if problem := form.error_of("test_path"):
        return [Check("problem", _("Test file: {problem}", problem=problem), step=4)]
    if not form.test_path:
        return [Check("good", _("Base and adapter are scored afterwards, on the held-out rows of the starter data."))]
    file = source_name(form.test_path)
    return [Check("good", _("Base and adapter are scored afterwards, on {file}.", file=file))]


def _evaluation(session: TrainSession) -> list[Check]:
    form = session.form
    if problem := form.file_problems.get("validation_path"):
        return [Check("problem", _("Evaluation file: {problem}", problem=problem.text), step=1)]
    if form.problems or form.data.survey is None or not form.data.survey.examples_train:
        return []
    parameters = form.parameters()
    made = plan(parameters, form.data.survey)
    times = n_("{count} time", "{count} times", parameters.evaluations)
    if parameters.evaluations and parameters.validation_path:
        text = _(
            "The evaluation file measures the evaluation loss before the first step and {times} after.", times=times
        )
        return [Check("good", text)]
    if parameters.evaluations and made.examples_held_out:
        return [Check("good", _who_measures(made.examples_held_out, times, is_exact=made.is_exact))]
    text = _("Nothing measures the evaluation loss, so learning by heart would not show.")
    return [Check("remark", text, step=2 if not parameters.evaluations else 1)]


def _who_measures(rows: int, times: str, *, is_exact: bool) -> str:
    if is_exact:
        return n_(
            "{count} held-out row measures the evaluation loss before the first step and {times} after.",
            "{count} held-out rows measure the evaluation loss before the first step and {times} after.",
            rows,
            times=times,
        )
    return n_(
        "About {count} held-out row measures the evaluation loss before the first step and {times} after.",
        "About {count} held-out rows measure the evaluation loss before the first step and {times} after.",
        rows,
        times=times,
    )


def _device(session: TrainSession, devices: list[DeviceReading]) -> list[Check]:
    chosen = str(session.form.get("device"))
    if chosen == "cpu" or not devices:
        return [Check("good", _("It runs on the processor."))]
    found = devices[0] if chosen == "auto" else next((d for d in devices if d.id == chosen), None)
    if found is None:
        hint = _("There is {devices}.", devices=", ".join(device.id for device in devices))
        text = _("There is no device {device} on this machine.", device=chosen)
        return [Check("problem", text, hint, step=2)]
    text = _("It runs on {device}.", device=found.name)
    if found.kind == "gpu":
        return [Check("good", text)]
    return [Check("remark", text, _("A large model is slow there; the starter is not."))]


def _queue(session: TrainSession) -> Check:
    jobs = session.services.jobs
    if jobs.queue_held:
        return Check("remark", _("The queue is held: nothing new is started until it is continued."))
    at_work = [job for job in jobs.jobs.values() if job.status is JobStatus.RUNNING]
    before = [job.name for job in [*at_work, *jobs.startable]]  # who waits for another run lets it pass
    if not before:
        return Check("good", _("Nothing else runs: it starts at once."))
    text = _("{run} is before it: it waits where both need the same device.", run=before[0])
    return Check("remark", text)


def _list(session: TrainSession, devices: list[DeviceReading], free: int) -> None:
    with ui.element("ul").classes("qu-list"):
        for check in checks(session, devices, free):
            icon, tone = _ICONS[check.verdict]
            with ui.element("li").classes("qu-row qu-gap-3 qu-top-aligned"):
                Icon(icon).classes(tone)
                with ui.element("div").classes("qu-grow"):
                    if check.verdict == "problem":
                        Text(_("Problem:"), classes="qu-hidden")
                    Text(check.text, "div", classes="qu-break")
                    if check.hint:
                        Text(check.hint, "div", classes="qu-xs qu-muted qu-break")
                if check.step is not None:
                    _mend(session, check.step)
                if check.epochs is not None:
                    _raise_epochs(session, check.epochs)


def _mend(session: TrainSession, step: int) -> None:
    Button(_("Change"), lambda: session.form.go_to(step), size="sm")


def _raise_epochs(session: TrainSession, epochs: float) -> None:
    label = _("Train {count} epochs", count=number(epochs))
    Button(label, lambda: session.set("num_train_epochs", in_words(epochs)), size="sm")
