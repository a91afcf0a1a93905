"""The guide of the first day: steps that end in a finished starter run, and tick themselves off from what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nicegui import ui

from qlora_ui import demo
from qlora_ui.components.button import Button, link_button
from qlora_ui.components.device_meter import short_name
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.components.words import size
from qlora_ui.contract.parameters import TrainingParameters
from qlora_ui.contract.paths import is_starter
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.jobs.manager import JobManager
from qlora_ui.locales import _, n_
from qlora_ui.meters import DeviceReading
from qlora_ui.theme import Icon

_LIVES = {JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PAUSED, JobStatus.INTERRUPTED, JobStatus.COMPLETED}
"""A starter run that failed or was stopped counts as none: another one may be tried."""


@dataclass(frozen=True)
class Progress:
    """How far a person is, as the runs show it. What they have read is not known and not claimed."""

    training: Job | None = None
    """The starter run that came furthest, the newest of those; a further one takes nothing back."""
    evaluation: Job | None = None
    merge: Job | None = None
    has_own: bool = False
    """A training on other data than the starter's has been queued."""
    is_over: bool = False
    """A training that a person set up by themselves finished: nobody has to be guided any more."""

    @classmethod
    def of(cls, jobs: Iterable[Job]) -> Progress:
        jobs = list(jobs)
        trainings = [job for job in jobs if job.kind is JobKind.TRAINING]
        starters = [job for job in trainings if job.name == demo.NAME and job.status in _LIVES]
        own = [job for job in trainings if not _is_on_starter_data(job)]
        is_over = any(job.status is JobStatus.COMPLETED and job.name != demo.NAME for job in trainings)
        if not starters:
            return cls(has_own=bool(own), is_over=is_over)
        after = {job.id: {other.kind: other for other in jobs if other.record.after == job.id} for job in starters}

        def how_far(job: Job) -> tuple[int, datetime]:
            steps = [job, *after[job.id].values()]
            return sum(step.status is JobStatus.COMPLETED for step in steps), job.created_at

        training = max(starters, key=how_far)
        followers = after[training.id]
        return cls(training, followers.get(JobKind.EVALUATION), followers.get(JobKind.MERGE), bool(own), is_over)

    @property
    def done(self) -> tuple[bool, bool, bool, bool, bool]:
        results = [job for job in (self.evaluation, self.merge) if job is not None]
        is_trained = self.training is not None and self.training.status is JobStatus.COMPLETED
        are_there = is_trained and bool(results) and all(job.status is JobStatus.COMPLETED for job in results)
        return True, self.training is not None, is_trained, are_there, self.has_own


def _is_on_starter_data(job: Job) -> bool:
    return isinstance(job.parameters, TrainingParameters) and is_starter(job.parameters.dataset_path)


class Guide(Card, default_classes="qu-guide-card"):
    """The five steps. `show_machine` fills the first; the others follow the runs."""

    def __init__(self, jobs: JobManager, *, on_hide: Callable[[], Any] | None = None) -> None:
        """`on_hide` is what the button does that puts the guide away; without it there is none."""
        super().__init__(_("Your first fine-tune"))
        self._jobs = jobs
        self._machine: DeviceReading | None = None
        if on_hide is not None:
            with self.head:
                Button(_("Hide the guide"), on_hide, icon="x", variant="ghost", size="sm")
        with self:
            self._steps = Live(jobs.jobs_changed, self._key, self._build)

    def show_machine(self, device: DeviceReading) -> None:
        """Say in the first step what there is to compute on."""
        self._machine = device
        self._steps.follow()

    def _key(self) -> Any:
        progress = Progress.of(self._jobs.jobs.values())
        runs = [(job.id, job.status) for job in (progress.training, progress.evaluation, progress.merge) if job]
        return progress.done, runs, self._machine and self._machine.id

    def _build(self) -> None:
        progress = Progress.of(self._jobs.jobs.values())
        now = progress.done.index(False) if False in progress.done else len(progress.done)
        builders = (self._look_at_machine, self._run_starter, self._watch, self._read_results, self._use_own_data)
        with ui.element("ol").classes("qu-guide"):
            for place, build in enumerate(builders):
                with ui.element("li") as step:
                    _mark(place + 1, is_done=progress.done[place])
                    with ui.element("div").classes("qu-grow qu-col qu-gap-1"):
                        build(progress, place == now)
                if progress.done[place]:
                    step.classes("qu-step-done")
                elif place == now:
                    step.classes("qu-step-now")
                    step._props["aria-current"] = "step"

    def _look_at_machine(self, _progress: Progress, _is_now: bool) -> None:
        _title(_("See what this machine can do"))
        device = self._machine
        if device is None:
            _text(_("The device is being looked at."))
            return
        name, memory = short_name(device.name), size(device.memory_total)
        if device.kind == "gpu":
            _text(_("A GPU: {name} with {memory}. The starter needs only a little of it.", name=name, memory=memory))
            return
        cores = n_("{count} core", "{count} cores", device.cores or 1)
        words = _(
            "No GPU is seen, so runs compute on the processor: {name}, {cores}, {memory} of memory. "
            "That suits the starter and small models.",
            name=name,
            cores=cores,
            memory=memory,
        )
        _text(words)

    def _run_starter(self, _progress: Progress, is_now: bool) -> None:
        _title(_("Run the starter"))
        _text(
            _(
                "It fine-tunes a small model that comes along, scores it before and after, and merges it with proof. "
                "It takes a minute or two and needs no GPU and no network."
            )
        )
        if is_now:
            with row(wrap=True):
                Button(_("Try the starter run"), self._start, icon="flask-conical", variant="primary", size="sm")

    def _watch(self, progress: Progress, is_now: bool) -> None:
        _title(_("Watch it learn"))
        _text(_("The loss falls while it trains. You may close this tab: the run goes on without it."))
        if progress.training is not None:
            _open(_("Open the run"), progress.training, is_now=is_now)

    def _read_results(self, progress: Progress, is_now: bool) -> None:
        _title(_("See it scored and merged"))
        _text(
            _("The score compares the adapter with its base on rows that were held out; the receipt proves the merge.")
        )
        finished = [job for job in (progress.evaluation, progress.merge) if job and job.status is JobStatus.COMPLETED]
        if finished:
            with row(wrap=True):
                for job in finished:
                    words = _("Read the score") if job.kind is JobKind.EVALUATION else _("Read the receipt")
                    link_button(words, f"/activity/{job.id}", size="sm", variant="primary" if is_now else "secondary")

    def _use_own_data(self, _progress: Progress, is_now: bool) -> None:
        _title(_("Use your own data"))
        _text(
            _("Choose a model, drop a file with your examples, and see how they are understood before anything runs.")
        )
        with row(wrap=True):
            words = _("Use your own data")
            link_button(words, "/train", icon="sparkles", size="sm", variant="primary" if is_now else "secondary")

    async def _start(self) -> None:
        run = await demo.submit_starter(self._jobs)
        with self:  # the button that was pressed is gone, its step being done
            ui.navigate.to(f"/activity/{run.training.id}")


def _mark(number: int, *, is_done: bool) -> None:
    with ui.element("span").classes("qu-step-mark"):
        if is_done:
            Icon("check")
            Text(_("Done:"), classes="qu-hidden")
        else:
            Text(str(number))._props["aria-hidden"] = "true"  # the list counts by itself


def _title(text: str) -> None:
    Text(text, "h3")


def _text(text: str) -> None:
    Text(text, "p", classes="qu-sm qu-muted")


def _open(words: str, job: Job, *, is_now: bool) -> None:
    with row(wrap=True):
        link_button(words, f"/activity/{job.id}", size="sm", variant="primary" if is_now else "secondary")
