"""What the sections of /settings are made of: rows of a setting each, and the word that a change was saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from nicegui import ui

from qlora_ui.components.events import listen
from qlora_ui.components.forms.select_list import amend_list
from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast_error
from qlora_ui.contract.errors import WorkspaceError
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.locales import _
from qlora_ui.theme import Icon

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

Control = TypeVar("Control", bound=ui.element)

SAID_FOR_S = 4.0


class SettingsDesk:
    """What all sections share: whose settings these are, and how to save one."""

    def __init__(self, services: Services, visitor: Visitor, preferences: UserPreferences) -> None:
        self.services = services
        self.preferences = preferences
        """As they were saved; an empty language stays empty here."""
        self.said = _Said()
        self._visitor = visitor
        self._followers: list[Callable[[UserPreferences], object]] = []
        listen(services.people.changed, self._follow)

    def follow(self, show: Callable[[UserPreferences], object]) -> None:
        """Have `show` draw the preferences now and whenever they change, on this tab or on another one."""
        self._followers.append(show)
        show(self.preferences)

    async def save(self, what: str, **changes: Any) -> None:
        """Save a change and say so; `what` names the setting. What was saved already is not saved again."""
        if _holds(self.preferences.model_dump(), changes):
            return
        try:
            await self._visitor.change(**changes)
        except WorkspaceError as error:
            toast_error(error)
            self._show(self.preferences)
        else:
            self.said.saved(what)

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person == self._visitor.person:
            self._show(preferences)

    def _show(self, preferences: UserPreferences) -> None:
        self.preferences = preferences
        for show in self._followers:
            show(preferences)


class SettingRow(ui.element, default_classes="qu-setting"):
    """A setting: its name and a sentence on the left, and on the right the control, which `hold` ties to them."""

    def __init__(self, title: str, help: str = "") -> None:
        super().__init__("div")
        with self:
            with ui.element("div").classes("qu-setting-words"):
                self.title = Text(title, "label", classes="qu-setting-title")
                self.help = Text(help, "div", classes="qu-field-help")
                self.help.bind_visibility_from(self.help, "text", bool)
            self.side = ui.element("div").classes("qu-setting-side")

    def hold(self, control: Control) -> Control:
        control.move(self.side)
        control._props["aria-describedby"] = self.help.html_id
        if isinstance(control, ui.select):
            control.props("outlined dense hide-bottom-space options-dense")
            control._props["for"] = self.title._props["for"] = f"f{control.id}"
            amend_list(control, self.title.text)
        else:
            control._props["aria-labelledby"] = self.title.html_id
        if isinstance(control, ui.switch):
            self.title.on("click", js_handler=f'() => document.getElementById("{control.html_id}").click()')
        return control


def switch_row(
    desk: SettingsDesk,
    title: str,
    help: str,
    value: Callable[[UserPreferences], bool],
    change: Callable[[bool], dict[str, Any]],
) -> tuple[SettingRow, ui.switch]:
    """A switch for one preference: `value` reads it, `change` gives what `People.change` is told."""
    row = SettingRow(title, help)
    switch = row.hold(ui.switch(value=value(desk.preferences)))
    switch.on_value_change(lambda event: desk.save(title, **change(bool(event.value))))
    desk.follow(lambda preferences: switch.set_value(value(preferences)))
    return row, switch


class _Said(ui.element, default_classes="qu-said"):
    """Says for some seconds that a change was saved, to the eye and, politely, to screen readers."""

    def __init__(self) -> None:
        super().__init__("div")
        self._props.update({"role": "status", "aria-live": "polite"})
        self._timer: ui.timer | None = None
        with self:
            self._icon = Icon("check")
            self._words = Text()
        self._icon.set_visibility(False)

    def saved(self, what: str) -> None:
        self._show(_("Saved: {what}", what=what))
        if self._timer is not None:
            self._timer.cancel()
        with self:
            self._timer = ui.timer(SAID_FOR_S, lambda: self._show(""), once=True)

    def _show(self, text: str) -> None:
        self._words.text = text
        self._icon.set_visibility(bool(text))


def _holds(values: dict[str, Any], changes: dict[str, Any]) -> bool:
    """Whether the values are already what they would be changed to."""
    return all(
        _holds(values[name], change) if isinstance(change, dict) else values[name] == change
        for name, change in changes.items()
    )
