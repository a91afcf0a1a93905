"""Beside every step of /train: what the run comes to as it is set now, and the way on."""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.contract.paths import STARTER
from qlora_ui.locales import _, mark, n_
from qlora_ui.pages.train.data.words import source_name
from qlora_ui.pages.train.form import STEPS, TrainForm
from qlora_ui.pages.train.plan import plan
from qlora_ui.pages.train.presets import preset_name
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import in_figures

ONWARDS = (
    mark("Continue to data"),
    mark("Continue to settings"),
    mark("Continue to check"),
    mark("Continue to start"),
)
"""What the button below each step but the last one says."""


class ThisRunCard(Card):
    """What the run comes to as it is set now, and the way on to its start."""

    def __init__(self, session: TrainSession, focus: Callable[[], None]) -> None:
        """`focus` leads to what has to be mended on the open step."""
        super().__init__(_("This run"))
        form = session.form
        with self:
            Live(form.changed, lambda: _facts(form), lambda: _show_facts(form), classes="qu-contents")
            _Buttons(session, focus)


def _show_facts(form: TrainForm) -> None:
    KeyValues(_facts(form))


def _facts(form: TrainForm) -> dict[str, str]:
    """As far as they are known. Nothing here is estimated."""
    model = str(form.get("model_name") or "")
    facts = {
        _("Model"): f"{_short(model)} · {_held(form)}" if model else _("not chosen yet"),
        _("Data"): _data_in_words(form),
    }
    if form.problems:
        return facts | {_("Steps"): _("known once the settings can be used")}
    facts[_("Preset")] = _preset_in_words(form)
    parameters = form.parameters()
    survey = form.data.survey
    made = plan(parameters, survey) if survey is not None and survey.examples_train else None
    if made is not None:
        facts[_("Examples to train")] = in_figures(made.examples_trained, is_exact=made.is_exact)
    is_text = form.data.look is not None and form.data.look.understanding.format == "text"
    answers_only = parameters.train_on == "completions" and not is_text
    facts[_("Trained")] = _("answers only") if answers_only else _("every token")
    layers = _layers_in_words(parameters.target_modules)
    facts[_("Adapter")] = f"r{parameters.lora_rank}, {layers}"
    batch = parameters.batch_size * parameters.gradient_accumulation
    facts[_("Effective batch")] = n_("{count} example", "{count} examples", batch)
    if made is not None:
        facts[_("Steps")] = in_figures(made.steps, is_exact=made.is_exact)
    facts[_("Device")] = _("first GPU or processor") if parameters.device == "auto" else parameters.device
    return facts


def _held(form: TrainForm) -> str:
    """The number format of the base's weights."""
    return {"int8": "INT8", "lora": _("not quantised")}.get(str(form.get("method")), "NF4")


def _layers_in_words(wanted: str) -> str:
    return {"all-linear": _("all linear layers"), "attention": _("layers of the attention")}.get(wanted.strip(), wanted)


def _preset_in_words(form: TrainForm) -> str:
    changes = len(form.beside_preset)
    name = preset_name(form.preset)
    return n_("{preset}, {count} change", "{preset}, {count} changes", changes, preset=name) if changes else name


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

    def __init__(self, session: TrainSession, focus: Callable[[], None]) -> None:
        self._form, self._focus = session.form, focus
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
            self._focus()
        else:
            self._form.go_to(self._form.step + 1)

    def _go_back(self) -> None:
        step = self._form.obstacle_step
        if step is not None:
            self._form.go_to(step)
            self._focus()

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
