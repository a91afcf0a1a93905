"""What people were told: the newest of it to read again, and all of it so that nothing is told twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from qlora_ui.contract.notifications import Notification
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

KEPT = 200
"""So many notifications can be read again."""
GONE_RUNS_REMEMBERED = 500
"""What was told of runs that are gone is forgotten once there is more of it than this."""
_KEY = "book"


class _Book(BaseModel):
    """One document, so that a crash never leaves something told but not listed, or listed but not told."""

    notifications: list[Notification] = Field(default_factory=list)
    """Oldest first."""
    told: list[str] = Field(default_factory=list)
    """The ids of everything that was told, or that was over before anything was."""
    asked_for_updates_at: datetime | None = None


class NotificationBook:
    """What was told, newest first. Every method raises WorkspaceError when the file fails; change it in a thread."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "notifications", _Book)
        self._over: list[str] = []

    def history(self) -> list[Notification]:
        """The newest 200, newest first."""
        return list(reversed(self._read().notifications))

    def told(self) -> set[str]:
        """The ids of everything that counts as told."""
        return set(self._read().told)

    def begin(self, over: Collection[str], runs: Collection[str]) -> None:
        """Open the book. The first time, what is `over` by now counts as told: it is old news.

        `runs` are the ids of the runs that are there; of others, what was told is forgotten when it becomes much.
        """
        self._over = list(over)  # should the disk refuse now, the first change that it takes begins with it

        def change(book: _Book | None) -> _Book:
            if book is None:
                return self._empty()
            kept = [told for told in book.told if _is_of_update(told) or told.partition(":")[0] in runs]
            is_much = len(book.told) - len(kept) > GONE_RUNS_REMEMBERED
            return book.model_copy(update={"told": kept}) if runs and is_much else book

        self._records.update(_KEY, change)

    def add(self, candidates: Sequence[Notification]) -> list[Notification]:
        """Write down, in one step, those that were not told before, whoever told them; returns them, oldest first."""
        added: list[Notification] = []

        def change(book: _Book | None) -> _Book:
            book = book or self._empty()
            told = set(book.told)
            last = book.notifications[-1].told_at if book.notifications else None
            for candidate in candidates:
                if candidate.id not in told:
                    told.add(candidate.id)
                    last = _after(last, candidate.told_at)
                    added.append(candidate.model_copy(update={"told_at": last}))
            ids = [new.id for new in added]
            listed = [old for old in book.notifications if old.id not in ids]
            listed = [*listed, *added][-KEPT:]
            return book.model_copy(update={"notifications": listed, "told": [*book.told, *ids]})

        self._records.update(_KEY, change)
        return added

    def forget(self, notification_id: str) -> None:
        """What was told may be told again; what is listed stays."""

        def change(book: _Book | None) -> _Book:
            book = book or self._empty()
            return book.model_copy(update={"told": [told for told in book.told if told != notification_id]})

        self._records.update(_KEY, change)

    def asked_for_updates_at(self) -> datetime | None:
        return self._read().asked_for_updates_at

    def note_question(self, moment: datetime) -> None:
        """The package index was asked for a newer version."""

        def change(book: _Book | None) -> _Book:
            return (book or self._empty()).model_copy(update={"asked_for_updates_at": moment})

        self._records.update(_KEY, change)

    def _read(self) -> _Book:
        return self._records.get(_KEY) or self._empty()

    def _empty(self) -> _Book:
        return _Book(told=self._over)


def _is_of_update(told: str) -> bool:
    """What was told of a version stays told; of a run, a webhook, only for as long as that is there."""
    return told.startswith("update:")


def _after(last: datetime | None, moment: datetime) -> datetime:
    """`moment`, or the next one after `last` where a clock was set back: what is told later is never told earlier."""
    return moment if last is None or moment > last else last + timedelta(microseconds=1)
