"""What a person should know of the data, with the rows that it is true of and the steps that mend it."""

from __future__ import annotations

from qlora_ui.components.badge import Tone
from qlora_ui.components.button import Button
from qlora_ui.components.notice import Notice
from qlora_ui.contract.inspection import Finding
from qlora_ui.locales import _, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.session import TrainSession

_TONES: dict[str, Tone] = {"note": "info", "warning": "warning", "error": "error"}


def show_finding(session: TrainSession, finding: Finding) -> None:
    with Notice(sentence(finding.message), _TONES[finding.level], hint=sentence(finding.hint)).body:
        if finding.rows:
            first = finding.rows[0]
            label = _("See row {number}", number=number(first))
            Button(label, lambda: session.data.show_row(first, among=finding), size="sm").style("margin-top:8px")
