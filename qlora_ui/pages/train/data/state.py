"""What is known of the data that a person chose. No widget and no process in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qlora_ui.contract.inspection import Finding, Look, RowView, Survey, SurveyProgress

ROWS_KEPT = 60
"""That are at hand at once."""


@dataclass
class DataState:
    """Filled by `DataReading`, read by the form and the cards."""

    look: Look | None = None
    """The first rows, or the ones that were asked for last."""
    survey: Survey | None = None
    """All rows; None until they were gone through once with the present settings."""
    progress: SurveyProgress | None = None
    """How far the survey is, while it goes on."""
    is_looking: bool = False
    note: str = ""
    """What is being waited for, in English: how far the hub's files have come."""
    is_surveying: bool = False
    was_given_up: bool = False
    """A person stopped the survey."""
    problem: tuple[str, str] | None = None
    """What is wrong with the data as a whole, and what to do about it, both in English."""
    row: int = 1
    """The number of the row that is shown."""
    example: int = 0
    """Which of the row's examples, from 0."""
    among: Finding | None = None
    """The finding through whose rows a person goes; None goes through all."""
    views: dict[int, RowView] = field(default_factory=dict)
    """Row number → what was looked at last, with the present settings."""

    def keep(self, views: Sequence[RowView]) -> None:
        """Have these rows at hand. The ones that came first go: the tokens of a long row take some megabytes."""
        for view in views:
            self.views.pop(view.number, None)
            self.views[view.number] = view
        for number in list(self.views)[:-ROWS_KEPT]:
            del self.views[number]

    def forget(self) -> None:
        """Let go of what was read."""
        self.look = self.survey = self.progress = self.among = None
        self.views.clear()

    @property
    def view(self) -> RowView | None:
        """The shown row, where it was read."""
        return self.views.get(self.row)

    @property
    def findings(self) -> list[Finding]:
        """What is known by now, the gravest first."""
        if self.survey is not None:
            return self.survey.findings
        return self.progress.findings if self.progress is not None else []

    @property
    def errors(self) -> list[Finding]:
        """What a training would not get past."""
        return [finding for finding in self.findings if finding.level == "error"]

    @property
    def unassigned(self) -> list[str]:
        """The parts without which no row can be read, and which no column plays."""
        parts = self.look.understanding.parts if self.look is not None else []
        return [part.name for part in parts if part.required and not part.column]

    @property
    def unknown_speakers(self) -> list[str]:
        """Names in the first rows of whom nobody knows who they are."""
        roles = self.look.understanding.roles if self.look is not None else {}
        return [name for name, role in roles.items() if not role]

    @property
    def is_understood(self) -> bool:
        return self.look is not None and self.problem is None

    @property
    def neighbours(self) -> tuple[int | None, int | None]:
        """The row before and the row after the shown one, among those that a person goes through."""
        if self.among is not None:
            before = [number for number in self.among.rows if number < self.row]
            after = [number for number in self.among.rows if number > self.row]
            return (max(before) if before else None), (min(after) if after else None)
        last = self.survey.rows if self.survey is not None else None
        is_known_end = self.look is not None and not self.look.has_more and self.row == _last_of(self.look)
        is_last = self.row == last or (last is None and is_known_end)
        return (self.row - 1 if self.row > 1 else None), (None if is_last else self.row + 1)


def _last_of(look: Look) -> int:
    return look.views[-1].number if look.views else 0
