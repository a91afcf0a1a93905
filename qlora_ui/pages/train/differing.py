"""What a run does otherwise than the defaults, in words."""

from __future__ import annotations

from typing import Any

from qlora_ui.components.forms.knob_field import AUTOMATIC, in_words
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.locales import _, sentence
from qlora_ui.pages.train.data.mending import STEPS
from qlora_ui.pages.train.data.words import format_name, pairs, part_name, role_name, source_name
from qlora_ui.pages.train.form import TrainForm
from qlora_ui.pages.train.words import KNOBS


class DifferingCard(Card):
    """Every setting that does not have its default, but for model and data."""

    def __init__(self, form: TrainForm) -> None:
        super().__init__(_("What differs from the defaults"))
        with self:
            Live(form.changed, lambda: form.differing, lambda: _show(form.differing))


def _show(differing: dict[str, Any]) -> None:
    if not differing:
        Text(_("Nothing: every setting has its default."), "p", classes="qu-sm qu-muted")
        return
    KeyValues({sentence(KNOBS[name].title): _value_in_words(name, value) for name, value in differing.items()})


def _value_in_words(name: str, value: Any) -> str:
    """A setting's value as a person says it; tables and lists as well."""
    match name:
        case "data_format":
            return format_name(value)
        case "data_mapping":
            return pairs({part_name(part): column for part, column in value.items()})
        case "data_roles":
            return pairs({speaker: role_name(role) for speaker, role in value.items()})
        case "data_steps":
            return ", ".join(_(STEPS[step.do]) for step in value)
        case "more_data":
            named = ((source_name(source.path), source.weight) for source in value)
            return ", ".join(f"{name} × {in_words(weight)}" if weight != 1 else name for name, weight in named)
        case "validation_path":
            return source_name(value)
        case "chat_template" if "{" in value:
            return _("a template of your own")
        case _:
            return in_words(value) or _(AUTOMATIC)
