"""The steps that mend data: recorded with the run, carried out on the way, and taken back one by one."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.events import listen
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import LiveRegion, Text, muted
from qlora_ui.contract.inspection import Survey
from qlora_ui.contract.recipe import Step, StepName
from qlora_ui.locales import _, mark, n_
from qlora_ui.locales.figures import number
from qlora_ui.pages.train.session import TrainSession

STEPS: dict[StepName, str] = {
    "skip_bad_rows": mark("Skip rows that cannot be used"),
    "drop_rows": mark("Leave out single rows"),
    "repair_encoding": mark("Repair damaged characters"),
    "trim_space": mark("Trim white space around every turn"),
    "mend_order": mark("Mend the order of turns"),
    "mask_secrets": mark("Mask secrets and personal data"),
    "drop_empty": mark("Leave out rows with an empty answer"),
    "cut_at_turn": mark("Cut long conversations at a turn"),
    "split_long": mark("Split long rows into several examples"),
    "drop_long": mark("Leave out rows that are too long"),
    "remove_duplicates": mark("Remove duplicates"),
    "remove_near_duplicates": mark("Remove near duplicates"),
}
"""What the steps are called, in the order in which they are carried out."""
_ORDER = list(STEPS)
_TAKE_FOCUS = """requestAnimationFrame(() => requestAnimationFrame(() => {
    const now = document.activeElement;
    if (now && now !== document.body && now.tabIndex >= 0 && now.checkVisibility()) return;
    getHtmlElement(%d)?.focus({ preventScroll: true });
}))"""
"""The finding with the button that was pressed has gone, and its place has got the focus, if anything has: go on from
what the button did. A button that is still there, such as that of a row, keeps the focus."""
ROWS_NAMED = 10


def steps_of(session: TrainSession) -> list[Step]:
    """The steps that are chosen, in the order in which they are carried out."""
    chosen = [step if isinstance(step, Step) else Step.model_validate(step) for step in session.form.get("data_steps")]
    return sorted(chosen, key=lambda step: _ORDER.index(step.do))


def is_chosen(step: Step, steps: Sequence[Step]) -> bool:
    """Whether the steps do already what this one would."""
    return any(step.do == other.do and set(step.rows) <= set(other.rows) for other in steps)


def with_step(steps: Sequence[Step], added: Step) -> list[Step]:
    """The steps with one more, in the order in which they are carried out; single rows are gathered in one step."""
    same = [step for step in steps if step.do == added.do]
    rows = sorted({*added.rows, *(number for step in same for number in step.rows)})
    together = [*(step for step in steps if step.do != added.do), Step(do=added.do, rows=tuple(rows))]
    return sorted(together, key=lambda step: _ORDER.index(step.do))


def with_row(steps: Sequence[Step], number: int) -> list[Step]:
    """The steps, none of which leaves this single row out; a step that is left without rows goes."""
    kept = [
        step.model_copy(update={"rows": tuple(row for row in step.rows if row != number)})
        if step.do == "drop_rows"
        else step
        for step in steps
    ]
    return [step for step in kept if step.rows or step.do != "drop_rows"]


async def mend(session: TrainSession, step: Step) -> None:
    """Add a step; everything is looked at anew with it."""
    await session.set("data_steps", with_step(steps_of(session), step))


async def take_back(session: TrainSession, name: StepName) -> None:
    """Go on without a step. The rows are again what their file says."""
    await session.set("data_steps", [step for step in steps_of(session) if step.do != name])


async def take_in_again(session: TrainSession, number: int) -> None:
    """Train a single row after all that was left out."""
    await session.set("data_steps", with_row(steps_of(session), number))


class MendsCard(Card):
    """What is done to the rows on their way, and what came of it. It is there from the first mend on.

    It also tells screen readers what a change of the mends did, once all rows were gone through with it.
    """

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Mends"))
        self.title._props["tabindex"] = "-1"
        self._session, self._state = session, session.form.data
        self._path, self._was_used = "", False
        self._told = steps_of(session)
        self._survey: Survey | None = None
        with self:
            Live(session.form.changed, self._key, self._draw)
            self._outcome = Text(tag="p", classes="qu-sm qu-num")
            self._voice = LiveRegion()
            listen(session.form.changed, self._follow)
        self._follow()

    def _key(self) -> tuple[str, list[Step]]:
        return str(self._session.form.get("dataset_path") or ""), steps_of(self._session)

    def _draw(self) -> None:
        path, steps = self._key()
        self._was_used = bool(steps) or (self._was_used and path == self._path)
        self._path = path
        self.set_visibility(bool(path) and self._was_used)
        if not steps:
            muted(_("None any more: the rows are taken as their files have them."))
            return
        muted(_("Carried out in this order whenever the data are read. The files stay as they are."), size="xs")
        with ui.element("ol").classes("qu-mends"):
            for step in steps:
                self._step(step)

    def _step(self, step: Step) -> None:
        name = _(STEPS[step.do])
        words = _("{step}: {rows}", step=name, rows=_named(step.rows)) if step.rows else name
        with ui.element("li"), row(between=True, gap=3):
            Text(words, classes="qu-sm")
            button = Button(_("Take back"), lambda: take_back(self._session, step.do), size="sm", variant="ghost")
            button._props["aria-label"] = _("Take back: {step}", step=name)

    def _follow(self) -> None:
        """What came of it stands below, and is said once all rows were gone through with a change."""
        survey, steps = self._state.survey, steps_of(self._session)
        if survey is None and self._state.is_surveying:
            self._outcome.text = _("The rows are being counted anew.")
        if survey is self._survey:
            return
        self._survey = survey
        if steps != self._told:
            self.client.run_javascript(_TAKE_FOCUS % self.title.id)
        if survey is not None:
            self._outcome.text = outcome(survey)
            if steps != self._told:
                self._told = steps
                self._voice.say(self._outcome.text)


def outcome(survey: Survey) -> str:
    """`50 rows are left out now. 321 examples remain.`"""
    left_out = n_("{count} row is left out now.", "{count} rows are left out now.", survey.rows_left_out)
    remaining = n_("{count} example remains.", "{count} examples remain.", survey.examples)
    return _("{first} {second}", first=left_out, second=remaining) if survey.rows_left_out else remaining


def _named(rows: Sequence[int]) -> str:
    """`3, 17 and 20 more`, of row numbers."""
    first, rest = ", ".join(map(number, rows[:ROWS_NAMED])), len(rows) - ROWS_NAMED
    return n_("{first} and {count} more", "{first} and {count} more", rest, first=first) if rest > 0 else first
