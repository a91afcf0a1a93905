"""The fourth step of /train: everything that will happen, and everything that stands in its way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nicegui import background_tasks, ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.knob_field import in_words
from qlora_ui.components.layout import Card, Skeleton
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.words import counted, many, size
from qlora_ui.contract.records import JobStatus
from qlora_ui.pages.train_data import FORMATS
from qlora_ui.pages.train_form import ENOUGH_STEPS, KNOBS, epochs_for_enough_steps, in_a_sentence, plan
from qlora_ui.pages.train_session import TrainSession
from qlora_ui.theme import Icon

if TYPE_CHECKING:
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
    with Card("Check"):
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
    with Card("What differs from the defaults"):
        Live(form.changed, lambda: form.differing, lambda: _differing(session))


def checks(session: TrainSession, devices: list[DeviceReading], free: int) -> list[Check]:
    """What was looked at, in the order of the steps. Nothing in it is estimated."""
    return [
        _model(session),
        _data(session),
        *_settings(session),
        *_steps(session),
        *_evaluation(session),
        *_scoring(session),
        *_device(session, devices),
        _queue(session),
        Check("good" if free > 2e9 else "problem", f"{size(free)} are free on the disk with the home folder."),
    ]


def _model(session: TrainSession) -> Check:
    note = session.form.model_note
    if note is None:
        return Check("problem", "No model is chosen.", step=0)
    return Check("problem" if note.is_problem else "good", note.text, note.hint, step=0 if note.is_problem else None)


def _data(session: TrainSession) -> Check:
    form = session.form
    if form.data_problem is not None:
        return Check("problem", *form.data_problem, step=1)
    if form.is_inspecting:
        return Check("remark", "The data is still being read.")
    inspection = form.inspection
    if inspection is None:
        return Check("problem", "No data is chosen.", step=1)
    if form.bad_rows:
        return Check("problem", form.bad_rows[0].message, form.bad_rows[0].hint, step=1)
    words = f"{inspection.rows:,} rows were read as {FORMATS.get(inspection.format, inspection.format)}"
    if inspection.tokens_trained is not None:
        words += f"; {many(inspection.tokens_trained)} of {many(inspection.tokens or 0)} tokens in all rows are trained"
    return Check("good", f"{words}.")


def _settings(session: TrainSession) -> list[Check]:
    form = session.form
    problems = {name: reason for name, reason in form.problems.items() if name not in {"model_name", "dataset_path"}}
    if problems:
        return [
            Check("problem", in_a_sentence(name, reason), step=4 if name == "name" else 2)
            for name, reason in problems.items()
        ]
    return [Check("good", f"All settings can be used; {counted(len(form.differing), 'setting')} changed.")]


def _steps(session: TrainSession) -> list[Check]:
    """A word where the run is too short to teach much."""
    form = session.form
    if form.problems or form.inspection is None:
        return []
    parameters = form.parameters()
    made = plan(parameters, form.inspection)
    epochs = epochs_for_enough_steps(parameters, made)
    if epochs is None:
        return []
    return [
        Check(
            "remark",
            f"{counted(made.steps, 'step')} {'teaches' if made.steps == 1 else 'teach'} little. "
            f"About {in_words(epochs)} epochs make {ENOUGH_STEPS} steps.",
            "More rows are better than more epochs: with many passes over few rows they are learned by heart.",
            epochs=epochs,
        )
    ]


def _scoring(session: TrainSession) -> list[Check]:
    form = session.form
    if not form.score_after:
        return [Check("remark", "Base and adapter are not scored afterwards.", step=4)]
    if problem := form.file_problems.get("test_path"):
        return [Check("problem", f"Test file: {problem}", step=4)]
    rows = "the held-out rows of the starter data" if not form.test_path else Path(form.test_path).name
    return [Check("good", f"Base and adapter are scored afterwards, on {rows}.")]


def _evaluation(session: TrainSession) -> list[Check]:
    form = session.form
    if problem := form.file_problems.get("validation_path"):
        return [Check("problem", f"Evaluation file: {problem}", step=2)]
    if form.problems or form.inspection is None:
        return []
    parameters = form.parameters()
    made = plan(parameters, form.inspection)
    times = f"before the first step and {counted(parameters.evaluations, 'time')} after"
    if parameters.evaluations and parameters.validation_path:
        return [Check("good", f"The evaluation file measures the evaluation loss {times}.")]
    if parameters.evaluations and made.rows_held_out:
        about = "" if made.is_exact else "about "
        return [
            Check(
                "good", f"{about}{made.rows_held_out:,} held-out rows measure the evaluation loss {times}.".capitalize()
            )
        ]
    return [Check("remark", "Nothing measures the evaluation loss, so learning by heart would not show.", step=2)]


def _device(session: TrainSession, devices: list[DeviceReading]) -> list[Check]:
    chosen = str(session.form.get("device"))
    if chosen == "cpu" or not devices:
        return [Check("good", "It runs on the processor.")]
    found = devices[0] if chosen == "auto" else next((d for d in devices if d.id == chosen), None)
    if found is None:
        here = ", ".join(device.id for device in devices)
        return [Check("problem", f"There is no device {chosen} on this machine.", f"There is {here}.", step=2)]
    hint = "" if found.kind == "gpu" else "A large model is slow there; the starter is not."
    return [Check("good" if found.kind == "gpu" else "remark", f"It runs on {found.name}.", hint)]


def _queue(session: TrainSession) -> Check:
    jobs = session.services.jobs
    before = [job.name for job in jobs.jobs.values() if job.status is JobStatus.RUNNING] + [j.name for j in jobs.queue]
    if not before:
        return Check("good", "Nothing else runs: it starts at once.")
    return Check("remark", f"{before[0]} is before it: it waits where both need the same device.")


def _list(session: TrainSession, devices: list[DeviceReading], free: int) -> None:
    with ui.element("ul").classes("qu-list"):
        for check in checks(session, devices, free):
            icon, tone = _ICONS[check.verdict]
            with ui.element("li").classes("qu-row qu-gap-3 qu-top-aligned"):
                Icon(icon).classes(tone)
                with ui.element("div").classes("qu-grow"):
                    Text("Problem: " if check.verdict == "problem" else "", classes="qu-hidden")
                    Text(check.text, "div", classes="qu-break")
                    if check.hint:
                        Text(check.hint, "div", classes="qu-xs qu-muted qu-break")
                if check.step is not None:
                    _mend(session, check.step)
                if check.epochs is not None:
                    _raise_epochs(session, check.epochs)


def _mend(session: TrainSession, step: int) -> None:
    Button("Change", lambda: session.form.go_to(step), size="sm")


def _raise_epochs(session: TrainSession, epochs: float) -> None:
    Button(f"Train {in_words(epochs)} epochs", lambda: session.set("num_train_epochs", in_words(epochs)), size="sm")


def _differing(session: TrainSession) -> None:
    differing = session.form.differing
    if not differing:
        Text("Nothing: every setting has its default.", "p", classes="qu-sm qu-muted")
        return
    KeyValues({KNOBS[name].title: in_words(value) or "automatic" for name, value in differing.items()})
