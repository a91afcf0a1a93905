"""A form that begins with the settings of an earlier run, where that is said, and the way back to what was there."""

from __future__ import annotations

from collections.abc import Iterable

from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import link
from qlora_ui.contract.errors import JobError
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.jobs.starting_points import numbered
from qlora_ui.locales import _
from qlora_ui.pages.train.form import STEPS, Origin
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS


def training_of(jobs: JobManager, job_id: str) -> Job:
    """The training with this id, which anybody may have written into an address. Raises JobError for any other."""
    job = jobs.get(job_id)
    if not isinstance(job.parameters, TrainingParameters):
        raise JobError(f"{job.name} is no training, so there are no settings to begin with.")
    return job


async def begin_from(session: TrainSession, job: Job, names: Iterable[str]) -> None:
    """Fill the form with the settings of a training, under a name that is not among `names`, and open the settings.

    A form that began with this run already stays as it is, with what was changed since.
    """
    form = session.form
    if form.origin is not None and form.origin.run == job.id:
        return
    origin = Origin(job.id, job.name, form.draft())

    def fill() -> None:
        parameters = job.parameters.model_copy(update={"name": numbered(job.name, names)})
        said = {name for name, knob in KNOBS.items() if getattr(parameters, name) != knob.default}
        form.origin, form.test_path, form.wants_score = origin, "", True
        form.take_over(parameters, said)
        form.go_to(STEPS.index("settings"))

    await session.follow(fill)


async def take_back(session: TrainSession) -> None:
    """Let the form hold what it held before."""
    origin = session.form.origin
    if origin is not None:
        await session.follow(lambda: session.form.restore(origin.before))


def show_origin(session: TrainSession) -> None:
    """Where the settings came from, as long as they are not started."""
    origin = session.form.origin
    if origin is None:
        return
    text = _("These are the settings of {name}, for a new run of its own.", name=origin.name)
    notice = Notice(text, hint=_("Change what you like: the earlier run stays as it is."))
    with notice.body, row(wrap=True, gap=3).style("margin-top:8px"):
        had_something = bool(origin.before.values)
        words = _("Back to what was here before") if had_something else _("Empty the form")
        Button(words, lambda: take_back(session), size="sm")
        link(_("Open the earlier run"), f"/activity/{origin.run}")
