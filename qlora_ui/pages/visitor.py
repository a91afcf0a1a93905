"""Who opened this page, how they like it, and how to change that on all of their tabs."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from nicegui import Client

from qlora_ui import locales
from qlora_ui.components import reader
from qlora_ui.contract.records import UserPreferences
from qlora_ui.store.preferences import LOCAL_USER

if TYPE_CHECKING:
    from qlora_ui.services import Services


class Visitor:
    """One person at one open page."""

    def __init__(self, services: Services, client: Client, person: str, preferences: UserPreferences) -> None:
        self._services, self._client = services, client
        self.person = person
        """Under which their preferences are kept; `local` where nobody signs in."""
        self.preferences = preferences
        """What holds now, with the language that is really spoken."""

    @classmethod
    async def meet(cls, services: Services, client: Client) -> Visitor:
        """Read the person's preferences, and have the page speak their language from its first word on."""
        request = client.request
        person = request.scope.get("qlora_ui.person", LOCAL_USER)
        preferences = await services.people.preferences(person)
        spoken = preferences.language or locales.best_of(request.headers.get("accept-language", ""))
        preferences = preferences.model_copy(update={"language": spoken})
        await asyncio.to_thread(locales.load, spoken)
        reader.remember(client, preferences)
        client.page = copy.copy(client.page)  # shared with everyone who opens this path
        client.page.language = locales.tag(spoken)  # type: ignore[assignment]  # any of Quasar's packs
        return cls(services, client, person, preferences)

    async def change(self, **changes: Any) -> None:
        """Save some of the preferences; every open tab of this person follows through `People.changed`."""
        await self._services.people.change(self.person, **changes)

    def take_over(self, preferences: UserPreferences) -> bool:
        """Hold what was saved from now on. True when the language changed, which takes a page built anew."""
        language = preferences.language or self.preferences.language
        is_other = language != self.preferences.language
        self.preferences = preferences.model_copy(update={"language": language})
        reader.remember(self._client, self.preferences)
        return is_other
