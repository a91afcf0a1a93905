"""What is or went wrong with a run, on top of its page: alerts, concerns, the cause of its end, and what to do."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from qlora_ui.components.badge import Tone
from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.fold import Fold
from qlora_ui.components.live import Live
from qlora_ui.components.logs.console_text import tail_of
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, code_block
from qlora_ui.contract.records import EndCause, JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.runs.job.reasons import failed_on_data

_SPEAKS_IN_PYTHON = {EndCause.PROGRAM, EndCause.DEVICE, EndCause.DEVICE_MEMORY, EndCause.INPUT, EndCause.DISK, None}
"""Causes after which a traceback says more than the console's last lines."""
_ALERTS_SHOWN = 3
"""The newest; older ones are folded away."""


def build(job: Job) -> None:
    Live(job.changed, lambda: _key(job), lambda: _show(job), classes="qu-col")


def _key(job: Job) -> tuple[Any, ...]:
    ended = (job.message, job.error, job.hint) if job.status.is_final else ()
    return (
        job.status,
        ended,
        bool(job.traceback),
        failed_on_data(job),
        job.history.alerts_told,
        tuple(one.code for one in job.concerns),
    )


def _show(job: Job) -> None:
    if job.status is JobStatus.FAILED:
        with _notice(job.error or job.message, "error", job.hint).body:
            if failed_on_data(job):
                Text(
                    _(
                        "“Change and start again” opens the step Data, which shows what stands in the way. "
                        "“Skip these rows” there leaves out rows that cannot be used."
                    ),
                    "p",
                )
            _details(job)
    elif job.status is JobStatus.INTERRUPTED:
        with _notice(job.message, "warning", job.hint).body:
            _details(job)
    for concern in job.concerns:
        _notice(concern.message, concern.level, concern.hint)
    if job.status is not JobStatus.COMPLETED:
        _alerts(job)


def _alerts(job: Job) -> None:
    newest_first = list(reversed(job.alerts))
    for alert in newest_first[:_ALERTS_SHOWN]:
        _notice(alert.message, alert.level, alert.hint)
    if older := newest_first[_ALERTS_SHOWN:]:

        def show() -> None:
            for alert in older:
                _notice(alert.message, alert.level, alert.hint)

        Fold(n_("{count} earlier alert", "{count} earlier alerts", len(older)), show)


def _notice(text: str, tone: Tone, hint: str = "") -> Notice:
    notice = Notice(sentence(text), tone, hint=sentence(hint))
    notice._props["role"] = "note"  # `JobNews` reads it out, once and not again when the page is opened anew
    return notice


def _details(job: Job) -> None:
    """What was said of the end by those who speak no plain words, one click away."""
    if job.traceback:
        Fold(_("Show what Python said"), lambda: _code(job.traceback, _("What Python said")))
    if not job.traceback or job.cause not in _SPEAKS_IN_PYTHON:
        Fold(_("Show the last lines of the console"), lambda: _console(job))


async def _console(job: Job) -> None:
    lines = await asyncio.to_thread(tail_of, job.paths.console, 40)
    if not lines:
        Text(_("It printed nothing."), "p")
        return
    _code("\n".join(lines), _("The last lines of the console"))


def _code(text: str, label: str) -> None:
    with ui.element("div").classes("qu-traceback"):
        code = code_block(text, label)
        code._props["lang"] = "en"
        copy_from(code, _("Copy it"))
