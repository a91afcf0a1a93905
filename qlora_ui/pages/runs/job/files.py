"""The files of a run, with their sizes, to be downloaded one by one."""

from __future__ import annotations

import asyncio
from itertools import groupby
from urllib.parse import quote

from nicegui import ui

from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.fold import Fold
from qlora_ui.components.layout import Card, row
from qlora_ui.components.text import Text
from qlora_ui.components.words import size
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, n_
from qlora_ui.locales.figures import number
from qlora_ui.pages.runs.job.folder import RunFile, files_of
from qlora_ui.theme import Icon


class FilesCard(Card):
    """The folder of the run, and what is in it as soon as somebody wants to see it."""

    def __init__(self, job: Job) -> None:
        super().__init__(_("Files"))
        self._job = job
        with self:
            with row(between=True):
                place = Text(str(job.paths.folder), "code", classes="qu-break qu-sm")
                copy_from(place, _("Copy the path"), is_icon=True)
            Fold(_("Show the files"), self._show)

    async def _show(self) -> None:
        found = await asyncio.to_thread(files_of, self._job.paths.folder)
        total = n_("{count} file, {size}", "{count} files, {size}", found.count, size=size(found.bytes))
        Text(total, "p", classes="qu-sm qu-muted qu-num")
        for folder, files in groupby(found.files, key=lambda file: file.path.rpartition("/")[0]):
            self._folder(folder, list(files))
        if found.count > len(found.files):
            shown = _("The first {count} are shown.", count=number(len(found.files)))
            Text(shown, "p", classes="qu-xs qu-muted")

    def _folder(self, folder: str, files: list[RunFile]) -> None:
        if folder:
            with row(between=True).classes("qu-xs qu-muted qu-num"):
                Text(f"{folder}/", "h3", classes="qu-mono qu-break")
                Text(size(sum(file.bytes for file in files)), classes="qu-nowrap")
        with ui.element("ul").classes("qu-files"):
            for file in files:
                self._file(file)

    def _file(self, file: RunFile) -> None:
        name = file.path.rpartition("/")[2]
        with ui.element("li").classes("qu-row qu-between qu-sm"):
            Text(name, classes="qu-mono qu-break qu-grow")
            Text(size(file.bytes), classes="qu-muted qu-num qu-nowrap")
            address = f"/api/v1/jobs/{self._job.id}/files/{quote(file.path)}"
            link = ui.link(target=address).classes("qu-btn qu-btn-ghost qu-btn-sm qu-btn-icon")
            words = _("Download {name}", name=file.path)
            link._props.update({"download": name, "aria-label": words, "title": words})
            with link:
                Icon("download")
