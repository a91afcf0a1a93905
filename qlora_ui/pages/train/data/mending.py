"""The steps that mend data: recorded with the run, carried out on the way, and taken back one by one."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from qlora_ui.components.button import Button
from qlora_ui.components.layout import Card, row
from qlora_ui.components.live import Live
from qlora_ui.components.text import Text, muted
from qlora_ui.contract.recipe import Step, StepName
from qlora_ui.locales import _, mark, n_
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


def steps_of(session: TrainSession) -> list[Step]:
    """The steps that are chosen, in the order in which they are carried out."""
    chosen = [step if isinstance(step, Step) else Step.model_validate(step) for step in session.form.get("data_steps")]
    return sorted(chosen, key=lambda step: list(STEPS).index(step.do))


def with_step(steps: Sequence[Step], added: Step) -> list[Step]:
    """The steps with one more; single rows that are left out are gathered in one step."""
    same = [step for step in steps if step.do == added.do]
    rows = sorted({*added.rows, *(number for step in same for number in step.rows)})
    return [*(step for step in steps if step.do != added.do), Step(do=added.do, rows=tuple(rows))]


async def mend(session: TrainSession, step: Step) -> None:
    """Add a step; everything is looked at anew with it."""
    await session.set("data_steps", with_step(steps_of(session), step))


async def take_back(session: TrainSession, name: StepName) -> None:
    """Go on without a step. The rows are again what their file says."""
    await session.set("data_steps", [step for step in steps_of(session) if step.do != name])


class MendsCard(Card):
    """What is done to the rows on their way. It is there only where something is."""

    def __init__(self, session: TrainSession) -> None:
        super().__init__(_("Mends"))
        self._session = session
        with self:
            Live(session.form.changed, lambda: (session.form.get("dataset_path"), steps_of(session)), self._draw)

    def _draw(self) -> None:
        steps = steps_of(self._session)
        self.set_visibility(bool(steps) and bool(self._session.form.get("dataset_path")))
        if not steps:
            return
        muted(_("Carried out in this order whenever the data are read. The files stay as they are."), size="xs")
        with ui.element("ol").classes("qu-mends"):
            for step in steps:
                self._step(step)

    def _step(self, step: Step) -> None:
        name = _(STEPS[step.do])
        with ui.element("li"), row(between=True, gap=3):
            Text(f"{name}: {self._rows(step)}" if step.rows else name, classes="qu-sm")
            button = Button(_("Take back"), lambda: take_back(self._session, step.do), size="sm", variant="ghost")
            button._props["aria-label"] = _("Take back: {step}", step=name)

    def _rows(self, step: Step) -> str:
        first = ", ".join(map(str, step.rows[:10]))
        if len(step.rows) <= 10:
            return first
        return n_("{first} and {count} more", "{first} and {count} more", len(step.rows) - 10, first=first)
