"""The presets on /train: which one holds, what it sets and why, and what was changed since."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.choices import Choice, Choices
from qlora_ui.components.forms.knob_field import AUTOMATIC, in_words
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text, muted
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS

_WORDS: Mapping[str, tuple[str, str]] = {
    "quick_try": (mark("Quick try"), mark("A few minutes, to see whether data and settings lead anywhere.")),
    "balanced": (mark("Balanced"), mark("What suits most: the defaults.")),
    "best_quality": (mark("Best quality"), mark("A larger adapter, watched more closely. It takes longer.")),
    "small_gpu": (mark("Small GPU"), mark("The least memory, at the cost of speed and of long examples.")),
}
_REASONS: Mapping[tuple[str, str], str] = {
    ("quick_try", "max_steps"): mark("at most so many: enough to see the loss fall, or not"),
    ("quick_try", "lora_rank"): mark("a small adapter learns the manner of the answers quickly"),
    ("quick_try", "lora_alpha"): mark("the same strength as with the default rank"),
    ("quick_try", "evaluations"): mark("each of them takes time"),
    ("best_quality", "lora_rank"): mark("room for more than the manner of the answers"),
    ("best_quality", "lora_alpha"): mark("the same strength as with the default rank"),
    ("best_quality", "use_rslora"): mark("large ranks learn better with it"),
    ("best_quality", "evaluations"): mark("shows early when it begins to learn by heart"),
    ("best_quality", "load_best_at_end"): mark("the last step is not always the best one"),
    ("small_gpu", "batch_size"): mark("memory grows with every example in a batch"),
    ("small_gpu", "gradient_accumulation"): mark("keeps the effective batch of the defaults"),
    ("small_gpu", "max_length"): mark("memory grows with the length"),
    ("small_gpu", "activation_checkpointing"): mark("computes again what it would have to keep"),
    ("small_gpu", "optimizer"): mark("a quarter of the memory, and what is left may move to the processor's"),
}


def preset_name(name: str) -> str:
    """What a preset is called on the page."""
    return _(_WORDS[name][0])


class PresetCard(Card):
    """Choose a preset; below it what it sets, with the reasons, and what a person changed since."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Preset"))
        form = session.form
        choices = [Choice(name, _(title), _(text)) for name, (title, text) in _WORDS.items()]
        with self:
            chooser = Choices(choices, label=_("Preset"), value=form.preset).classes("qu-choices-grid")
            chooser.on_choose = session.choose_preset
            Live(form.changed, lambda: form.preset, lambda: _settings(form))
            Live(form.changed, lambda: form.beside_preset, lambda: _changes(session))
        listen(form.changed, lambda: chooser.show(form.preset))


def _settings(form: TrainForm) -> None:
    """What the preset sets, and why."""
    preset = form.preset
    if not (values := form.values_of_preset):
        return
    with ui.element("dl").classes("qu-reasons qu-sm"):
        for name, value in values.items():
            title = sentence(KNOBS[name].title)
            Text(_("{setting} {value}", setting=title, value=in_words(value)), "dt")
            Text(_(_REASONS[preset, name]), "dd")


def _changes(session: TrainSession) -> None:
    if not session.form.beside_preset:
        return
    with ui.element("div").classes("qu-row qu-wrap qu-gap-2"):
        muted(_changes_in_words(session.form))
        Button(_("Back to the preset"), lambda: session.choose_preset(session.form.preset), variant="ghost", size="sm")


def _changes_in_words(form: TrainForm) -> str:
    """`Otherwise than in the preset: Rank 8.`"""
    changed = {
        sentence(KNOBS[name].title): in_words(value) or _(AUTOMATIC) for name, value in form.beside_preset.items()
    }
    settings = ", ".join(_("{setting} {value}", setting=title, value=value) for title, value in changed.items())
    return _("Otherwise than in the preset: {settings}.", settings=settings)
