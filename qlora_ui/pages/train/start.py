"""The last step of /train: a name, what happens afterwards, and the start."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.forms.field import Field
from qlora_ui.components.forms.knob_field import KnobField
from qlora_ui.components.layout import Card
from qlora_ui.components.live import Live
from qlora_ui.components.text import paragraph
from qlora_ui.contract.paths import STARTER
from qlora_ui.locales import _
from qlora_ui.pages.train.session import TrainSession
from qlora_ui.pages.train.words import KNOBS


def build(session: TrainSession) -> None:
    form = session.form
    with Card(_("Start", context="step")):
        name = KnobField(KNOBS["name"], form.get("name"), lambda value: form.set("name", value))
        name.show_help(True)
        listen(form.changed, lambda: name.show(form.get("name"), form.error_of("name")))
        scoring = _Scoring(session)
        Live(form.changed, lambda: (form.wants_score, form.test_file), lambda: _explain_scoring(session))
        test_file = _TestFile(session)

        def follow() -> None:
            scoring.follow()
            test_file.follow()

        listen(form.changed, follow)
        follow()


class _Scoring(ui.switch):
    """On where it is wanted and there are rows for it; without such rows it cannot be switched on."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Score it afterwards"), value=session.form.score_after)
        self._form = session.form
        self.mark("score-after")
        self.on_value_change(lambda event: self._take(bool(event.value)))

    def _take(self, value: bool) -> None:
        if value != self._form.score_after:  # else it only follows the form
            self._form.wants_score = value
            self._form.changed.emit()

    def follow(self) -> None:
        self.value = self._form.score_after
        self.set_enabled(bool(self._form.test_file))


class _TestFile(Field):
    """The file of held-out rows; the starter's data bring theirs along."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Test file"), help=_("A file on this machine with rows in the same form as your data."))
        self._form = session.form
        path = self.hold(ui.input(value=session.form.test_path)).props("autocomplete=off spellcheck=false")
        path.mark("test-path")

        async def take() -> None:
            await session.set_test_file(str(path.value or "").strip())

        path.on("blur", take, []).on("keydown.enter", take, [])

    def follow(self) -> None:
        self.set_visibility(self._form.get("dataset_path") != STARTER or bool(self._form.test_path))
        problem = self._form.error_of("test_path")
        if problem != self.error.text:
            self.set_error(problem)


def _explain_scoring(session: TrainSession) -> None:
    form = session.form
    if not form.test_file:
        _explain(_("To score base against adapter, name a test file with rows that are not among your training data."))
    elif not form.score_after:
        _explain(_("Only the training runs."))
    elif form.test_path:
        _explain(_("Base and adapter answer the rows of the test file, none of which may be trained."))
    else:
        text = _("Base and adapter answer the held-out rows that come with the starter data, none of which is trained.")
        _explain(text)


def _explain(text: str) -> None:
    paragraph(text, muted=True, size="sm")
