"""Which model a new fine-tune begins with, the token for the hub, and where everything lies."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from nicegui import background_tasks, ui

from qlora_ui.components.browser.copying import copy_from
from qlora_ui.components.button import Button
from qlora_ui.components.forms.field import Field
from qlora_ui.components.layout import row
from qlora_ui.components.section_nav import Section
from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _, mark
from qlora_ui.pages.settings.parts import SettingRow, SettingsDesk
from qlora_ui.pages.settings.secret import SecretRow
from qlora_ui.settings_file import LONGEST_TEXT
from qlora_ui.store.credentials import TokenStatus

if TYPE_CHECKING:
    from qlora_ui.services import Services

_PLACES = {
    "file": mark("A token is set. It lies in a file that only you can read."),
    "keyring": mark("A token is set. It lies in the keyring of your system."),
    "environment": mark("The app was started with a token in HF_TOKEN. That one is used; none can be kept here."),
}
_ENDS = mark("It ends in …{ending}.")


def models(desk: SettingsDesk, known: list[str]) -> Section:
    """`known` are the models that can be chosen without typing."""
    with Section("models", _("Models and folders")) as section:
        _DefaultModel(desk, known)
        _token(desk)
        _MergedFolder(desk)
        _folders(desk.services)
    return section


class _DefaultModel(SettingRow):
    def __init__(self, desk: SettingsDesk, known: list[str]) -> None:
        super().__init__(_("Default model"), _("What a new fine-tune begins with."))
        self._desk, self._known = desk, known
        self.classes("qu-setting-wide")
        self._select = self.hold(ui.select(self._options(""), value=""))
        self._select.on_value_change(lambda event: self._save(str(event.value or "")))
        with self.side, ui.element("form").classes("qu-secret-form") as form:
            self._field = Field(
                _("Another model"), help=_("A folder on this machine, or a name on the hub such as Qwen/Qwen3-0.6B.")
            )
            self._input = self._field.hold(ui.input())
            self._input.props("autocomplete=off spellcheck=false autocapitalize=off")
            Button(_("Save"), self._type)
        form.on("submit", self._type, [], js_handler="(event) => { event.preventDefault(); emit(); }")
        desk.follow(self._show)

    def _show(self, preferences: UserPreferences) -> None:
        self._select.set_options(self._options(preferences.default_model), value=preferences.default_model)

    def _options(self, chosen: str) -> dict[str, str]:
        options = {"": _("None: choose each time")}
        for name in (*self._known, *([chosen] if chosen else [])):
            options[name] = _("Starter, comes along") if name == STARTER else name
        return options

    async def _type(self) -> None:
        name = str(self._input.value or "").strip()
        if not name or len(name) > LONGEST_TEXT or not name.isprintable():
            self._field.set_error(_("Give a folder or a name on the hub."))
            return
        self._field.set_error("")
        self._input.value = ""
        await self._save(name)

    async def _save(self, name: str) -> None:
        await self._desk.save(_("Default model"), default_model=name)


class _MergedFolder(SettingRow):
    """Where merges go that are started from a run's page; the command line names its own folder."""

    def __init__(self, desk: SettingsDesk) -> None:
        super().__init__(
            _("Folder for merged models"), _("Each merge gets a folder of its own in it. Empty: under Models, below.")
        )
        self._desk = desk
        self.classes("qu-setting-wide")
        with self.side, ui.element("form").classes("qu-secret-form") as form:
            self._field = Field(_("Folder"), help=_("The full path of a folder on the machine that runs qlora-ui."))
            self._input = self._field.hold(ui.input())
            self._input.props("autocomplete=off spellcheck=false autocapitalize=off").mark("merged-folder")
            Button(_("Save"), self._save)
        form.on("submit", self._save, [], js_handler="(event) => { event.preventDefault(); emit(); }")
        desk.follow(lambda preferences: self._input.set_value(preferences.merged_folder))

    async def _save(self) -> None:
        folder = str(self._input.value or "").strip()
        problem = await asyncio.to_thread(_folder_problem, folder)
        if self.is_deleted:
            return
        self._field.set_error(_(problem, folder=folder) if problem else "")
        if not problem:
            await self._desk.save(_("Folder for merged models"), merged_folder=folder)


def _folder_problem(folder: str) -> str:
    """Why merges cannot go into this folder, for `_` with its name; empty when they can. It looks at the disk."""
    if not folder:
        return ""
    if len(folder) > LONGEST_TEXT or not folder.isprintable() or not Path(folder).is_absolute():
        return mark("Give the full path of a folder, which begins with /.")
    try:
        is_folder = Path(folder).is_dir()
    except OSError:
        is_folder = False
    if not is_folder:
        return mark("There is no folder {folder}. Make it first.")
    return "" if os.access(folder, os.W_OK | os.X_OK) else mark("Nothing can be written into {folder}.")


def _token(desk: SettingsDesk) -> None:
    credentials = desk.services.credentials

    async def keep(token: str) -> None:
        if token:
            await asyncio.to_thread(credentials.set, token)
        else:
            await asyncio.to_thread(credentials.remove)
        await look()

    secret = SecretRow(
        _("Hub token"),
        help=_(
            "For models on the hub that want a sign-in. Runs get it when they start; it is never in a log, a file of a "
            "run or a command line. It is for everyone who uses this home folder."
        ),
        label=_("Token"),
        when_removed=_("Runs that are at work keep it until they end. You can enter a token again at any time."),
        keep=keep,
        on_saved=lambda: desk.said.saved(_("Hub token")),
    )

    async def look() -> None:
        try:
            status = await asyncio.to_thread(credentials.status)
        except WorkspaceError as error:
            toast_error(error)
            return
        if not secret.is_deleted:
            secret.show(_in_words(status), is_fixed=status.place == "environment")

    secret.show("", is_fixed=True)  # until it is known
    background_tasks.create(look(), name="look for the hub token", context=ui.context.client)


def _in_words(status: TokenStatus) -> str:
    if status.place == "none":
        return ""
    words = _(_PLACES[status.place])
    return f"{words} {_(_ENDS, ending=status.ending)}" if status.ending else words


def _folders(services: Services) -> None:
    """Where everything lies; it is chosen when the app is started."""
    workspace = services.workspace
    places = {
        _("Home folder"): (
            workspace.home,
            _("Everything that the app keeps. --home chooses another one at the start."),
        ),
        _("Runs"): (workspace.runs, _("A folder for each run: settings, log, checkpoints, adapter, report.")),
        _("Data"): (workspace.datasets, _("The data files that you added.")),
        _("Models"): (workspace.models, _("Base models that you put here can be chosen; merged models go here.")),
    }
    for title, (folder, help) in places.items():
        place = SettingRow(title, help)
        with place.side, row().classes("qu-place"):
            path = Text(str(folder), "code", classes="qu-break qu-path")
            copy_from(path, _("Copy the path: {what}", what=title), is_icon=True)
