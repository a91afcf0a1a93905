"""Who opened this page, how they like it, and how to change that on all of their tabs."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

from nicegui import Client

from qlora_ui import locales
from qlora_ui.components import reader
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.store.preferences import LOCAL_USER

if TYPE_CHECKING:
    from qlora_ui.services import Services


class Visitor:
    """One person at one open page."""

    def __init__(
        self, services: Services, client: Client, person: str, preferences: UserPreferences, browser_language: str
    ) -> None:
        """`browser_language` is spoken to a person who has chosen none."""
        self._services, self._client = services, client
        self._browser_language = browser_language
        self.person = person
        """Under which their preferences are kept; `local` where nobody signs in."""
        self.preferences = preferences
        """What holds now, with the language that is really spoken."""
        scope = client.request.scope
        self.name: str = scope.get("qlora_ui.name", "")
        """What they gave as their name when they signed in; empty for none."""
        self.is_signed_in: bool = scope.get("qlora_ui.signed_in", False)
        """False on this machine, where nobody has to."""

    @classmethod
    async def meet(cls, services: Services, client: Client) -> Visitor:
        """Read the person's preferences, and have the page speak their language from its first word on."""
        request = client.request
        person = request.scope.get("qlora_ui.person", LOCAL_USER)
        preferences = await services.people.preferences(person)
        browser_language = locales.best_of(request.headers.get("accept-language", ""))
        spoken = locales.chosen(preferences.language, browser_language)
        preferences = preferences.model_copy(update={"language": spoken})
        await asyncio.to_thread(locales.load, spoken)
        reader.remember(client, preferences)
        client.page = copy.copy(client.page)  # shared with everyone who opens this path
        client.page.language = locales.tag(spoken)  # type: ignore[assignment]  # any of Quasar's packs
        return cls(services, client, person, preferences, browser_language)

    async def change(self, **changes: Any) -> None:
        """Save some of the preferences; every open tab of this person follows through `People.changed`."""
        await self._services.people.change(self.person, **changes)

    def take_over(self, preferences: UserPreferences) -> bool:
        """Hold what was saved from now on.

        True when the page must be built anew for it: in another language, or for a screen reader.
        """
        before = self.preferences
        language = locales.chosen(preferences.language, self._browser_language)
        self.preferences = preferences.model_copy(update={"language": language})
        reader.remember(self._client, self.preferences)
        is_for_screen_reader = preferences.accessibility.screen_reader
        return language != before.language or is_for_screen_reader != before.accessibility.screen_reader
