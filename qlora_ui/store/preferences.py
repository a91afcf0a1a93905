"""How each person likes the app."""

from __future__ import annotations

from qlora_ui.contract.records import UserPreferences
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

    def put(self, preferences: UserPreferences, user: str = LOCAL_USER) -> None:
        self._records.put(user, preferences)

    async def save(self, preferences: UserPreferences, user: str = LOCAL_USER) -> None:
        """`put` in a thread, for callers on an event loop."""
        await self._records.save(user, preferences)
