"""Whether this page is connected to its server."""

from __future__ import annotations

from nicegui import ui

from qlora_ui.locales import _


class Connection(ui.element, component="connection.js"):
    """Online, Connecting or Offline, as the page's own socket has it; screen readers hear each change."""

    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {
            "online": [_("Online"), _("This page is connected to its server.")],
            "checking": [_("Connecting"), _("This page looks for its server. Runs go on meanwhile.")],
            "offline": [_("Offline"), _("This page cannot reach its server. Runs go on without it.")],
        }
