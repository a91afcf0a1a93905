"""What can be done from everywhere: by a button of the frame, by a key, or through the palette."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from nicegui import ui

from qlora_ui.components.browser.keys import KeyListener
from qlora_ui.components.dialog import confirm
from qlora_ui.components.events import listen
from qlora_ui.components.toast import toast, toast_error
from qlora_ui.contract.errors import QloraUiError
from qlora_ui.contract.preferences import UserPreferences
from qlora_ui.jobs.job import Job
from qlora_ui.locales import _, mark
from qlora_ui.pages import shortcuts
from qlora_ui.pages.runs import pausing
from qlora_ui.theme import ThemeName

if TYPE_CHECKING:
    from qlora_ui.pages.visitor import Visitor
    from qlora_ui.services import Services

THEMES: dict[ThemeName, tuple[str, str]] = {
    "light": (mark("light"), "sun"),
    "dark": (mark("dark"), "moon"),
    "system": (mark("as the system has it"), "monitor"),
}
"""In the order in which the switch goes through them: word and icon."""


class Palette(Protocol):
    """What Ctrl K opens."""

    async def open(self) -> None: ...


class Commands(ui.element):
    """Listens to the keys, and is where dialogs stand that belong to no page."""

    def __init__(self, services: Services, visitor: Visitor, make_palette: Callable[[Commands], Palette]) -> None:
        """`make_palette` is called when the palette is first opened, so that a page does not carry it."""
        super().__init__("div")
        self.services, self.visitor = services, visitor
        agent = ui.context.client.request.headers.get("user-agent", "")
        self.is_mac = "Macintosh" in agent or "iPad" in agent
        self._make_palette = make_palette
        self._palette: Palette | None = None
        self._opening = asyncio.Lock()
        self._actions = {
            "palette": self.open_palette,
            "theme": self.next_theme,
            "side_bar": self.toggle_side_bar,
            "shortcuts": self.list_shortcuts,
        }
        with self:
            self._keys = KeyListener(shortcuts.SHORTCUTS, self._pressed, is_on=self._are_keys_on)
            listen(services.people.changed, self._follow)

    @property
    def _are_keys_on(self) -> bool:
        return self.visitor.preferences.accessibility.shortcuts

    def _follow(self, person: str, preferences: UserPreferences) -> None:
        if person == self.visitor.person:
            self._keys.set_on(preferences.accessibility.shortcuts)

    async def _pressed(self, keys: str) -> None:
        shortcut = shortcuts.SHORTCUTS[keys]
        if shortcut.path:
            ui.navigate.to(shortcut.path)
            return
        try:
            await self._actions[shortcut.command]()
        except QloraUiError as error:
            toast_error(error)

    def keys_for(self, *, path: str = "", command: str = "") -> str:
        """The keys that do the same, as they stand on this keyboard; empty when there are none or they are off."""
        keys = shortcuts.keys_of(path=path, command=command)
        if not keys or not (self._are_keys_on or keys == shortcuts.PALETTE_KEYS):
            return ""
        return " ".join(shortcuts.in_words(keys, is_mac=self.is_mac))

    async def open_palette(self) -> None:
        async with self._opening:
            if self._palette is None:
                with self:
                    self._palette = self._make_palette(self)
            await self._palette.open()

    async def list_shortcuts(self) -> None:
        with self:
            shortcuts.show_list(self.visitor, is_mac=self.is_mac)

    async def next_theme(self) -> None:
        await self.set_theme(theme_after(self.visitor.preferences.theme))

    async def set_theme(self, theme: ThemeName) -> None:
        await self.visitor.change(theme=theme)

    async def toggle_side_bar(self) -> None:
        await self.visitor.change(sidebar_collapsed=not self.visitor.preferences.sidebar_collapsed)

    async def resume(self, job: Job) -> None:
        await self.services.jobs.resume(job.id)
        self._tell_that_it_goes_on(job)

    async def retry(self, job: Job) -> None:
        await self.services.jobs.retry(job.id)
        self._tell_that_it_goes_on(job)

    def _tell_that_it_goes_on(self, job: Job) -> None:
        toast(_("{name} goes on as soon as the device is free.", name=job.name))

    async def pause(self, job: Job) -> None:
        if self.services.jobs.successors(job):
            with self:
                await pausing.pause(self.services.jobs, job)
            return
        text = _("It gives the device back and keeps its place in the queue until it is resumed.")
        if await self._ask(_("Pause {name}?", name=job.name), text, action=_("Pause")):
            await self.services.jobs.pause(job.id)

    async def stop(self, job: Job) -> None:
        text = _("It ends with what it has. Resume goes on from its last checkpoint, if it has one.")
        if await self._ask(_("Stop {name}?", name=job.name), text, action=_("Stop")):
            await self.services.jobs.stop(job.id)

    async def _ask(self, title: str, text: str, *, action: str) -> bool:
        with self:
            return await confirm(title, text, action=action)


def theme_after(theme: ThemeName) -> ThemeName:
    order = list(THEMES)
    return order[(order.index(theme) + 1) % len(order)]
