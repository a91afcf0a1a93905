"""Jinja on one side, the shown row as it comes out on the other; what is wrong is said, with its line."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from nicegui import background_tasks, ui

from qlora_ui.components.button import Button
from qlora_ui.components.dialog import confirm
from qlora_ui.components.forms.code_editor import CodeEditor
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.layout import row
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import LiveRegion, Text, heading, muted
from qlora_ui.components.token_view import TokenStrip, rendered_view
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.inspection import ExampleView, Finding, Look, RowView
from qlora_ui.locales import _
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.findings import show_remark
from qlora_ui.pages.train.data.row_body import TOKENS_AT_ONCE, VIEWS
from qlora_ui.pages.train.session import TrainSession

PAUSE_S = 0.2
"""After the last key, before the preview is made anew."""
_LINE = re.compile(r"\bin line (\d+)\b")
_LEAVE = """(event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // the next one closes the dialog
    getHtmlElement(%d)?.focus();
}"""


class TemplateEditor(ui.dialog):
    """A dialog over the data's page. A template with a mistake cannot be used; changes are not thrown away unasked."""

    def __init__(self, session: TrainSession, text: str, *, is_dark: bool) -> None:
        super().__init__()
        self._session, self._row = session, session.form.data.row
        self._begun = self._draft = text
        self._own: str | None = None
        """The model's own template, once it was asked for."""
        self._is_wrong = False
        self._said: object = None
        self._example: ExampleView | None = None
        self._checking: asyncio.Task[None] | None = None
        title = _("Edit the chat template")
        self._props["aria-label"] = title
        with self, ui.element("div").classes("qu-dialog qu-dialog-wide"):
            heading(title)
            muted(
                _(
                    "It is tried with row {number} while you type. Tab indents, Escape leads out.",
                    number=number(self._row),
                ),
                size="xs",
            )
            with ui.element("div").classes("qu-template-editor"):
                with ui.element("div").classes("qu-yaml"):
                    self._editor = CodeEditor(
                        text, label=_("Chat template"), language="Jinja2", is_dark=is_dark, on_change=self._typed
                    )
                with ui.element("div").classes("qu-col qu-gap-3"):
                    self._add_preview()
            self._add_buttons()
            self._voice = LiveRegion()
        self._editor.on("keyup", js_handler=_LEAVE % self._cancel.id)
        self.on("show", self._editor.tell_name, [])
        self.on("shake", self._leave, [])  # Escape or a click beside it, where something was changed
        self.on("hide", self._ended, [])
        self._check()

    def _add_preview(self) -> None:
        kinds = {kind: _(VIEWS[kind]) for kind in ("rendered", "tokens")}
        self._kind = Segmented(kinds, label=_("Show the row as"), on_change=lambda kind: self._draw_preview())
        self._verdict = ui.element("div").classes("qu-findings")
        self._preview = ui.element("div").classes("qu-row-room")

    def _add_buttons(self) -> None:
        with row(gap=2, wrap=True, between=True):
            Button(_("Back to the model's own"), self._back_to_own, icon="rotate-ccw").mark("own-template")
            with row(gap=2, wrap=True):
                self._cancel = Button(_("Cancel"), self._leave)
                self._use = Button(_("Use this template"), self._take, variant="primary")

    # ---- trying ----

    def _typed(self, text: str) -> None:
        self._draft = text
        self.props(add="persistent" if self._is_changed else None, remove=None if self._is_changed else "persistent")
        self._check()

    @property
    def _is_changed(self) -> bool:
        return self._draft != self._begun

    def _check(self) -> None:
        if self._checking is not None:
            self._checking.cancel()
        self._preview._props["aria-busy"] = "true"
        self._checking = background_tasks.create(self._try_out(), name="preview a chat template")

    async def _try_out(self) -> None:
        await asyncio.sleep(PAUSE_S)
        try:
            look = await self._look(self._draft)
        except QloraUiError as error:
            remark = Finding(level="error", message=error.message, hint=error.hint)
            self._show_in_page(lambda: self._show([remark], None))
        else:
            self._show_in_page(lambda: self._show_look(look))

    def _show_in_page(self, show: Callable[[], None]) -> None:
        """In the reader's language; not at all once the page was left."""
        if not self.is_deleted:
            with self:
                show()

    async def _look(self, template: str) -> Look | None:
        """The row with this template; None where no data are chosen any more."""
        query = self._session.form.query()
        if query is None:
            return None
        recipe = query.recipe.model_copy(update={"chat_template": template})
        return await self._session.services.look(query.model_copy(update={"recipe": recipe}), rows=[self._row])

    def _show_look(self, look: Look | None) -> None:
        view = look.views[0] if look is not None and look.views else None
        remarks = list(look.template.findings) if look is not None and look.template is not None else []
        if view is not None and view.problem and not any(remark.level == "error" for remark in remarks):
            remarks.append(_problem_of(view))
        self._show(remarks, view.examples[0] if view is not None and view.examples else None)

    def _show(self, remarks: list[Finding], example: ExampleView | None) -> None:
        mistakes = [remark for remark in remarks if remark.level == "error"]
        self._is_wrong, self._example = bool(mistakes), example
        self._use.disable_because(_("Mend the template first.") if mistakes else "")
        said = [(remark.message, remark.hint) for remark in remarks]
        if said != self._said:  # else it would be read out again at every key
            if self._said and not said:
                self._voice.say(_("Nothing is wrong with the template any more."))
            self._said = said
            self._draw_verdict(remarks)
        self._draw_preview()

    def _draw_verdict(self, remarks: list[Finding]) -> None:
        line = next((line for remark in remarks if (line := line_of(remark.message))), None)
        if line is not None and line > self._draft.count("\n") + 1:
            line = None
        self._editor.decorations = [{"kind": "line", "line": line, "class": "qu-line-wrong"}] if line else []
        self._verdict.clear()
        with self._verdict:
            for remark in remarks:
                notice = show_remark(remark)
                if line is not None and line_of(remark.message) == line:
                    self._add_jump(notice, line)

    def _add_jump(self, notice: Notice, line: int) -> None:
        with notice.body:
            Button(_("Go to line {number}", number=number(line)), lambda: self._go_to(line), size="sm").style(
                "margin-top:8px"
            )

    def _go_to(self, line: int) -> None:
        self._editor.reveal_line(line)
        self.client.run_javascript(f"getHtmlElement({self._editor.id})?.querySelector('.cm-content')?.focus()")

    def _draw_preview(self) -> None:
        """Of a template with a mistake the last preview stays, greyed: most mistakes are half a word."""
        self._preview._props["aria-busy"] = "true" if self._is_wrong and self._example is None else "false"
        if self._example is None and self._is_wrong:
            return
        self._preview.clear()
        example = self._example
        with self._preview:
            if example is None or example.rendered is None or example.tokens is None:
                Text(
                    _("The shown row is not trained: choose another one to see what comes of it."), "p", classes="qu-sm"
                )
            elif self._kind.value == "rendered":
                rendered_view(example.rendered, self._row)
            else:
                TokenStrip(example.tokens[:TOKENS_AT_ONCE], self._row)

    # ---- leaving ----

    async def _back_to_own(self) -> None:
        look = await self._look("")
        if look is not None and look.template is not None:
            self._own = look.template.text
            self._editor.value = self._own
            self._typed(self._own)

    async def _leave(self) -> None:
        if self._is_changed:
            question = _("Throw your changes away?")
            text = _("The template stays as it was before you opened the editor.")
            if not await confirm(question, text, action=_("Throw away"), is_dangerous=True):
                return
        self.close()

    async def _take(self) -> None:
        """What was typed last is tried first, however fast a person is."""
        if self._checking is not None:
            await asyncio.wait([self._checking])
        if self._is_wrong:
            return
        self.close()
        if self._is_changed:
            await self._session.set("chat_template", "" if self._draft == self._own else self._draft)

    def _ended(self) -> None:
        if self._checking is not None:
            self._checking.cancel()
        self.delete()


def line_of(message: str) -> int | None:
    """The line, from 1, that an English sentence about a template names."""
    found = _LINE.search(message)
    return int(found[1]) if found else None


def _problem_of(view: RowView) -> Finding:
    problem = view.problem[:1].upper() + view.problem[1:]
    return Finding(level="error", message=problem, hint=view.hint)
