"""How the data are read: what was seen, how sure that is, and, where it needs a person, who and what is what."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.badge import Badge, Tone
from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.forms.select_field import SelectField
from qlora_ui.components.layout import column, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, heading
from qlora_ui.components.token_view import conversation_view, original_view
from qlora_ui.contract.inspection import Look, RowView, Understanding
from qlora_ui.locales import _, n_, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.data.mapping import MappingEditor
from qlora_ui.pages.train.data.words import FORMATS, format_name, part_name, sureness_words
from qlora_ui.pages.train.session import TrainSession

AUTO = "auto"


class UnderstandingView(ui.element, default_classes="qu-col qu-gap-3"):
    """The sentence in sight; the editor folded, except where nothing can be read without it."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__("div")
        self._session, self._form = session, session.form
        self._seen_paths: list[str] = []
        with self:
            with row(gap=2, wrap=True):
                self._format = Text(classes="qu-strong")
                self._sureness = Badge("")
            self._seen = Text(tag="p", classes="qu-sm qu-muted qu-break")
            Live(self._form.changed, self._notes_key, self._notes)
            with ui.element("details").classes("qu-more") as self._fold:
                Text(_("Change how it is read"), "summary", classes="qu-sm")
                with ui.element("div").classes("qu-reading"):
                    with column(gap=4):
                        self._formats = SelectField(_("Read it as"), self._choose_format, marker="data-format")
                        self._editor = MappingEditor(session)
                        with row() as self._accept:
                            Button(_("That is right"), self._accept_guess, icon="check", size="sm")
                        with row() as self._forget:
                            Button(_("Forget my changes"), session.forget_reading, icon="rotate-ccw", size="sm")
                    Live(self._form.changed, self._example_key, self._example)
            listen(self._form.changed, self._follow)
        self._follow()

    # ---- what was seen ----

    def _follow(self) -> None:
        look = self._form.data.look
        self.set_visibility(look is not None)
        if look is None:
            return
        understanding = look.understanding
        word, tone, meaning = sureness_words(understanding.sureness)
        self._format.text = _("Read as {format}", format=format_name(understanding.format))
        self._sureness.show(word, tone)
        self._sureness._props["title"] = meaning
        self._seen.text = " ".join(filter(None, (sentence(understanding.seen), meaning)))
        self._show_formats(understanding)
        self._editor.show(understanding)
        self._accept.set_visibility(understanding.sureness == "unsure" and not self._form.data.unassigned)
        self._forget.set_visibility(self._form.says_how_to_read)
        self._unfold(look)

    def _unfold(self, look: Look) -> None:
        """Open the editor where it is needed; with other data, close it where it is not."""
        data, paths = self._form.data, [source.path for source in look.sources]
        if look.understanding.sureness == "unsure" or data.unassigned or data.unknown_speakers:
            self._fold._props["open"] = True
        elif paths != self._seen_paths:
            self._fold._props.pop("open", None)
        self._seen_paths = paths

    def _notes_key(self) -> object:
        data = self._form.data
        return self._form.before_recall is not None, data.unassigned, data.unknown_speakers, self._form.skips_bad_rows

    def _notes(self) -> None:
        """What a person has to do before anything can be read, and what was done because it was done before."""
        data = self._form.data
        if self._form.before_recall is None and not data.unassigned and not data.unknown_speakers:
            return
        with column(gap=3):
            if self._form.before_recall is not None:
                recall_note(self._session)
            if data.unassigned:
                parts = ", ".join(part_name(part) for part in data.unassigned)
                Notice(_("No column is chosen yet for: {part}.", part=parts), "error", hint=_("Choose one below."))
            if data.unknown_speakers:
                self._ask_for_speakers(data.unknown_speakers)

    def _ask_for_speakers(self, names: list[str]) -> None:
        shown = ", ".join(names[:8])
        text = n_("The speaker {names} is not known.", "The speakers {names} are not known.", len(names), names=shown)
        tone: Tone = "warning" if self._form.skips_bad_rows else "error"
        Notice(text, tone, hint=_("Say below who it is: rows with unknown speakers cannot be used."))

    # ---- the format ----

    def _show_formats(self, understanding: Understanding) -> None:
        """The one that was found first, then those that fit as well, then all others."""
        names = dict.fromkeys([understanding.format, *understanding.alternatives, *FORMATS])
        options = {AUTO: _("Found by itself")} | {name: format_name(name) for name in names}
        self._formats.show(options, str(self._form.get("data_format")))

    async def _choose_format(self, chosen: str) -> None:
        """Formats have parts of their own, so what was assigned to those of another one goes."""
        await self._session.change({"data_format": chosen, "data_mapping": {}})

    async def _accept_guess(self) -> None:
        """Keep what was guessed as what a person says: a training does not go by guesses."""
        look = self._form.data.look
        if look is not None:
            mapping = {part.name: part.column for part in look.understanding.parts if part.column}
            await self._session.change({"data_format": look.understanding.format, "data_mapping": mapping})

    # ---- the example ----

    def _example_key(self) -> object:
        return self._shown_row()

    def _shown_row(self) -> RowView | None:
        look = self._form.data.look
        return look.views[0] if look is not None and look.views else None

    def _example(self) -> None:
        view = self._shown_row()
        if view is None:
            return
        with column(gap=2).classes("qu-reading-example"):
            heading(_("Row {number}, read like this", number=number(view.number)), 3).classes("qu-sm")
            if view.problem:
                Text(sentence(view.problem), "p", classes="qu-sm qu-error qu-break")
            if view.examples:
                conversation_view(view.examples[0])
            else:
                original_view(view)


def recall_note(session: TrainSession) -> None:
    """That the data are read as they were read the last time, and the way out of it."""
    hint = _("Its format, columns, speakers and mends were kept with it.")
    with Notice(_("Read as last time."), "info", hint=hint).body:
        Button(_("Read it anew"), session.forget_recall, size="sm").style("margin-top:8px").mark("forget-recall")
