"""How the app looks and speaks, and what makes it usable for people with other needs."""

from __future__ import annotations

from nicegui import ui

from qlora_ui import locales
from qlora_ui.components.forms.segmented import Segmented
from qlora_ui.components.section_nav import Section
from qlora_ui.locales import _, mark
from qlora_ui.pages.settings.parts import SettingRow, SettingsDesk, switch_row

_THEMES = {"light": mark("Light"), "dark": mark("Dark"), "system": mark("As the system has it")}
_WISHES = {
    "reduced_motion": (
        mark("Reduced motion"),
        mark("Nothing slides, fades or spins. A system that asks for less motion is heard in any case."),
    ),
    "high_contrast": (
        mark("High contrast"),
        mark("Stronger colours, and an edge around everything that otherwise only has a coloured ground."),
    ),
    "screen_reader": (
        mark("Screen-reader mode"),
        mark("More is said in words: tables in place of charts that redraw themselves, and fewer moving figures."),
    ),
    "shortcuts": (
        mark("Single-key shortcuts"),
        mark("Keys such as n and ? do something while nothing is being typed. Ctrl K works in any case."),
    ),
}


def appearance(desk: SettingsDesk) -> Section:
    with Section("appearance", _("Appearance")) as section:
        title = _("Theme")
        row = SettingRow(title, _("Light or dark colours, on every tab that you have open."))
        options = {name: _(word) for name, word in _THEMES.items()}
        theme = row.hold(Segmented(options, label=title, on_change=lambda name: desk.save(title, theme=name)))
        desk.follow(lambda preferences: theme.show(preferences.theme))
    return section


def language(desk: SettingsDesk) -> Section:
    with Section("language", _("Language")) as section:
        title = _("Language of the app")
        row = SettingRow(
            title, _("Also how numbers and dates are written. Logs and files stay English, for those who help you.")
        )
        options = {"": _("As the browser asks"), **locales.languages()}
        select = row.hold(ui.select(options, value=desk.preferences.language))
        select.on_value_change(lambda event: desk.save(title, language=str(event.value)))
        desk.follow(
            lambda preferences: select.set_value(preferences.language if preferences.language in options else "")
        )
    return section


def accessibility(desk: SettingsDesk) -> Section:
    with Section("accessibility", _("Accessibility")) as section:
        for name, (title, help) in _WISHES.items():
            _wish(desk, name, _(title), _(help))
    return section


def _wish(desk: SettingsDesk, name: str, title: str, help: str) -> None:
    switch_row(
        desk,
        title,
        help,
        lambda preferences: bool(getattr(preferences.accessibility, name)),
        lambda value: {"accessibility": {name: value}},
    )
