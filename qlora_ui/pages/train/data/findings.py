"""What a person should know of the data, with the rows that it is true of and the steps that mend it."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.badge import Tone
from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.contract.inspection import Finding, Mend
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.train.data.mending import mend
from qlora_ui.pages.train.session import TrainSession

_TONES: dict[str, Tone] = {"note": "info", "warning": "warning", "error": "error"}
AT_ONCE = 4
"""Findings that stand open; the others, which weigh less, are a click away."""


def show_findings(session: TrainSession, findings: list[Finding]) -> None:
    """The gravest findings first."""
    for finding in findings[:AT_ONCE]:
        _show(session, finding)
    rest = findings[AT_ONCE:]
    if rest:
        words = n_("{count} more thing that was found", "{count} more things that were found", len(rest))
        with ui.element("details").classes("qu-more"):
            Text(words, "summary", classes="qu-sm")
            with ui.element("div").classes("qu-col qu-gap-3"):
                for finding in rest:
                    _show(session, finding)


def _show(session: TrainSession, finding: Finding) -> None:
    message = sentence(finding.message)
    if finding.count:
        rows = n_("{count} row", "{count} rows", finding.count)
        message = _("{rows}: {finding}", rows=rows, finding=message)
    with Notice(message, _TONES[finding.level], hint=sentence(finding.hint)).body:
        if finding.rows or finding.mends:
            with row(wrap=True).style("margin-top:8px"):
                if finding.rows:
                    first = finding.rows[0]
                    see = Button(_("See them"), lambda: session.data.show_row(first, among=finding), size="sm")
                    see._props["aria-label"] = _("See them: {finding}", finding=message)
                for offered in finding.mends:
                    _mend(session, offered)


def _mend(session: TrainSession, offered: Mend) -> None:
    Button(sentence(offered.label), lambda: mend(session, offered.step), size="sm")
