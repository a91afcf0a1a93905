"""The second step of /train: the data, what was understood of it, and the very tokens that are trained."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.layout import Card, Skeleton, column, row
from qlora_ui.components.live import Live
from qlora_ui.components.notice import Notice
from qlora_ui.components.text import Text, heading, muted
from qlora_ui.contract.paths import STARTER
from qlora_ui.locales import _, sentence
from qlora_ui.pages.train.data.chooser import chooser
from qlora_ui.pages.train.data.figures import show_figures
from qlora_ui.pages.train.data.findings import show_findings
from qlora_ui.pages.train.data.mending import MendsCard
from qlora_ui.pages.train.data.rows import RowCard
from qlora_ui.pages.train.data.template import TemplateCard
from qlora_ui.pages.train.data.words import format_name
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.theme import Icon


def build(session: TrainSession) -> None:
    form = session.form
    Live(
        form.changed,
        lambda: (
            form.get("dataset_path"),
            form.data.is_looking,
            form.data.problem,
            id(form.data.look),
            id(form.data.survey),
            len(session.datasets),
        ),
        lambda: _data_card(session),
    )
    MendsCard(session)
    RowCard(session)
    TemplateCard(session)


def _data_card(session: TrainSession) -> None:
    form, state = session.form, session.form.data
    if not form.get("dataset_path"):
        with Card(_("Data")):
            chooser(session)
        return
    with Card():
        _head(session)
        if state.is_looking and state.look is None:
            muted(_("Reading the file."))
            Skeleton(height="72px")
        if state.problem is not None:
            message, hint = state.problem
            with Notice(sentence(message), "error", hint=sentence(hint)).body:
                Button(_("Read it again"), session.read_data, icon="rotate-ccw", size="sm").style("margin-top:8px")
            chooser(session)
            return
        show_findings(session, state.findings)
        if state.survey is not None:
            show_figures(state.survey, session.data.max_length)


def _head(session: TrainSession) -> None:
    form, look = session.form, session.form.data.look
    name = str(form.get("dataset_path"))

    async def replace() -> None:
        await session.set("dataset_path", "")

    with row(gap=3, between=True, wrap=True):
        with row(gap=3):
            with ui.element("span").classes("qu-dot qu-tone-idle"):
                Icon("file-text")
            with column().style("gap:0"):
                title = heading(_("Starter data") if name == STARTER else Path(name).name)
                title.classes("qu-break").style("font-size:14px")
                if look is not None:
                    with ui.element("p").classes("qu-xs qu-muted qu-num"):
                        Text(f"{format_name(look.understanding.format)} ")
                        seen = sentence(look.understanding.seen)
                        Text(_("recognised"), classes="qu-success").props["title"] = seen
        Button(_("Replace"), replace, icon="upload").mark("replace-data")
