"""Taking one's settings to another machine, or back from a file."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from qlora_ui import locales, settings_file
from qlora_ui.components.button import Button
from qlora_ui.components.data_table import DataTable
from qlora_ui.components.forms.file_picker import FilePicker
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.section_nav import Section
from qlora_ui.components.text import Text, heading, paragraph
from qlora_ui.contract.errors import ParameterError
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.settings.parts import SettingsDesk

PROBLEMS_SHOWN = 10

TITLES = {
    "theme": mark("Theme"),
    "language": mark("Language of the app"),
    "sidebar_collapsed": mark("Side bar hidden"),
    "default_model": mark("Default model"),
    "merged_folder": mark("Folder for merged models"),
    "guide_hidden": mark("First-run guide put away"),
    "notifications.job_complete": mark("Finished runs"),
    "notifications.errors": mark("Trouble"),
    "notifications.updates": mark("New versions"),
    "notifications.browser": mark("Browser notifications"),
    "accessibility.reduced_motion": mark("Reduced motion"),
    "accessibility.high_contrast": mark("High contrast"),
    "accessibility.screen_reader": mark("Screen-reader mode"),
    "accessibility.shortcuts": mark("Single-key shortcuts"),
}
_VALUES = {"light": mark("Light"), "dark": mark("Dark"), "system": mark("As the system has it")}


def transfer(desk: SettingsDesk) -> Section:
    with Section("transfer", _("Export and import")) as section:
        _Transfer(desk)
    return section


class _Transfer(ui.element, default_classes="qu-col qu-gap-4"):
    def __init__(self, desk: SettingsDesk) -> None:
        super().__init__("div")
        self._desk = desk
        with self:
            paragraph(
                _(
                    "Your settings as a small JSON file. The hub token and the webhook address are secrets and stay "
                    "here; so do your runs, data and models."
                ),
                muted=True,
                size="sm",
            )
            with row(wrap=True):
                Button(_("Export"), self._export, icon="download")
                FilePicker(
                    _("Import a file"),
                    accept=".json,application/json",
                    max_bytes=settings_file.MAX_BYTES,
                    on_text=self._look,
                    on_refused=lambda name: self._refuse(settings_file.too_large()),
                )
            self._room = ui.element("div").classes("qu-col qu-gap-3")

    def _export(self) -> None:
        content = settings_file.export(self._desk.preferences)
        ui.download.content(content, settings_file.FILE_NAME, "application/json")

    def _look(self, name: str, text: str) -> None:
        """Show what the file would change; nothing is changed yet."""
        try:
            given = settings_file.read(text)
        except ParameterError as error:
            self._refuse(error)
            return
        changes = settings_file.changes(self._desk.preferences, given)
        self._room.clear()
        with self._room:
            if changes:
                self._preview(name, given, changes)
            else:
                Notice(_("{file} holds the settings that you have already.", file=name), "info")

    def _preview(self, name: str, given: dict[str, Any], changes: list[settings_file.Change]) -> None:
        heading(_("What {file} would change", file=name), 3).classes("qu-break")
        columns = [_("Setting"), _("Now"), _("Then")]
        table = DataTable(columns, label=_("What the file would change"))
        for change in changes:
            cells = table.row()
            cells.cell(_(TITLES[change.field]))
            cells.cell(_in_words(change.field, change.before))
            cells.cell(_in_words(change.field, change.after))
        with row(wrap=True):
            Button(_("Take these settings"), lambda: self._apply(given), variant="primary")
            Button(_("Cancel"), self._room.clear)

    async def _apply(self, given: dict[str, Any]) -> None:
        self._room.clear()
        await self._desk.save(_("Imported settings"), **given)

    def _refuse(self, error: ParameterError) -> None:
        self._room.clear()
        with self._room:
            hint = sentence(error.hint)
            if not error.fields:
                Notice(sentence(error.message), "error", hint=hint)
                return
            notice = Notice(_("Nothing was imported: the file has values that cannot be used."), "error", hint=hint)
            with notice.body, ui.element("ul"):
                for field, problem in list(error.fields.items())[:PROBLEMS_SHOWN]:
                    with ui.element("li").classes("qu-break"):
                        Text(field, "code")
                        Text(f": {sentence(problem)}")


def _in_words(field: str, value: bool | str) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if field == "language":
        return locales.languages().get(value, value) if value else _("As the browser asks")
    return _(_VALUES[value]) if value in _VALUES and field == "theme" else value or _("none")
