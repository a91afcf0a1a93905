"""What a person should know of the data, with the rows that it is true of and the steps that mend it."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from qlora_ui.components.badge import Tone
from qlora_ui.components.button import Button
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text
from qlora_ui.contract.inspection import Finding, Level, Mend
from qlora_ui.contract.recipe import Step
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.train.data.mending import is_chosen, mend, steps_of
from qlora_ui.pages.train.session import TrainSession

TONES: dict[Level, Tone] = {"note": "info", "warning": "warning", "error": "error"}
AT_ONCE = 4
"""Findings that stand open; the others, which weigh less, are a click away."""


def show_findings(session: TrainSession, findings: Sequence[Finding]) -> None:
    """The gravest findings first. A mend that was chosen already is not offered again."""
    if not findings:
        return
    chosen = steps_of(session)
    with ui.element("div").classes("qu-findings"):
        for finding in findings[:AT_ONCE]:
            _show(session, finding, chosen)
        rest = findings[AT_ONCE:]
        if rest:
            words = n_("{count} more thing that was found", "{count} more things that were found", len(rest))
            with ui.element("details").classes("qu-more"):
                Text(words, "summary", classes="qu-sm")
                with ui.element("div").classes("qu-findings"):
                    for finding in rest:
                        _show(session, finding, chosen)


def finding_in_words(finding: Finding) -> str:
    """Where it is, or of how many rows it is true, and what it is."""
    message = sentence(finding.message)
    if finding.place and finding.count == 1:
        return _("{place}: {finding}", place=finding.place, finding=message)
    if finding.rows:
        rows = n_("{count} row", "{count} rows", finding.count)
        return _("{rows}: {finding}", rows=rows, finding=message)
    return message


def show_remark(finding: Finding) -> Notice:
    """A finding in words. Only an error is read out at once: several remarks that come together would drown it."""
    notice = Notice(finding_in_words(finding), TONES[finding.level], hint=sentence(finding.hint))
    if finding.level != "error":
        notice._props["role"] = "note"
    return notice


def _show(session: TrainSession, finding: Finding, chosen: Sequence[Step]) -> None:
    mends = [offered for offered in finding.mends if not is_chosen(offered.step, chosen)]
    body = show_remark(finding).body
    if not finding.rows and not mends:
        return
    with body, row(wrap=True).style("margin-top:8px"):
        if finding.rows:
            _see(session, finding)
        for offered in mends:
            _mend(session, offered, finding)


def _see(session: TrainSession, finding: Finding) -> None:
    first = finding.rows[0]
    button = Button(_("See them"), lambda: session.data.show_row(first, among=finding), size="sm")
    _name(button, finding)


def _mend(session: TrainSession, offered: Mend, finding: Finding) -> None:
    button = Button(sentence(offered.label), lambda: mend(session, offered.step), size="sm")
    _name(button, finding)


def _name(button: Button, finding: Finding) -> None:
    """Tell buttons with the same words apart by what they are about."""
    button._props["aria-label"] = _("{action}: {finding}", action=button.text, finding=sentence(finding.message))
