"""The second step of /train: the data, what was understood of it, and the very tokens that are trained."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from qlora_ui.components.badge import Tone
from qlora_ui.components.button import Button, icon_button
from qlora_ui.components.choices import Choice, Choices
from qlora_ui.components.dialog import confirm
from qlora_ui.components.drop_zone import DropZone
from qlora_ui.components.events import listen
from qlora_ui.components.field import Field
from qlora_ui.components.layout import Card, Skeleton, column, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.segmented import Segmented
from qlora_ui.components.text import Text, heading, muted
from qlora_ui.components.token_view import TokenStrip, conversation_view, original_view, token_legend
from qlora_ui.components.words import many, share, size
from qlora_ui.contract.inspection import Finding, Inspection, RowView
from qlora_ui.contract.paths import STARTER
from qlora_ui.contract.records import Dataset
from qlora_ui.locales import _, mark, n_, sentence
from qlora_ui.locales.figures import day, number
from qlora_ui.pages.train.plan import Plan, plan
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import in_figures
from qlora_ui.theme import Icon

_TONES: dict[str, Tone] = {"note": "info", "warning": "warning", "error": "error"}
FORMATS = {
    "alpaca": mark("instruction and output"),
    "sharegpt": mark("conversations (ShareGPT)"),
    "messages": mark("conversations (messages)"),
    "prompt_completion": mark("prompt and completion"),
    "question_answer": mark("question and answer"),
    "text": mark("plain text"),
}
"""What the formats of data are called."""
_VIEWS = {"original": mark("Original"), "conversation": mark("Conversation"), "tokens": mark("Tokens")}


def format_name(data_format: str) -> str:
    return _(FORMATS.get(data_format, data_format))


def build(session: TrainSession) -> None:
    form = session.form
    Live(
        form.changed,
        lambda: (
            form.get("dataset_path"),
            form.is_inspecting,
            form.data_problem,
            id(form.inspection),
            _made(session),
            len(session.datasets),
        ),
        lambda: _data_card(session),
    )
    _RowCard(session)


def _data_card(session: TrainSession) -> None:
    form = session.form
    if not form.get("dataset_path"):
        with Card(_("Data")):
            _chooser(session)
        return
    with Card():
        _file_head(session)
        if form.is_inspecting and form.inspection is None:
            muted(_("Reading the file."))
            Skeleton(height="72px")
        if form.is_inspecting and form.inspection is not None:
            muted(_("Reading it again."), size="xs")
        if form.data_problem is not None:
            message, hint = form.data_problem
            with Notice(sentence(message), "error", hint=sentence(hint)).body:
                Button(_("Read it again"), session.read_data, icon="rotate-ccw", size="sm").style("margin-top:8px")
            _chooser(session)
        if form.inspection is not None and form.data_problem is None:
            for finding in form.inspection.findings:
                _finding(session, finding)
            _stats(session, form.inspection)


def _chooser(session: TrainSession) -> None:
    """Every way to data: a file from this computer, one that is here already, or a path on the server."""

    async def choose(name: str) -> None:
        await session.set("dataset_path", name)

    async def uploaded(dataset: Dataset) -> None:
        await session.refresh_choices()
        await choose(dataset.path)

    DropZone(uploaded)
    known = [Choice(STARTER, _("Starter data"), _("Short tasks that suit the starter model"))]
    known += [_uploaded(session, dataset) for dataset in reversed(session.datasets)]
    choices = Choices(known, label=_("Data that is here already"))
    choices.on_choose = choose
    choices.on_remove = lambda path: _remove(session, path)
    help = _("The full path of a file on the machine that runs qlora-ui.")
    with Field(_("A file on this machine"), help=help) as field:
        chosen, here = str(session.form.get("dataset_path") or ""), {choice.value for choice in known}
        path = (
            field.hold(ui.input(value="" if chosen in here else chosen))
            .props("autocomplete=off spellcheck=false")
            .mark("dataset-path")
        )

    async def take_path() -> None:
        if path.value and path.value.strip():
            await choose(path.value.strip())

    path.on("keydown.enter", take_path, []).on("blur", take_path, [])


def _uploaded(session: TrainSession, dataset: Dataset) -> Choice:
    about = _("{size}, added {day}", size=size(dataset.bytes), day=day(dataset.added_at))
    problem = sentence(session.unreadable.get(dataset.path, ""))
    return Choice(dataset.path, dataset.name, about, problem=problem, can_be_removed=True)


async def _remove(session: TrainSession, path: str) -> None:
    title = _("Delete {name}?", name=Path(path).name)
    text = _("The copy that was uploaded is deleted from this machine. Runs that were trained with it stay.")
    if await confirm(title, text, action=_("Delete the file"), is_dangerous=True):
        await session.remove(path)


def _file_head(session: TrainSession) -> None:
    form = session.form
    inspection, name = form.inspection, str(form.get("dataset_path"))

    async def replace() -> None:
        await session.set("dataset_path", "")

    with row(gap=3, between=True, wrap=True):
        with row(gap=3):
            with ui.element("span").classes("qu-dot qu-tone-idle"):
                Icon("file-text")
            with column().style("gap:0"):
                title = heading(_("Starter data") if name == STARTER else Path(name).name)
                title.classes("qu-break").style("font-size:14px")
                if inspection is not None:
                    rows = n_("{count} row", "{count} rows", inspection.rows)
                    facts = (rows, size(inspection.bytes), format_name(inspection.format))
                    with ui.element("p").classes("qu-xs qu-muted qu-num"):
                        Text(f"{' · '.join(facts)} ")
                        Text(_("recognised"), classes="qu-success").props["title"] = sentence(inspection.seen)
        Button(_("Replace"), replace, icon="upload").mark("replace-data")


def _finding(session: TrainSession, finding: Finding) -> None:
    with Notice(sentence(finding.message), _TONES[finding.level], hint=sentence(finding.hint)).body:
        if finding.rows:
            first = finding.rows[0]
            label = _("See row {number}", number=number(first))
            Button(label, lambda: session.show_row(first), size="sm").style("margin-top:8px")


def _made(session: TrainSession) -> Plan | None:
    """What the run comes to, where the settings allow to tell."""
    form = session.form
    if form.inspection is None or form.problems:
        return None
    return plan(form.parameters(), form.inspection)


def _stats(session: TrainSession, inspection: Inspection) -> None:
    made = _made(session)
    figures: dict[str, str] = {_("Rows"): number(inspection.rows)}
    if made is not None:
        figures = {_("Rows to train"): in_figures(made.rows_trained, is_exact=made.is_exact)}
        if made.rows_held_out is not None:
            figures[_("Held out")] = in_figures(made.rows_held_out, is_exact=made.is_exact)
    if inspection.tokens is not None and inspection.tokens_trained is not None:
        trained, tokens = many(inspection.tokens_trained), many(inspection.tokens)
        figures[_("Tokens trained, all rows")] = _("{part} of {total}", part=trained, total=tokens)
    if inspection.rows_truncated is not None:
        figures[_("Truncated")] = share(inspection.rows_truncated, inspection.rows)
    if inspection.rows_untrainable:
        figures[_("Left out")] = number(inspection.rows_untrainable)
    figures[_("Duplicates")] = number(inspection.duplicates)
    with ui.element("dl").classes("qu-figures-row"):
        for label, value in figures.items():
            with ui.element("div"):
                Text(label, "dt", classes="qu-xs qu-muted")
                Text(value, "dd", classes="qu-figure-value")


class _RowCard(Card):
    """One row at a time, in the view of one's choice."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Row"))
        self._session = session
        with self.head, row(wrap=True):
            views = {name: _(word) for name, word in _VIEWS.items()}
            label = _("Show the row as")
            self._views = Segmented(views, label=label, value="tokens", on_change=lambda view: self._draw())
            icon_button(_("Previous row"), "chevron-left", lambda: session.show_row(session.row - 1))
            icon_button(_("Next row"), "chevron-right", lambda: session.show_row(session.row + 1))
        with self:
            self._room = ui.element("div").classes("qu-col")
            listen(session.form.changed, self._follow)
        self._shown: tuple[int, Inspection | None] | None = None
        self._follow()

    def _follow(self) -> None:
        inspection = self._session.form.inspection
        if self._shown == (self._session.row, inspection):
            return
        self._shown = (self._session.row, inspection)
        self.set_visibility(inspection is not None and self._session.view is not None)
        if inspection is not None:
            row, rows = number(self._session.row), number(inspection.rows)
            self.title.text = _("Row {number} of {count}", number=row, count=rows)
        self._draw()

    def _draw(self) -> None:
        self._room.clear()
        view, inspection = self._session.view, self._session.form.inspection
        if view is None or inspection is None:
            return
        with self._room:
            match self._views.value:
                case "original":
                    original_view(view)
                case "conversation":
                    conversation_view(view)
                case _:
                    _tokens(view, inspection)


def _tokens(view: RowView, inspection: Inspection) -> None:
    if view.tokens is None:
        muted(_("Choose a model first: its tokenizer makes the tokens."))
        return
    token_legend()
    TokenStrip(view)
    trained = number(sum(token.trained for token in view.tokens))
    facts = [
        n_("{count} token, {trained} trained", "{count} tokens, {trained} trained", len(view.tokens), trained=trained)
    ]
    facts += [_("cut at the longest length")] * view.truncated
    with row(between=True, wrap=True).classes("qu-xs qu-muted qu-num"):
        Text(" · ".join(facts))
        with row(gap=1):
            Icon("info", size=14)
            Text(_("These are the very labels that training uses"))
    if inspection.template:
        muted(sentence(inspection.template), size="xs")
