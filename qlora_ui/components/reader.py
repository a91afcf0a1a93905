"""Who reads the page that is being built or is acting: their preferences, without passing them through components."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from nicegui import Client, ui

from qlora_ui.contract.preferences import UserPreferences

_preferences: WeakKeyDictionary[Client, UserPreferences] = WeakKeyDictionary()
_DEFAULTS = UserPreferences()


def preferences() -> UserPreferences:
    """The reader's preferences; the defaults outside of any page."""
    try:
        return _preferences.get(ui.context.client, _DEFAULTS)
    except RuntimeError:  # no page is being built
        return _DEFAULTS


def remember(client: Client, preferences: UserPreferences) -> None:
    """From now on this page is built for someone with these preferences."""
    _preferences[client] = preferences
