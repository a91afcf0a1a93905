"""The filters above the list of runs. They show a query and tell of another one; what they find is not their matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from nicegui import ui

from qlora_ui.components.badge import kind_word, status_words
from qlora_ui.components.button import Button
from qlora_ui.components.forms.chips import Chips
from qlora_ui.components.forms.quiet_select import QuietSelect
from qlora_ui.components.layout import row
from qlora_ui.components.status_help import StatusHelp
from qlora_ui.components.text import Text
from qlora_ui.contract.records import JobKind, JobStatus
from qlora_ui.locales import _
from qlora_ui.pages.runs.list.query import TEXT_CHARACTERS, ListQuery, When, day_of
from qlora_ui.theme import Icon

_ANY_TIME, _BETWEEN = "any", "between"
_STATUSES = (
    JobStatus.RUNNING,
    JobStatus.PENDING,
    JobStatus.PAUSED,
    JobStatus.COMPLETED,
    JobStatus.STOPPED,
    JobStatus.FAILED,
    JobStatus.INTERRUPTED,
)


class ListFilters(ui.element, default_classes="qu-col qu-gap-3 qu-filters"):
    """`on_change` gets the query that a person wants now, and whether they are still typing it."""

    def __init__(self, query: ListQuery, on_change: Callable[[ListQuery, bool], Any]) -> None:
        super().__init__("div")
        self._query, self._on_change = query, on_change
        self._asks_for_days = bool(query.since or query.until)
        with self:
            with row(wrap=True, gap=3):
                self._find = self._build_find()
                self._when = self._build_when()
                self._days = row(wrap=True).classes("qu-days")
                with self._days:
                    self._since = _DayField(_("From"), lambda day: self._change(when=None, since=day))
                    self._until = _DayField(_("To"), lambda day: self._change(when=None, until=day))
                self._clear = Button(_("Clear the filters"), self._clear_all, icon="x", variant="ghost", size="sm")
            with row(wrap=True, gap=3):
                self._statuses = Chips(
                    {status: _status_word(status) for status in _STATUSES},
                    label=_("Show runs by status"),
                    on_change=lambda names: self._change(statuses=frozenset(JobStatus(name) for name in names)),
                )
                StatusHelp().move(self._statuses)
                self._kinds = Chips(
                    {kind: kind_word(kind) for kind in JobKind},
                    label=_("Show runs by kind"),
                    on_change=lambda names: self._change(kinds=frozenset(JobKind(name) for name in names)),
                )

    def _build_find(self) -> ui.input:
        find = ui.input(placeholder=_("Find a run"), on_change=lambda event: self._type(str(event.value or "")))
        find.props(f"outlined dense clearable debounce=250 maxlength={TEXT_CHARACTERS}").classes("qu-find")
        find._props["aria-label"] = _("Find a run")
        find.mark("find-run")
        with find.add_slot("prepend"):
            Icon("search", size=16)
        return find

    def _build_when(self) -> QuietSelect:
        options = {
            _ANY_TIME: _("Made at any time"),
            When.TODAY: _("Made today"),
            When.WEEK: _("Made in the last 7 days"),
            When.MONTH: _("Made in the last 30 days"),
            _BETWEEN: _("Made between two days"),
        }
        select = QuietSelect(options, label=_("When the runs were made"), on_choose=self._choose_when)
        return select.classes("qu-when")

    def show(self, query: ListQuery, statuses: Counter[str], kinds: Counter[str]) -> None:
        """Show a query, and how many runs there are of each status and kind."""
        self._query = query
        self._asks_for_days = bool(query.since or query.until) or (self._asks_for_days and query.when is None)
        if " ".join(str(self._find.value or "").split()) != query.text:  # else the space behind a word would go
            self._find.value = query.text
        self._when.show(query.when or (_BETWEEN if self._asks_for_days else _ANY_TIME))
        self._days.set_visibility(self._asks_for_days)
        self._since.show(query.since)
        self._until.show(query.until)
        self._statuses.show(query.statuses, statuses)
        self._kinds.show(query.kinds, kinds if len(kinds) > 1 else {})
        self._clear.set_visibility(query.is_narrowed)

    def _type(self, text: str) -> None:
        text = " ".join(text.split())[:TEXT_CHARACTERS].rstrip()
        if text != self._query.text:
            self._on_change(self._query.change(text=text), True)

    def _choose_when(self, value: str) -> None:
        self._asks_for_days = value == _BETWEEN
        when = When(value) if value in set(When) else None
        self._change(when=when, since=None, until=None)

    def _clear_all(self) -> None:
        self._asks_for_days = False
        self._on_change(self._query.without_filters(), False)

    def _change(self, **changes: Any) -> None:
        self._on_change(self._query.change(**changes), False)


class _DayField(ui.element, default_classes="qu-row qu-gap-2 qu-day"):
    """The browser's own field for a day, with its name beside it. `on_change` gets the day, or None for none."""

    def __init__(self, label: str, on_change: Callable[[date | None], Any]) -> None:
        super().__init__("label")
        self._on_change = on_change
        with self:
            Text(label, classes="qu-sm qu-muted")
            self._field = ui.element("input")
        self._field._props.update({"type": "date", "min": "1971-01-01", "max": "9000-12-31"})
        self._field.on("change", lambda event: self._take(str(event.args)), js_handler="(e) => emit(e.target.value)")

    def show(self, day: date | None) -> None:
        self._field._props["value"] = day.isoformat() if day else ""

    def _take(self, text: str) -> Any:
        return self._on_change(day_of(text))


def _status_word(status: JobStatus) -> str:
    """The word for runs of every kind."""
    if status is JobStatus.RUNNING:
        return _("At work", context="how a run stands")
    return status_words(JobKind.TRAINING, status)[0]
