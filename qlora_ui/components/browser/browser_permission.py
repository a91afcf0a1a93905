"""Whether this browser lets the page show notifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast, get_args

from nicegui import ui
from nicegui.events import GenericEventArguments

Permission = Literal["granted", "denied", "default", "insecure", "missing"]
"""`default`: nobody was asked yet; `insecure`: the page came over plain http; `missing`: the browser has none."""


class BrowserPermission(ui.element, component="browser_permission.js"):
    """Without a look. Calls `on_state` with how it stands as soon as that is known, and whenever it changes.

    `ask_when_on(switch)` asks the person when they switch it on: browsers allow that only within the very gesture.
    """

    def __init__(self, on_state: Callable[[Permission], Any]) -> None:
        super().__init__()
        self._on_state = on_state
        self.on("state", self._tell)

    def ask_when_on(self, switch: ui.switch) -> None:
        switch.on("update:model-value", js_handler=f"(value) => value && getElement({self.id}).ask()")

    def _tell(self, event: GenericEventArguments) -> Any:
        known = event.args if event.args in get_args(Permission) else "missing"
        return self._on_state(cast(Permission, known))
