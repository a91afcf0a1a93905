"""How each person likes the app."""

from __future__ import annotations

from collections.abc import Callable

from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.store.database import Database
from qlora_ui.store.repository import Repository

LOCAL_USER = "local"
"""The one user of an app without accounts."""


class Preferences:
    """A person's preferences by user id; the defaults for whoever has changed none."""

    def __init__(self, database: Database) -> None:
        self._records = Repository(database, "preferences", UserPreferences)

    def get(self, user: str = LOCAL_USER) -> UserPreferences:
        return self._records.get(user) or UserPreferences()

    def all(self) -> list[UserPreferences]:
        """Those of everyone who has changed any."""
        return self._records.list()

    def put(self, preferences: UserPreferences, user: str = LOCAL_USER) -> None:
        self._records.put(user, preferences)

    def change(
        self, user: str, change: Callable[[UserPreferences], UserPreferences]
    ) -> tuple[UserPreferences, UserPreferences]:
        """Replace a person's preferences by what `change` makes of them; gives the old and the new ones.

        Nobody else, not another server on this home either, can write in between.
        """
        old, new = self._records.update(user, lambda kept: change(kept or UserPreferences()))
        return old or UserPreferences(), new
