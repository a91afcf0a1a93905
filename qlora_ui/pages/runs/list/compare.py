"""A few runs side by side: what came out of each, and which of their settings differ."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from qlora_ui.components.badge import kind_word, status_words
from qlora_ui.components.button import Button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.forms.knob_field import in_words
from qlora_ui.components.layout import row
from qlora_ui.components.text import heading, link, paragraph
from qlora_ui.contract.knobs import knobs
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, sentence
from qlora_ui.pages.runs.overview import result_of, took

MOST_COMPARED = 4
"""More columns than that nobody reads."""


def compare(jobs: Sequence[Job]) -> None:
    """Show them in a dialog until it is closed."""
    with ui.dialog() as dialog, ui.element("div").classes("qu-dialog qu-compare"):
        dialog._props["aria-label"] = _("Compare runs")
        heading(_("Compare runs"))
        with ui.element("div").classes("qu-compare-room") as room:
            room._props.update({"tabindex": "0", "role": "region", "aria-label": _("Compare runs")})
            _table(jobs)
        paragraph(_("Settings that are the same in all of them are left out."), muted=True, size="xs")
        with row().style("justify-content:flex-end"):
            Button(_("Close"), dialog.close)
    dialog.on("hide", dialog.delete, [])
    dialog.open()


def _table(jobs: Sequence[Job]) -> None:
    table = DataTable([_("What"), *(job.name for job in jobs)], label=_("Compare runs"))
    for title, values in [*_results(jobs), *differences(jobs)]:
        cells = table.row()
        cells.cell(title)
        for value in values:
            cells.cell(value).classes("qu-break")
    cells = table.row()
    cells.cell(_("Page"))
    for job in jobs:
        with cells.cell():
            link(_("Open"), f"/activity/{job.id}")


def _results(jobs: Sequence[Job]) -> list[tuple[str, list[str]]]:
    return [
        (_("Kind"), [kind_word(job.kind) for job in jobs]),
        (_("Status"), [status_words(job.kind, job.status)[0] for job in jobs]),
        (_("Result"), [result_of(job) or "–" for job in jobs]),
        (_("Took"), [took(job) for job in jobs]),
    ]


def differences(jobs: Sequence[Job]) -> list[tuple[str, list[str]]]:
    """Every setting that is not the same in all runs that have it: its title, and its value in each (a dash for none).

    What a run is called is no setting.
    """
    known = {name: knob for job in jobs for name, knob in knobs(type(job.parameters)).items() if name != "name"}
    rows = []
    for name, knob in known.items():
        values = [getattr(job.parameters, name) for job in jobs if hasattr(job.parameters, name)]
        if any(value != values[0] for value in values):
            words = [in_words(getattr(job.parameters, name, None)) or "–" for job in jobs]
            rows.append((sentence(knob.title), words))
    return rows
