"""/train: model → data → settings → check → start, on one page, with what it comes to always beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import column, columns
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.steps import Steps
from qlora_ui.components.text import LiveRegion
from qlora_ui.contract.errors import JobError
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.address import query_of_page, write_query
from qlora_ui.pages.train import check as train_check
from qlora_ui.pages.train import model as train_model
from qlora_ui.pages.train import settings as train_settings
from qlora_ui.pages.train import start as train_start
from qlora_ui.pages.train.data import page as train_data
from qlora_ui.pages.train.fit import FitCard
from qlora_ui.pages.train.form import STEPS, TrainForm
from qlora_ui.pages.train.origin import begin_from, show_origin, training_of
from qlora_ui.pages.train.session import TrainSession, session_of
from qlora_ui.pages.train.this_run import ThisRunCard
from qlora_ui.pages.train.words import step_names
from qlora_ui.pages.train.yaml import YamlCard

if TYPE_CHECKING:
    from qlora_ui.services import Services

SUBTITLES = (
    mark("The model that learns: the small starter, a folder on this machine, or a name on the hub."),
    mark("Your data, read and turned into the exact tokens that will be trained."),
    mark("Good settings are filled in; every other one is within reach."),
    mark("What will happen, before anything happens."),
    mark("Give it a name, decide what follows, and let it run."),
)


PATH = "/train"


async def build(services: Services) -> None:
    """The form, as the person of this browser tab left it, or with the settings of the run that the address names."""
    header = PageHeader(_("New fine-tune"), _(SUBTITLES[0]))
    session = await session_of(services)
    await session.refresh_choices()
    await _begin_from_address(session)
    form = session.form
    form.show_as(yaml=False)
    steps = Steps(list(step_names()), label=_("Steps to a fine-tune"), on_choose=form.go_to)
    with columns():
        with column(gap=5):
            Live(form.changed, lambda: form.origin, lambda: show_origin(session))
            edited = Live(form.changed, lambda: form.yaml_problem, lambda: _edited_file(session))
            panels = Panels(session)
            yaml_card = YamlCard(session)
        with column(gap=5).classes("qu-sticky"):
            FitCard(session)
            ThisRunCard(session, panels.focus)

    async def switch(view: str) -> None:
        panels.set_visibility(view == "form")
        edited.set_visibility(view == "form")
        steps.set_visibility(view == "form")
        yaml_card.set_visibility(view == "yaml")
        form.show_as(yaml=view == "yaml")
        if view == "yaml":
            await yaml_card.open()

    with header.actions:
        Segmented({"form": _("Form"), "yaml": "YAML"}, label=_("Write the settings as"), on_change=switch)

    def follow() -> None:
        header.subtitle.text = _(SUBTITLES[form.step])
        steps.show(now=form.step, done=_done(session))

    listen(form.changed, follow)
    follow()
    _say_steps(form)


async def _begin_from_address(session: TrainSession) -> None:
    """Take the settings of `?from=<run id>`, once: a reload keeps what was changed since. `&step=data` opens a step."""
    query = parse_qs(query_of_page())
    if not (run := query.get("from", [""])[-1]):
        return
    jobs = session.services.jobs
    try:
        job = training_of(jobs, run)
    except JobError as error:
        Notice(sentence(error.message), "warning", hint=_("The form is as you left it."))
        return
    await begin_from(session, job, {other.name for other in jobs.jobs.values()})
    if (step := query.get("step", [""])[-1]) in STEPS:
        session.form.go_to(STEPS.index(step))
    write_query(PATH, "", is_new=False)


def _say_steps(form: TrainForm) -> None:
    """Say which step is open once it is another one, and not at every key that is typed."""
    region, told = LiveRegion(), form.step

    def follow() -> None:
        nonlocal told
        if form.step != told:
            told, name = form.step, step_names()[form.step]
            region.say(_("Step {number} of {count}: {name}.", number=form.step + 1, count=len(STEPS), name=name))

    listen(form.changed, follow)


def _edited_file(session: TrainSession) -> None:
    """What became of a file that was left with a mistake in it."""
    form = session.form
    if not form.yaml_problem:
        return
    hint = _("What you typed is kept under YAML. The form shows the last settings that could be used.")
    with Notice(form.yaml_problem, "warning", hint=hint).body:
        Button(_("Forget that edit"), form.drop_yaml, size="sm").style("margin-top:8px")


class Panels(ui.element, default_classes="qu-col qu-gap-5"):
    """The cards of the open step; those of a step are built when it is opened first."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__("div")
        self._session = session
        self._builders: tuple[Callable[[TrainSession], None], ...] = (
            train_model.build,
            train_data.build,
            train_settings.build,
            train_check.build,
            train_start.build,
        )
        self._built: dict[int, ui.element] = {}
        self._shown = session.form.step
        with self:
            listen(session.form.changed, self._follow)
        self._follow()

    def _follow(self) -> None:
        now = self._session.form.step
        if now not in self._built:
            with self, column(gap=5) as panel:
                self._builders[now](self._session)
            self._built[now] = panel
        for step, panel in self._built.items():
            panel.set_visibility(step == now)
        if now != self._shown:
            self._shown = now
            self.focus()

    def focus(self) -> None:
        """A keyboard and a screen reader go on at what has to be mended on this step, else where the step begins."""
        ui.run_javascript(f"""
            requestAnimationFrame(() => {{
                const panel = getHtmlElement({self._built[self._shown].id});
                if (!panel) return;  // the page was left at once, as at a start
                const first = (selector) => [...panel.querySelectorAll(selector)].find((one) => one.offsetParent);
                const field = first('[aria-invalid="true"]');
                const fault = field ?? first(".qu-note.qu-tone-error");
                const target = fault ?? first("h2");
                if (!field) target?.setAttribute("tabindex", "-1");
                target?.focus();
                fault?.scrollIntoView({{ block: "center" }});  // else the top bar may lie over it
            }});
        """)


def _done(session: TrainSession) -> set[int]:
    """The steps that need nothing more."""
    form, problems = session.form, session.form.problems
    done = set()
    if "model_name" not in problems and session.form.model_note and not session.form.model_note.is_problem:
        done.add(0)
    if "dataset_path" not in problems and form.data.is_understood and not form.obstacle_at(1):
        done.add(1)
    if not problems.keys() - {"model_name", "dataset_path"} and form.step > 1:
        done.add(2)
    if form.is_valid and done >= {0, 1} and form.step > 2:
        done.add(3)
    return done
