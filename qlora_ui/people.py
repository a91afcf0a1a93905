"""Who uses the app, and how each of them likes it, on every tab that they have open."""

from __future__ import annotations

import asyncio
from typing import Any

from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.jobs.reactive import Event
from qlora_ui.store.preferences import LOCAL_USER, Preferences


class People:
    """Preferences by person, changed one after the other so that no change of another tab is lost."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences
        self._writing = asyncio.Lock()
        self.changed: Event[str, UserPreferences] = Event()
        """Somebody's preferences were saved; arguments: the person, the preferences."""

    async def preferences(self, person: str = LOCAL_USER) -> UserPreferences:
        return await asyncio.to_thread(self._preferences.get, person)

    async def change(self, person: str = LOCAL_USER, **changes: Any) -> UserPreferences:
        """Save some of a person's preferences; a nested part may be given as a dict of what changes in it.

        Raises pydantic's ValidationError for a value that is not allowed, WorkspaceError when the disk refuses.
        """

        def changed(kept: UserPreferences) -> UserPreferences:
            return UserPreferences.model_validate(_merged(kept.model_dump(), changes))

        async with self._writing:
            before, after = await asyncio.to_thread(self._preferences.change, person, changed)
            if after != before:
                self.changed.emit(person, after)  # before the next change, so that every tab hears them in their order
        return after


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    nested = {k: _merged(old[k], v) for k, v in new.items() if isinstance(v, dict) and isinstance(old.get(k), dict)}
    return {**old, **new, **nested}
