"""The figures of the data: rows, tokens, what is cut and left out."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.text import Text
from qlora_ui.components.words import many, share
from qlora_ui.contract.inspection import Survey
from qlora_ui.locales import _
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.session import TrainSession


def show_figures(session: TrainSession, survey: Survey) -> None:
    figures: dict[str, str] = {
        _("Rows"): number(survey.rows),
        _("Examples to train"): number(survey.examples_train),
        _("Held out"): number(survey.examples_held_out),
    }
    if survey.tokens is not None and survey.tokens_trained is not None:
        trained, tokens = many(survey.tokens_trained), many(survey.tokens)
        figures[_("Tokens trained, all rows")] = _("{part} of {total}", part=trained, total=tokens)
    if survey.truncated is not None:
        figures[_("Truncated")] = share(survey.truncated, survey.examples)
    if survey.untrainable:
        figures[_("Left out")] = number(survey.untrainable)
    figures[_("Duplicates")] = number(survey.duplicates)
    with ui.element("dl").classes("qu-figures-row"):
        for label, value in figures.items():
            with ui.element("div"):
                Text(label, "dt", classes="qu-xs qu-muted")
                Text(value, "dd", classes="qu-figure-value")
