"""Which runs a view of the list shows, in which order. Pure, and quick enough for thousands of runs."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from qlora_ui.components.badge import status_words
from qlora_ui.contract.records import JobKind, JobStatus, now
from qlora_ui.jobs import queue
from qlora_ui.jobs.job import Job
from qlora_ui.pages.runs.list.query import ListQuery, Order, local_day
from qlora_ui.pages.runs.overview import seconds_of

_PAST = JobStatus.COMPLETED
_GROUPS = {status: _PAST if status.is_final else status for status in JobStatus}


@dataclass(frozen=True)
class Found:
    """The runs that a query finds, and the page of them that is open."""

    jobs: list[Job]
    """All of them, in their order."""
    page: int
    """The one that is open, from 1; the last one where the query asks for a page behind it."""
    pages: int
    first: int
    """The place of the first run of the page, from 1; 0 where nothing is found."""
    rows: list[Job]
    """The runs of the page."""


def find(jobs: Iterable[Job], query: ListQuery, today: date | None = None) -> Found:
    """Filter, sort and cut: `today` is the day that `query.when` counts back from."""
    fits = _filter(query, today or local_day(now()))
    found = _ORDERS[query.order]([job for job in jobs if fits(job)])
    pages = max(1, math.ceil(len(found) / query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    return Found(found, page, pages, start + 1 if found else 0, found[start : start + query.size])


def count(jobs: Iterable[Job]) -> tuple[Counter[str], Counter[str]]:
    """How many runs there are of each status and of each kind."""
    known = list(jobs)
    return Counter(job.status for job in known), Counter(job.kind for job in known)


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """At work, then waiting as the queue stands, then paused, then those of the past; the newest first within each."""
    groups: defaultdict[JobStatus, list[Job]] = defaultdict(list)
    for job in _newest_first(jobs):
        groups[_GROUPS[job.status]].append(job)
    waiting = queue.waiting(groups[JobStatus.PENDING])
    return [*groups[JobStatus.RUNNING], *waiting, *groups[JobStatus.PAUSED], *groups[_PAST]]


def _filter(query: ListQuery, today: date) -> Callable[[Job], bool]:
    first, last = query.days(today)
    begins = _midnight(first) if first else None
    ends = _midnight(last + timedelta(days=1)) if last and last < date.max else None
    words = query.text.lower().split()
    status_word = {(kind, status): status_words(kind, status)[0].lower() for kind in JobKind for status in JobStatus}

    def fits(job: Job) -> bool:
        if query.statuses and job.status not in query.statuses:
            return False
        if query.kinds and job.kind not in query.kinds:
            return False
        if (begins and job.created_at < begins) or (ends and job.created_at >= ends):
            return False
        if not words:
            return True
        searched = f"{_searched(job.name, job.id, job.parameters.model_name)} {status_word[job.kind, job.status]}"
        return all(word in searched for word in words)

    return fits


@lru_cache(maxsize=16_384)
def _searched(name: str, job_id: str, model: str) -> str:
    return f"{name} {job_id} {model}".lower()


def _midnight(day: date) -> datetime:
    """The moment at which a day begins on the clock of this machine."""
    return datetime.combine(day, time.min).astimezone()


def _newest_first(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)


def _oldest_first(jobs: Iterable[Job]) -> list[Job]:
    return sorted(jobs, key=lambda job: job.created_at)


def _by_name(jobs: Iterable[Job]) -> list[Job]:
    return sorted(_newest_first(jobs), key=lambda job: job.name.casefold())


def _longest_first(jobs: Iterable[Job]) -> list[Job]:
    return sorted(_newest_first(jobs), key=lambda job: -(seconds_of(job) or 0.0))


def _lowest_loss_first(jobs: Iterable[Job]) -> list[Job]:
    return sorted(_newest_first(jobs), key=loss_of)


def loss_of(job: Job) -> float:
    """The loss that a run came to, of its evaluation where it has one; infinite for a run that has none."""
    ways = (("eval_loss",), ("train_loss",), ("adapter", "loss", "value"), ("base", "loss", "value"))
    return next((value for way in ways if (value := _figure(job.summary, way)) is not None), math.inf)


def _figure(summary: object, way: Iterable[str]) -> float | None:
    """The finite number that a summary, which another version may have written, holds in this place."""
    for name in way:
        summary = summary.get(name) if isinstance(summary, dict) else None
    return float(summary) if isinstance(summary, int | float) and math.isfinite(summary) else None


_ORDERS: dict[Order, Callable[[list[Job]], list[Job]]] = {
    Order.STANDING: in_order,
    Order.NEWEST: _newest_first,
    Order.OLDEST: _oldest_first,
    Order.NAME: _by_name,
    Order.LONGEST: _longest_first,
    Order.LOSS: _lowest_loss_first,
}
