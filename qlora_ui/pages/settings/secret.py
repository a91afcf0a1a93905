"""A setting that is a secret: whether there is one, how to replace it and how to remove it, but never the secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.dialog import confirm
from qlora_ui.components.forms.field import Field
from qlora_ui.components.layout import row
from qlora_ui.components.text import Text
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.locales import _, sentence
from qlora_ui.pages.settings.parts import SettingRow


class SecretRow(SettingRow):
    """`keep(secret)` keeps it, or forgets it when it is empty, and then says by `show` what there is.

    What a person types is wiped from the page and from this process's page state as soon as it is taken. `actions` is a
    row for further buttons; `when_removed` is told before it is forgotten.
    """

    def __init__(
        self,
        title: str,
        *,
        help: str,
        label: str,
        when_removed: str,
        keep: Callable[[str], Awaitable[None]],
        on_saved: Callable[[], Any],
    ) -> None:
        super().__init__(title, help)
        self.classes("qu-setting-wide")
        self._keep, self._on_saved, self._when_removed = keep, on_saved, when_removed
        self._only_when_set: list[ui.element] = []
        with self.side:
            with row(wrap=True) as self.actions:
                self._state = Text("", classes="qu-sm qu-strong qu-break")
                self._replace = Button(_("Replace"), self._open, size="sm")
                self._remove = Button(_("Remove"), self._forget, size="sm", variant="danger")
            with ui.element("form").classes("qu-secret-form") as self._form:
                self._field = Field(label)
                self._input = self._field.hold(ui.input(password=True))
                self._input.props("autocomplete=off spellcheck=false autocapitalize=off")
                Button(_("Save"), self._save)
            self._form.on("submit", self._save, [], js_handler="(event) => { event.preventDefault(); emit(); }")
        self._replace._props["aria-label"] = _("Replace: {what}", what=title)
        self._remove._props["aria-label"] = _("Remove: {what}", what=title)
        self.when_set(self._replace, self._remove)

    def when_set(self, *elements: ui.element) -> None:
        """Show these only while there is something kept."""
        self._only_when_set += elements

    def show(self, words: str, *, is_fixed: bool = False) -> None:
        """Say in words what there is, without the secret; empty for nothing. `is_fixed`: it cannot be changed here."""
        self._state.text = words
        self._state.set_visibility(bool(words))
        for element in self._only_when_set:
            element.set_visibility(bool(words) and not is_fixed)
        self._form.set_visibility(not words and not is_fixed)

    def _open(self) -> None:
        self._form.set_visibility(not self._form.visible)
        if self._form.visible:
            self._input.run_method("focus")

    async def _save(self) -> None:
        secret, self._input.value = str(self._input.value or ""), ""
        if not secret.strip():
            self._field.set_error(_("Paste it here first."))
            return
        await self._take(secret)

    async def _forget(self) -> None:
        if await confirm(_("Remove it?"), self._when_removed, action=_("Remove"), is_dangerous=True):
            await self._take("")

    async def _take(self, secret: str) -> None:
        try:
            await self._keep(secret)
        except QloraUiError as error:
            self._field.set_error(f"{sentence(error.message)} {sentence(error.hint)}".strip())
            self._form.set_visibility(True)
            return
        self._field.set_error("")
        self._on_saved()
