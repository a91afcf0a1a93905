"""Whether this page is connected to its server."""

from __future__ import annotations

from nicegui import ui


class Connection(ui.element, component="connection.js"):
    """Online, Connecting or Offline, as the page's own socket has it; screen readers hear each change."""
