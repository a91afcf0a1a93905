"""The last step of /train: a name, what happens afterwards, and the start."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.field import Field
from qlora_ui.components.knob_field import KnobField
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import paragraph
from qlora_ui.contract.paths import STARTER
from qlora_ui.pages.train_form import KNOBS
from qlora_ui.pages.train_session import TrainSession


def build(session: TrainSession) -> None:
    form = session.form
    with Card("Start"):
        name = KnobField(KNOBS["name"], form.get("name"), lambda value: form.set("name", value))
        name.help.set_visibility(True)
        listen(form.changed, lambda: name.show(form.get("name"), form.errors.get("name", "")))
        scoring = ui.switch("Score it afterwards", value=form.score_after).mark("score-after")
        scoring.on_value_change(lambda event: _set_scoring(session, event.value))
        Live(form.changed, lambda: (form.score_after, form.get("dataset_path") == STARTER), lambda: _scoring(session))


def _set_scoring(session: TrainSession, value: bool) -> None:
    session.form.score_after = value
    session.form.changed.emit()


def _scoring(session: TrainSession) -> None:
    form = session.form
    if not form.score_after:
        _explain("Only the training runs.")
        return
    if form.get("dataset_path") == STARTER:
        _explain("Base and adapter answer the held-out rows that come with the starter data, none of which is trained.")
        return
    _explain("Base and adapter answer the same rows, none of which was trained. Name a file with such rows.")
    _explain("Without one, the evaluation loss on the held-out share of your data is the measure.")
    with Field("Test file", help="A file on this machine with rows in the same form as your data.") as field:
        path = field.hold(ui.input(value=form.test_path)).props("autocomplete=off spellcheck=false").mark("test-path")

    def take() -> None:
        form.test_path = str(path.value or "").strip()
        form.changed.emit()

    path.on("blur", take, []).on("keydown.enter", take, [])


def _explain(sentence: str) -> None:
    paragraph(sentence, muted=True, size="sm")
