"""/train: model → data → settings → check → start, on one page, with what it comes to always beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, column, columns
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.page_header import PageHeader
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.steps import Steps
from qlora_ui.components.text import LiveRegion, Text
from qlora_ui.contract.paths import STARTER
from qlora_ui.locales import _, mark, n_
from qlora_ui.pages.train import check as train_check
from qlora_ui.pages.train import model as train_model
from qlora_ui.pages.train import settings as train_settings
from qlora_ui.pages.train import start as train_start
from qlora_ui.pages.train.data import page as train_data
from qlora_ui.pages.train.data.words import source_name
from qlora_ui.pages.train.form import STEPS, TrainForm
from qlora_ui.pages.train.plan import plan
from qlora_ui.pages.train.session import TrainSession, session_of
from qlora_ui.pages.train.words import in_figures, step_names
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
ONWARDS = (
    mark("Continue to data"),
    mark("Continue to settings"),
    mark("Continue to check"),
    mark("Continue to start"),
)
"""What the button below each step but the last one says."""


async def build(services: Services) -> None:
    """The form, as the person of this browser tab left it."""
    header = PageHeader(_("New fine-tune"), _(SUBTITLES[0]))
    session = await session_of(services)
    await session.refresh_choices()
    form = session.form
    form.show_as(yaml=False)
    steps = Steps(list(step_names()), label=_("Steps to a fine-tune"), on_choose=form.go_to)
    with columns():
        with column(gap=5):
            edited = Live(form.changed, lambda: form.yaml_problem, lambda: _edited_file(session))
            panels = Panels(session)
            yaml_card = YamlCard(session)
        with column(gap=5).classes("qu-sticky"):
            _this_run(session, panels)

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


def _this_run(session: TrainSession, panels: Panels) -> None:
    with Card(_("This run")):
        Live(session.form.changed, lambda: _facts(session), lambda: _show_facts(session), classes="qu-contents")
        _Buttons(session, panels)


def _show_facts(session: TrainSession) -> None:
    KeyValues(_facts(session))


def _facts(session: TrainSession) -> dict[str, str]:
    """What the run comes to, as far as it is known. Nothing here is estimated."""
    form = session.form
    model = str(form.get("model_name") or "")
    facts = {
        _("Model"): f"{_short(model)} · NF4" if model else _("not chosen yet"),
        _("Data"): _data_in_words(form),
    }
    if form.problems:
        return facts | {_("Steps"): _("known once the settings can be used")}
    parameters = form.parameters()
    survey = form.data.survey
    made = plan(parameters, survey) if survey is not None and survey.examples_train else None
    if made is not None:
        facts[_("Rows to train")] = in_figures(made.rows_trained, is_exact=made.is_exact)
    facts[_("Trained")] = _("answers only") if parameters.train_on == "completions" else _("every token")
    layers = _("all linear layers") if parameters.target_modules == "all-linear" else parameters.target_modules
    facts[_("Adapter")] = f"r{parameters.lora_rank}, {layers}"
    batch = parameters.batch_size * parameters.gradient_accumulation
    facts[_("Effective batch")] = n_("{count} example", "{count} examples", batch)
    if made is not None:
        facts[_("Steps")] = in_figures(made.steps, is_exact=made.is_exact)
    facts[_("Device")] = _("first GPU or processor") if parameters.device == "auto" else parameters.device
    return facts


def _data_in_words(form: TrainForm) -> str:
    sources = form.sources
    if not sources:
        return _("not chosen yet")
    if len(sources) > 1:
        return n_("{count} source", "{count} sources", len(sources))
    return _("starter") if sources[0].path == STARTER else source_name(sources[0].path)


def _short(name: str) -> str:
    return _("starter") if name == STARTER else name.rstrip("/").rpartition("/")[2]


class _Buttons:
    """On, or at once to the start. They are changed in place, so that the focus stays on them from step to step."""

    def __init__(self, session: TrainSession, panels: Panels) -> None:
        self._form, self._panels = session.form, panels
        self._proceed = Button("", self._go_on, icon_after="chevron-right", variant="primary").classes("qu-wide")
        self._start_now = Button(_("Start now"), lambda: start(session)).classes("qu-wide")
        self._start = Button(_("Start training"), lambda: start(session), icon="play", variant="primary")
        self._start.classes("qu-wide")
        self._reason = Text("", "p", classes="qu-sm qu-muted qu-break").mark("reason")
        for button in (self._proceed, self._start):
            button._props["aria-describedby"] = self._reason.html_id
        self._show_me = Button(_("Show me where"), self._go_back, size="sm")
        listen(session.form.changed, self._follow)
        self._follow()

    def _go_on(self) -> None:
        """To the next step, unless something on this one has to be mended first: then to that."""
        if self._form.obstacle_at(self._form.step):
            self._panels.focus()
        else:
            self._form.go_to(self._form.step + 1)

    def _go_back(self) -> None:
        step = self._form.obstacle_step
        if step is not None:
            self._form.go_to(step)
            self._panels.focus()

    def _follow(self) -> None:
        form = self._form
        is_last = form.is_yaml or form.step == len(STEPS) - 1
        if not is_last:
            self._proceed.text = _(ONWARDS[form.step])
        self._proceed.set_visibility(not is_last)
        self._start_now.set_visibility(not is_last and form.is_valid and not form.is_submitting)
        self._start.set_visibility(is_last)
        obstacle = form.obstacle
        self._start.disable_because(obstacle)
        here = "" if is_last else form.obstacle_at(form.step)
        if here:
            self._reason.text = _("Mend this first. {problem}", problem=here)
        else:
            self._reason.text = obstacle if is_last else ""
        self._reason.set_visibility(bool(self._reason.text))
        self._show_me.set_visibility(is_last and not form.is_yaml and form.obstacle_step is not None)


async def start(session: TrainSession) -> None:
    """Queue the run and go to it. What stands in the way is raised, and nothing that was typed is lost."""
    if session.form.is_submitting:
        return
    job = await session.start()
    ui.navigate.to(f"/activity/{job.id}")


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
