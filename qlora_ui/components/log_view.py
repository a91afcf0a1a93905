"""A job's log: only ever appended to, filtered and copied in the browser, and never taken for HTML."""

from __future__ import annotations

from collections import deque
from itertools import islice

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from qlora_ui.components.button import icon_button
from qlora_ui.components.events import listen, throttled
from qlora_ui.components.layout import Card, row
from qlora_ui.contract.log_lines import LogEntry
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _
from qlora_ui.theme import Icon

LINES_SHOWN = 2_000
"""Older lines leave the page; the console file has them all."""

Line = tuple[int, str, str]
"""Milliseconds since 1970, level, message: what travels to the browser, which shows its own local time."""


class LogCard(Card):
    """The log with what one does to it: find, follow, copy, and download the whole console."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Log"))
        with self:
            lines = LogLines(job, _("Log of {name}", name=job.name))
        with self.head, row(wrap=True):
            find = ui.input(placeholder=_("Find in log"), on_change=lambda e: lines.run_method("filter", e.value or ""))
            find.props("outlined dense clearable").classes("qu-find")
            find._props["aria-label"] = _("Find in log")
            with find.add_slot("prepend"):
                Icon("search", size=16)
            follow = ui.switch(_("Follow", context="the end of the log"), value=True)
            follow.on_value_change(lambda e: lines.run_method("follow", e.value))
            lines.on("following", lambda event: _show_following(follow, event))
            copy = icon_button(_("Copy the shown lines"), "copy", size="sm")
            copy.on("click", js_handler=f"() => getElement({lines.id}).copy()")
            download = ui.link(target=f"/api/v1/jobs/{job.id}/console").classes(
                "qu-btn qu-btn-ghost qu-btn-sm qu-btn-icon"
            )
            words = _("Download the console")
            download._props.update({"download": f"{job.id}.log", "aria-label": words, "title": words})
            with download:
                Icon("download")


def _show_following(switch: ui.switch, event: GenericEventArguments) -> None:
    if switch.value != bool(event.args):
        switch.value = bool(event.args)


class LogLines(Element, component="log_view.js"):
    """The newest lines of a log in a box of fixed height that follows its end until a person scrolls up."""

    def __init__(self, job: Job, label: str) -> None:
        super().__init__()
        self._job = job
        self._pending: deque[LogEntry] = deque(maxlen=LINES_SHOWN)
        self._is_ready = False
        self._props["label"] = label
        self._props["nothing"] = _("No line yet.")
        self._props["limit"] = LINES_SHOWN
        self._flush = throttled(self, self._send_new, seconds=0.25)
        self.on("ready", self._send_all, [])
        with self:
            listen(job.log_added, self._add)
            listen(job.curves_reset, self._send_all)

    def _add(self, entry: LogEntry) -> None:
        self._pending.append(entry)
        self._flush()

    def _send_all(self) -> None:
        self._is_ready = True
        self._pending.clear()
        logs = self._job.logs
        self.run_method("replace", [line(e) for e in islice(logs, max(0, len(logs) - LINES_SHOWN), None)])

    def _send_new(self) -> None:
        """Send what was added; a page without a connection asks for the whole log when it is back."""
        added, self._pending = [line(e) for e in self._pending], deque(maxlen=LINES_SHOWN)
        if added and self._is_ready and self.client.has_socket_connection:
            self.run_method("append", added)


def line(entry: LogEntry) -> Line:
    return int(entry.time.timestamp() * 1000), entry.level, entry.message
