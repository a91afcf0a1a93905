"""What of the list of runs is asked for: filters, order and page, as they stand in the address. No widget in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from qlora_ui.contract.records import JobKind, JobStatus

SIZES = (25, 50, 100)
"""Rows of a page."""
TEXT_CHARACTERS = 120
"""What is searched for is cut there: nobody remembers more of a name."""
_LAST_DAYS = {"today": 1, "7d": 7, "30d": 30}
_PAGES = 1_000_000
_YEARS = 1971, 9000

Member = TypeVar("Member", bound=StrEnum)


class Order(StrEnum):
    """How the runs are sorted."""

    STANDING = "standing"
    """Those at work first, then the queue as it stands, then what is paused, then the past with the newest first."""
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    LONGEST = "longest"
    LOSS = "loss"
    """The lowest loss first, the evaluation's where there is one; runs without one come last."""


class When(StrEnum):
    """Days that are asked for again and again. They move with the calendar, so they stand in the address by name."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"


@dataclass(frozen=True)
class ListQuery:
    """One view of the list. Whatever an address asks for that makes no sense is left out of it."""

    text: str = ""
    kinds: frozenset[JobKind] = frozenset()
    """Those to be shown; none stands for all."""
    statuses: frozenset[JobStatus] = frozenset()
    when: When | None = None
    """Days up to today; else `since` and `until` hold, each of them if it is set, both of them included."""
    since: date | None = None
    until: date | None = None
    order: Order = Order.STANDING
    page: int = 1
    size: int = SIZES[0]

    @classmethod
    def of(cls, query: str) -> ListQuery:
        """Read the part of an address behind its question mark, which anybody may have written."""
        try:
            given = parse_qs(query, max_num_fields=50)
        except ValueError:  # more fields than anybody needs
            return cls()
        when = _member(When, given, "when")
        return cls(
            text=" ".join(_last(given, "q").split())[:TEXT_CHARACTERS].rstrip(),
            kinds=frozenset(_members(JobKind, given, "kind")),
            statuses=frozenset(_members(JobStatus, given, "status")),
            when=when,
            since=None if when else day_of(_last(given, "from")),
            until=None if when else day_of(_last(given, "to")),
            order=_member(Order, given, "sort") or Order.STANDING,
            page=_number(_last(given, "page"), range(1, _PAGES), otherwise=1),
            size=_number(_last(given, "size"), SIZES, otherwise=SIZES[0]),
        )

    def to_query(self) -> str:
        """What `of` reads, without what is as it is by itself; empty for the whole list from its beginning."""
        pairs: list[tuple[str, str]] = [("q", self.text)] if self.text else []
        pairs += [("status", status) for status in JobStatus if status in self.statuses]
        pairs += [("kind", kind) for kind in JobKind if kind in self.kinds]
        pairs += [("when", self.when)] if self.when else []
        pairs += [("from", self.since.isoformat())] if self.since else []
        pairs += [("to", self.until.isoformat())] if self.until else []
        pairs += [("sort", self.order)] if self.order is not Order.STANDING else []
        pairs += [("page", str(self.page))] if self.page > 1 else []
        pairs += [("size", str(self.size))] if self.size != SIZES[0] else []
        return urlencode(pairs)

    def change(self, **changes: Any) -> ListQuery:
        """The same with other filters or another order, from the first page on unless a page is named."""
        return replace(self, **{"page": 1, **changes})

    @property
    def is_narrowed(self) -> bool:
        """Something is left out, so that finding nothing is no proof that there is nothing."""
        return bool(self.text or self.kinds or self.statuses or self.when or self.since or self.until)

    def without_filters(self) -> ListQuery:
        """The whole list in the same order."""
        return ListQuery(order=self.order, size=self.size)

    def days(self, today: date) -> tuple[date | None, date | None]:
        """The first and the last day that are asked for, both included; None where there is no end."""
        if self.when is None:
            return self.since, self.until
        return today - timedelta(days=_LAST_DAYS[self.when] - 1), today


def local_day(moment: datetime) -> date:
    """The day of a moment on the calendar of this machine."""
    return moment.astimezone().date()


def day_of(text: str) -> date | None:
    """A day as date fields write it, `2026-11-23`, within the years that every clock knows; None for any other text."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        return None
    return day if _YEARS[0] <= day.year <= _YEARS[1] else None


def _last(given: Mapping[str, list[str]], name: str) -> str:
    return given[name][-1] if name in given else ""


def _member(enum: type[Member], given: Mapping[str, list[str]], name: str) -> Member | None:
    return next(iter(_members(enum, {name: [_last(given, name)]}, name)), None)


def _members(enum: type[Member], given: Mapping[str, list[str]], name: str) -> Iterable[Member]:
    known = {str(member): member for member in enum}
    return [known[value] for value in given.get(name, []) if value in known]


def _number(text: str, allowed: range | tuple[int, ...], *, otherwise: int) -> int:
    """A whole number in plain figures; a longer one than any page has is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        return otherwise
    return int(text) if int(text) in allowed else otherwise
