"""The chat template: the model's own, a well-known one, or one of a person's making."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.select_field import SelectField
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text
from qlora_ui.contract.inspection import Finding, TemplateView
from qlora_ui.contract.recipe import CHAT_TEMPLATES
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.train.data.findings import show_remark
from qlora_ui.pages.train.data.template_editor import TemplateEditor
from qlora_ui.pages.train.session import TrainSession

OWN, CUSTOM = "", "custom"
_NAMES = {
    "chatml": "ChatML",
    "llama3": "Llama 3",
    "mistral": "Mistral",
    "gemma": "Gemma",
    "phi": "Phi",
    "zephyr": "Zephyr",
    "alpaca": "Alpaca",
    "vicuna": "Vicuna",
    "plain": mark("plain headings"),
}


class TemplateCard(Card):
    """Which template lays the turns out as text, and what is to be known of it. Plain text has none.

    A template of one's own stays on offer while others are tried.
    """

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Chat template"))
        self._session, self._form = session, session.form
        self._custom = ""
        with self:
            with row(gap=3, wrap=True, top=True):
                self._select = SelectField(_("Turns become text by"), self._choose, marker="chat-template")
                self._select.classes("qu-template-choice")
                self._edit = Button(_("Edit", context="a template"), self._open_editor, icon="pencil")
                self._edit.classes("qu-template-edit")
            self._source = Text(tag="p", classes="qu-xs qu-muted")
            Live(self._form.changed, self._remarks, self._draw_remarks)
            listen(self._form.changed, self._follow)
        self._follow()

    @property
    def _view(self) -> TemplateView | None:
        look = self._form.data.look
        return look.template if look is not None else None

    @property
    def _chosen(self) -> str:
        """A name, Jinja text, or empty."""
        return str(self._form.get("chat_template") or "")

    @property
    def _kind(self) -> str:
        return self._chosen if self._chosen in (OWN, *CHAT_TEMPLATES) else CUSTOM

    def _follow(self) -> None:
        data = self._form.data
        is_text = data.look is not None and data.look.understanding.format == "text" and self._view is None
        may_be_the_problem = data.problem is not None and bool(self._chosen)
        self.set_visibility((data.look is not None and not is_text) or may_be_the_problem)
        if self._kind == CUSTOM:
            self._custom = self._chosen
        self._select.show(self._options(), self._kind)
        self._edit.set_visibility(self._view is not None or self._kind == CUSTOM)
        if self._view is not None:
            self._source.text = sentence(self._view.source)
        else:
            self._source.text = "" if data.problem else _("Choose a model first: its tokenizer is needed.")

    def _options(self) -> dict[str, str]:
        options = {OWN: _("the model's own template")} | {name: _(_NAMES[name]) for name in CHAT_TEMPLATES}
        return options | {CUSTOM: _("a template of your own")} if self._custom else options

    async def _choose(self, kind: str) -> None:
        await self._session.set("chat_template", self._custom if kind == CUSTOM else kind)

    def _remarks(self) -> list[Finding]:
        return self._view.findings if self._view is not None else []

    def _draw_remarks(self) -> None:
        if remarks := self._remarks():
            with ui.element("div").classes("qu-findings"):
                for finding in remarks:
                    show_remark(finding)

    async def _open_editor(self) -> None:
        is_dark = await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=3)
        text = self._view.text if self._view is not None else self._chosen
        TemplateEditor(self._session, text, is_dark=is_dark).open()
