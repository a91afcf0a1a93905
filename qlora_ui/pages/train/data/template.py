"""The chat template: the model's own, a well-known one, or one of a person's making with a preview that follows."""

from __future__ import annotations

import asyncio
import json

from nicegui import background_tasks, ui

from qlora_ui.components.button import Button
from qlora_ui.components.field import Field
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.select_list import amend_list
from qlora_ui.components.text import heading, muted
from qlora_ui.components.token_view import rendered_view
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.inspection import Finding, Look
from qlora_ui.contract.recipe import CHAT_TEMPLATES
from qlora_ui.locales import _, mark, sentence
from qlora_ui.pages.train.session import TrainSession

OWN, CUSTOM = "", "custom"
PAUSE_S = 0.4
"""After the last key, before the preview is made anew."""
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
    """Which template lays the turns out as text, and what is to be known of it. Plain text has none."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Chat template"))
        self._session = session
        self._form = session.form
        self._editor: TemplateEditor | None = None
        with self:
            Live(self._form.changed, self._key, self._draw)

    def _key(self) -> object:
        look = self._form.data.look
        return (look and look.template, self._form.get("chat_template"), self._form.get("model_name"))

    def _draw(self) -> None:
        look = self._form.data.look
        self.set_visibility(look is not None and look.understanding.format != "text")
        if look is None:
            return
        chosen = str(self._form.get("chat_template"))
        kind = chosen if chosen in (OWN, *CHAT_TEMPLATES) else CUSTOM
        with row(gap=3, wrap=True, top=True):
            with Field(_("Turns become text by")).classes("qu-grow") as field:
                options = {OWN: _("the model's own template")} | {name: _(_NAMES[name]) for name in CHAT_TEMPLATES}
                if kind == CUSTOM:
                    options[CUSTOM] = _("a template of your own")
                select = field.hold(ui.select(options, value=kind, on_change=lambda event: self._choose(event.value)))
                amend_list(select, field.label.text)
                select.mark("chat-template")
            if look.template is not None:
                Button(_("Edit", context="a template"), self._edit, icon="pencil").classes("qu-beside-field")
        if look.template is None:
            muted(_("Choose a model first: its tokenizer is needed."), size="xs")
            return
        muted(sentence(look.template.source), size="xs")
        for finding in look.template.findings:
            show_remark(finding)

    async def _choose(self, value: str) -> None:
        if value != CUSTOM:
            await self._session.set("chat_template", value)

    async def _edit(self) -> None:
        look = self._form.data.look
        if look is None or look.template is None:
            return
        is_dark = await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=3)
        editor = TemplateEditor(self._session, look.template.text, is_dark=is_dark)
        editor.open()
        editor.name_parts()


def show_remark(finding: Finding) -> None:
    """A finding about the template: it has no rows."""
    Notice(sentence(finding.message), "warning" if finding.level == "warning" else "info", hint=sentence(finding.hint))


class TemplateEditor(ui.dialog):
    """Jinja on the left, the shown row as it is rendered on the right; what is wrong is said with its line."""

    def __init__(self, session: TrainSession, text: str, *, is_dark: bool) -> None:
        super().__init__()
        self._session, self._text = session, text
        self._waiting: asyncio.Task[None] | None = None
        title = _("Edit the chat template")
        self.props["aria-label"] = title
        with self, ui.element("div").classes("qu-dialog qu-dialog-wide"):
            heading(title)
            with ui.element("div").classes("qu-template-editor"):
                with ui.element("div").classes("qu-yaml"):
                    self._editor = ui.codemirror(
                        text,
                        language="Jinja2",
                        theme="vscodeDark" if is_dark else "githubLight",
                        line_wrapping=True,
                        on_change=self._typed,
                    )
                self._preview = ui.element("div").classes("qu-col")
            with row(gap=2).style("justify-content:flex-end"):
                Button(_("Cancel"), self.close)
                self._use = Button(_("Use this template"), self._take, variant="primary")
        self.on("hide", self._ended, [])
        self._look()

    def name_parts(self) -> None:
        """Give the editor's own field a name for screen readers; it can be scrolled by keyboard, too."""
        ui.run_javascript(f"""
            requestAnimationFrame(() => {{
                const editor = getHtmlElement({self._editor.id});
                editor?.querySelector(".cm-content")?.setAttribute("aria-label", {json.dumps(_("Chat template"))});
                editor?.querySelector(".cm-scroller")?.setAttribute("tabindex", "0");
            }});
        """)

    def _typed(self, event: object) -> None:
        self._text = str(getattr(event, "value", ""))
        self._look()

    def _look(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = background_tasks.create(self._show(), name="preview a chat template")

    async def _show(self) -> None:
        await asyncio.sleep(PAUSE_S)
        query = self._session.form.query()
        if query is None:
            return
        query = query.model_copy(update={"recipe": query.recipe.model_copy(update={"chat_template": self._text})})
        try:
            look = await self._session.services.look(query, rows=[self._session.form.data.row])
        except QloraUiError as error:
            self._complain(error)
            return
        self._show_look(look)

    def _complain(self, error: QloraUiError) -> None:
        self._preview.clear()
        with self._preview:
            Notice(sentence(error.message), "error", hint=sentence(error.hint))
        self._use.disable_because(_("Mend the template first."))

    def _show_look(self, look: Look) -> None:
        self._preview.clear()
        view = look.views[0] if look.views else None
        problem = view.problem if view is not None else ""
        with self._preview:
            if problem:
                Notice(sentence(problem), "error", hint=sentence(view.hint if view else ""))
            for finding in look.template.findings if look.template else []:
                show_remark(finding)
            if view is not None and view.examples and view.examples[0].rendered is not None:
                rendered_view(view.examples[0].rendered, view.number)
        self._use.disable_because(_("Mend the template first.") if problem else "")

    async def _take(self) -> None:
        self.close()
        await self._session.set("chat_template", self._text)

    def _ended(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        self.delete()
