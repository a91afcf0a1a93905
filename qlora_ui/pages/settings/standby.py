"""The worker that waits for a run: whether one does, what it takes and what it saves."""

from __future__ import annotations

from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from qlora_ui.components.events import listen
from qlora_ui.components.key_values import KeyValues
from qlora_ui.components.section_nav import Section
from qlora_ui.components.text import Text
from qlora_ui.components.toast import toast_error
from qlora_ui.components.words import size
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.jobs.workers.standby import NEEDED_BYTES, Standby, State
from qlora_ui.locales import _, mark, sentence
from qlora_ui.locales.figures import number
from qlora_ui.pages.settings.parts import SettingRow, SettingsDesk

_STATES: dict[State, str] = {
    "off": mark("Off: each run loads the libraries when it starts."),
    "starting": mark("It loads the libraries."),
    "ready": mark("It waits: the next run starts at once."),
    "busy": mark("A run is at work. Another worker waits after it."),
}
_HELP = mark(
    "A worker waits with its libraries loaded, which a run would have to do first. It takes memory of the machine, but "
    "none of a GPU and no processor time. The switch is for everyone who uses this home folder."
)


def standby(desk: SettingsDesk) -> Section:
    with Section("standby", _("Standby worker")) as section:
        _StandbyRow(desk)
    return section


class _StandbyRow(SettingRow):
    def __init__(self, desk: SettingsDesk) -> None:
        self._standby, self._desk = desk.services.standby, desk
        super().__init__(_("Start runs at once"), _(_HELP))
        self._switch = self.hold(ui.switch(value=self._standby.is_enabled))
        self._switch.on_value_change(self._change)
        if not self._standby.allowed:
            self.help.text = _("Switched off: the app was started with --no-standby.")
            self._switch.disable()
        figures = KeyValues()
        with figures.add(_("Now")):
            self._state = Text()
        self._state._props["role"] = "status"
        self._memory = figures.add(_("Memory"))
        self._saved = figures.add(_("Spares each run"))
        listen(self._standby.changed, self._show)
        self._show()

    async def _change(self, event: ValueChangeEventArguments[bool | None]) -> None:
        if bool(event.value) == self._standby.is_enabled:
            return
        try:
            await self._standby.set_enabled(bool(event.value))
        except QloraUiError as error:
            toast_error(error)
            self._show()
        else:
            self._desk.said.saved(self.title.text)

    def _show(self) -> None:
        self._switch.value = self._standby.is_enabled
        self._state.text = _state(self._standby)
        self._memory.text = "–" if self._standby.memory is None else size(self._standby.memory)
        seconds = self._standby.load_seconds
        self._saved.text = (
            _("measured once one has loaded")
            if seconds is None
            else _("{seconds} s, as measured on this machine", seconds=number(seconds, 1))
        )


def _state(standby: Standby) -> str:
    if standby.problem:
        return _("It could not load the libraries: {problem}", problem=sentence(standby.problem))
    if standby.lacks_memory:
        return _("Off, because less than {size} of memory were free when the app was started.", size=size(NEEDED_BYTES))
    return _(_STATES[standby.state])
