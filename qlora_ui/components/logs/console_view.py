"""The end of what a job's process printed, for as long as somebody looks at it."""

from __future__ import annotations

import asyncio

from nicegui import ui

from qlora_ui.components.logs.console_text import tail_of
from qlora_ui.components.text import Text, code_block
from qlora_ui.contract.records import JobStatus
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _

LINES_SHOWN = 500
_READ_EVERY_S = 1.0


class ConsoleView(ui.element, default_classes="qu-col"):
    """Reads the file anew every second while the job is at work, and sends it when it has changed."""

    def __init__(self, job: Job) -> None:
        super().__init__("div")
        self._job = job
        with self:
            self._block = code_block("", _("Console of {name}", name=job.name)).classes("qu-console")
            self._block._props["lang"] = "en"
            note = _("The last {count} lines of what the process printed, as it printed them.", count=LINES_SHOWN)
            Text(note, "p", classes="qu-xs qu-muted")
            ui.timer(_READ_EVERY_S, self._read)

    async def _read(self) -> None:
        if self._block.text and self._job.status is not JobStatus.RUNNING:
            return
        lines = await asyncio.to_thread(tail_of, self._job.paths.console, LINES_SHOWN)
        text = "\n".join(lines) or _("It printed nothing.")
        if not self.is_deleted and text != self._block.text:
            self._block.text = text
            self._block.client.run_javascript(
                f"requestAnimationFrame(() => {{ const box = getHtmlElement({self._block.id}); "
                "if (box) box.scrollTop = box.scrollHeight; })"
            )
