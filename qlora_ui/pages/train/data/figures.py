"""The figures of the data: rows, examples, tokens, lengths, what is cut and left out."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.charts.histogram import histogram
from qlora_ui.components.text import Text
from qlora_ui.components.words import many, share
from qlora_ui.contract.inspection import Survey
from qlora_ui.locales import _
from qlora_ui.locales.figures import number


def show_figures(survey: Survey, max_length: int) -> None:
    """All of them were counted; none is an estimate. `max_length`: where examples are cut, in tokens."""
    with ui.element("dl").classes("qu-figures-row"):
        for label, value in _figures(survey).items():
            with ui.element("div"):
                Text(label, "dt", classes="qu-xs qu-muted")
                Text(value, "dd", classes="qu-figure-value")
    if survey.lengths is not None and survey.examples:
        histogram(survey.lengths, max_length, label=_("Length of the examples in tokens"))


def _figures(survey: Survey) -> dict[str, str]:
    figures = {
        _("Rows"): number(survey.rows),
        _("Examples to train"): number(survey.examples_train),
        _("Held out"): number(survey.examples_held_out),
    }
    if survey.tokens is not None and survey.tokens_trained is not None:
        trained, tokens = many(survey.tokens_trained), many(survey.tokens)
        figures[_("Tokens trained, all rows")] = _("{part} of {total}", part=trained, total=tokens)
    if survey.truncated is not None:
        figures[_("Truncated")] = share(survey.truncated, survey.examples) if survey.examples else number(0)
    optional = {
        _("Nothing to train"): survey.untrainable,
        _("Left out by mends"): survey.rows_left_out,
        _("Cannot be used"): survey.rows_bad,
        _("Near duplicates"): survey.near_duplicates,
    }
    figures[_("Duplicates")] = number(survey.duplicates)
    return figures | {label: number(count) for label, count in optional.items() if count}
