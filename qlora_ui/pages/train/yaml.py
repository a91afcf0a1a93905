"""The settings of /train as the file that the command line takes, to be read, edited and copied."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.browser.copying import copy_button, copy_from
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.forms.code_editor import CodeEditor
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.layout import Card, row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import code_block, muted
from qlora_ui.contract.other_tools import TakenOver
from qlora_ui.locales import _, n_, sentence
from qlora_ui.pages.train.session import TrainSession

COMMAND = "qlora-ui train run.yaml"


class YamlCard(Card):
    """An editor that stays in step with the form: what is typed there counts at once, or is said to be wrong."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__("run.yaml")
        self._session = session
        self.set_visibility(False)
        with self.head, row():
            copy_button(session.form.to_yaml, _("Copy the file"))
            icon_button(_("Download run.yaml"), "download", self._download, size="sm")
        with self:
            self._editor_room = ui.element("div").classes("qu-yaml")
            self._verdict = ui.element("div")
            muted(_("Save it as run.yaml, and this command does the same run:"))
            with row():
                command = code_block(COMMAND, _("Command")).classes("qu-grow")
                copy_from(command, _("Copy the command"), is_icon=True)

    async def open(self) -> None:
        """Show the form as it is now, in colours that fit the mode of the page."""
        dark = await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=3)
        self._editor_room.clear()
        with self._editor_room:
            CodeEditor(
                self._session.form.yaml_draft or self._session.form.to_yaml(),
                label=_("Settings as YAML"),
                language="YAML",
                is_dark=dark,
                on_change=self._take,
            )
        self._say(self._session.form.yaml_problem)

    async def _take_foreign(self, found: TakenOver) -> None:
        """Show the file as it reads here, and below it what of it was left."""
        await self._session.take_foreign(found)
        await self.open()
        with self._verdict:
            _show_taken(found)

    def _download(self) -> None:
        ui.download.content(self._session.form.to_yaml(), "run.yaml", "application/yaml")

    async def _take(self, text: str) -> None:
        await self._session.load_yaml(text)
        self._say(self._session.form.yaml_problem)

    def _say(self, problem: str) -> None:
        self._verdict.clear()
        found = self._session.form.foreign
        with self._verdict:
            if found is not None:
                Notice(
                    _("This is a file of {tool}.", tool=found.tool),
                    "info",
                    hint=n_(
                        "{count} setting can be taken over.", "{count} settings can be taken over.", len(found.values)
                    ),
                )
                Button(_("Take them over"), lambda: self._take_foreign(found), variant="primary")
            elif problem:
                Notice(problem, "error", hint=_("The form keeps its last good state until this is mended."))
            else:
                muted(_("In step with the form."), size="xs")


def _show_taken(found: TakenOver) -> None:
    """What became of another tool's file. What it does not name has the default of this one, and not of that."""
    taken = n_("{count} setting was taken over.", "{count} settings were taken over.", len(found.values))
    Notice(taken, "info", hint=_("What the file does not name has its default here, which may be another one there."))
    if found.left:
        muted(_("Not taken over:"))
        KeyValues({name: sentence(reason) for name, reason in found.left.items()})
