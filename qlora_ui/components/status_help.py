"""What the statuses of runs mean, a keystroke away from where they are shown."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.badge import Badge, status_words
from qlora_ui.components.layout import column
from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.locales import _, sentence
from qlora_ui.theme import Icon


class StatusHelp(ui.element, default_classes="qu-explain"):
    """A small button that opens a list of all statuses, a sentence each. `kind` chooses the word for a run at work.

    As in `Explain`, the browser opens and closes the list by itself, and Escape brings the focus back.
    """

    def __init__(self, kind: JobKind = JobKind.TRAINING) -> None:
        super().__init__("span")
        question = _("What do the statuses mean?")
        with self:
            with ui.element("button").classes("qu-info") as button:
                Icon("info", size=14)
            with ui.element("div").classes("qu-popover") as popover, column(gap=3):
                for status in JobStatus:
                    with column(gap=1):
                        with ui.element("div"):
                            Badge(*status_words(kind, status))
                        Text(sentence(status.explanation), "p")
        button._props.update({"type": "button", "aria-label": question, "title": question})
        button._props["popovertarget"] = popover.html_id
        popover._props.update({"popover": "auto", "role": "dialog", "aria-label": question})
        popover._props.update({"tabindex": "-1", "autofocus": True})
