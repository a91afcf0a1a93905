"""The third step of /train: every knob, the basic ones first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.forms.knob_field import KnobField, in_words
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import muted
from qlora_ui.contract.knobs import GROUPS
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.trackers import TOOLS
from qlora_ui.contract.training_parameters import DATA_KNOBS
from qlora_ui.locales import ENGLISH, _, language, mark, sentence
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.presets import PresetCard
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS, as_sentence

ELSEWHERE = frozenset({"name", "model_name", *DATA_KNOBS})
"""Knobs that other steps ask for."""
SELDOM = ("max_steps", "output_dir", "offline", "lora_init", "adam_beta1", "adam_beta2", "adam_epsilon")

_CHEVRON = "M6 9l6 6l6 -6@@fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round"
"""Drawn, as Quasar takes it: a letter of its icon font would be read as a word until that font is there."""
_TITLES = {
    "LoRA": mark("The adapter (LoRA)"),
    "optimiser": mark("Optimiser and schedule"),
    "data": mark("Data and evaluation"),
    "memory": mark("Device and memory"),
    "monitoring": mark("Reports and checkpoints"),
}


def build(session: TrainSession) -> None:
    form = session.form
    fields: dict[str, KnobField] = {}
    PresetCard(session)
    with Card(_("Settings")):
        Live(form.changed, lambda: _filled_in(form), lambda: _starter_note(form))
        Live(form.changed, lambda: form.errors.get("", ""), lambda: _rule_note(session))
        fields |= _fields(session, _names("basics"))
        with ui.element("div"):
            for group in GROUPS[1:]:
                with ui.expansion(_(_TITLES[group])) as expansion:
                    expansion._props["expand-icon"] = _CHEVRON
                    fields |= _fields(session, _names(group))
                listen(form.changed, _opener(session, expansion, frozenset(_names(group))))

    def follow() -> None:
        for name, field in fields.items():
            field.show(form.get(name), form.error_of(name))

    listen(form.changed, follow)
    follow()


def _names(group: str) -> list[str]:
    """The knobs of a group, those that few people touch at its end."""
    names = [name for name, knob in KNOBS.items() if knob.group == group and name not in ELSEWHERE]
    return sorted(names, key=lambda name: SELDOM.index(name) if name in SELDOM else -1)


def _fields(session: TrainSession, names: list[str]) -> dict[str, KnobField]:
    with ui.element("div").classes("qu-knobs"):
        return {name: _field(session, name) for name in names}


def _field(session: TrainSession, name: str) -> KnobField:
    def take(value: object) -> Awaitable[None]:
        return session.set(name, value)

    options = _tracker_options() if name == "trackers" else None
    return KnobField(KNOBS[name], session.form.get(name), take, options=options)


def _tracker_options() -> dict[str, tuple[str, str]]:
    """What each tracker is called, and whether it has to be installed first."""
    return {
        name: (tool.title, "" if tool.is_installed else _("Not installed: {command}", command=tool.how_to_install))
        for name, tool in TOOLS.items()
    }


def _opener(session: TrainSession, expansion: ui.expansion, names: frozenset[str]) -> Callable[[], None]:
    def open_on_error() -> None:
        if not expansion.value and names & session.form.errors.keys():
            expansion.value = True

    open_on_error()
    return open_on_error


def _filled_in(form: TrainForm) -> dict[str, Any]:
    """Settings that suit the starter and that nobody set otherwise."""
    if form.get("model_name") != STARTER:
        return {}
    return {name: value for name, value in form.starter_settings.items() if name not in form.values}


def _starter_note(form: TrainForm) -> None:
    if not (filled_in := _filled_in(form)):
        return
    settings = ", ".join(_("{setting} {value}", setting=_title(n), value=in_words(v)) for n, v in filled_in.items())
    hint = as_sentence(settings)
    Notice(_("Settings that suit the starter are filled in."), "info", hint=hint)


def _title(name: str) -> str:
    """A knob's title within a line; of the languages here only English writes nouns small there."""
    title = sentence(KNOBS[name].title)
    return title.lower() if language() == ENGLISH else title


def _rule_note(session: TrainSession) -> None:
    problem = session.form.errors.get("")
    if problem:
        Notice(as_sentence(sentence(problem)), "error")
    else:
        muted(_("Empty means the default. Numbers may be written as 2e-4."), size="xs")
